/** At which address other hosts reach a host's end of VXLAN tunnels: never one that its agent has chosen freely. Pure. */
import { isIPv4 } from 'node:net';
import type { HostFacts } from '../../fleet/fleet.ts';

export interface Endpoint {
  /** Empty: none, so nobody sends it frames. */
  address: string;
  /** What a person should know of it. */
  problem?: { reason: 'AddressRefused' | 'AddressDiffers'; message: string };
}

/** What is declared and what was heard of the host; `claim` and `stream` are undefined while its agent has not come. */
export interface EndpointInputs {
  declared: string | undefined;
  /** As its Host says since an earlier time. */
  kept: string | undefined;
  facts: Pick<HostFacts, 'tunnelAddress' | 'streamAddress'> | undefined;
  /** Whether the address is this machine's own. */
  isOwn(address: string): boolean;
}

export function endpointOf({ declared, kept, facts, isOwn }: EndpointInputs): Endpoint {
  if (declared !== undefined) {
    if (!isUnicast(declared))
      return refused(`spec.tunnelAddress ${declared} is no address at which another host can be reached`);
    return compared(declared, facts?.tunnelAddress ?? '', 'spec.tunnelAddress is');
  }
  if (facts === undefined) return { address: kept !== undefined && isUnicast(kept) ? kept : '' };
  const { tunnelAddress: claim, streamAddress: stream } = facts;
  if (isUnicast(stream)) return compared(stream, claim, 'its stream comes from');
  if (!isLoopback(stream))
    return refused(
      `its stream comes from ${stream || 'an unknown address'}: declare its IPv4 address in spec.tunnelAddress`,
    );
  // The agent runs on this machine: what it claims can be looked up, and simulated hosts have addresses of no network.
  if (claim === '' || isLoopback(claim)) return { address: '' };
  if (isUnicast(claim) && (isForTests(claim) || isOwn(claim))) return { address: claim };
  return refused(
    `its agent says ${claim}, which is no address of the machine on which it runs: declare spec.tunnelAddress if other hosts reach it there`,
  );
}

function compared(address: string, claim: string, whence: string): Endpoint {
  if (claim === '' || claim === address || isLoopback(claim)) return { address };
  const message = `other hosts send to ${address} (${whence} that), and its agent receives at ${claim}: start it with --tunnel-address ${address}, or declare spec.tunnelAddress`;
  return { address, problem: { reason: 'AddressDiffers', message } };
}

function refused(message: string): Endpoint {
  return { address: '', problem: { reason: 'AddressRefused', message } };
}

function isUnicast(address: string): boolean {
  if (!isIPv4(address) || isLoopback(address)) return false;
  const first = Number(address.slice(0, address.indexOf('.')));
  return first >= 1 && first <= 223;
}

function isLoopback(address: string): boolean {
  return address === '::1' || (isIPv4(address) && address.startsWith('127.'));
}

/** 198.18.0.0/15, for tests of network devices (RFC 2544): no network routes it. */
function isForTests(address: string): boolean {
  return address.startsWith('198.18.') || address.startsWith('198.19.');
}
