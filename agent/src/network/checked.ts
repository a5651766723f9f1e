/**
 * What declarations must look like before anything of them reaches the kernel, dnsmasq or nft. Whoever sends them has
 * checked them too; here they are checked by those whom a wrong one would harm. All throw `InvalidResource` (terminal).
 */
import type { HostResource } from '@plumb/schemas';
import { terminal } from '@plumb/schemas';
import { requireSafeId } from '../host/records.ts';
import { parseCidr, requireDnsName, requireIpv4, requireMac } from './ipv4.ts';

const MAX_VNI = 2 ** 24 - 1;

export function checkBridge({ id, spec }: HostResource<'bridge'>): void {
  requireSafeId(id);
  requireMtu(spec.mtuBytes);
  // Peers are the word of other hosts: those that can be none are passed over, and hurt nobody else.
  if (spec.type === 'flat') requireInterfaceName(spec.physicalInterface ?? '');
  else if (!Number.isInteger(spec.vni) || Number(spec.vni) < 0 || Number(spec.vni) > MAX_VNI)
    throw terminal('InvalidResource', `${spec.vni} is not the number of a VXLAN`);
}

export function checkSubnet({ id, spec }: HostResource<'subnet'>): void {
  requireSafeId(id);
  parseCidr(spec.cidr);
  requireIpv4(spec.serverAddress);
  requireMac(spec.serverMac);
  requireMtu(spec.mtuBytes);
  if (spec.gateway !== undefined) requireIpv4(spec.gateway);
  if (spec.domain !== undefined) requireDnsName(spec.domain);
  for (const server of spec.dnsServers) requireIpv4(server);
}

export function checkPort({ id, spec }: HostResource<'port'>): void {
  requireSafeId(id);
  requireMac(spec.macAddress);
  requireDnsName(spec.hostname);
  requireMtu(spec.mtuBytes);
  for (const address of spec.addresses) requireIpv4(address);
}

function requireMtu(bytes: number): void {
  if (!Number.isInteger(bytes) || bytes < 576 || bytes > 65_535)
    throw terminal('InvalidResource', `${bytes} bytes are no MTU for IPv4`);
}

/** The kernel allows more; a name with a blank, a quote or a slash has other plans. */
function requireInterfaceName(name: string): void {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/.test(name))
    throw terminal('InvalidResource', `${JSON.stringify(name)} is not the name of an interface`);
}
