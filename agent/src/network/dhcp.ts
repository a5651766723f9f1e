/** What dnsmasq is told about a subnet: its arguments, its leases and its names. Pure. */
import type { HostResource } from '@plumb/schemas';
import { parseCidr, requireDnsName, requireIpv4, requireMac } from './ipv4.ts';

/** Files of one subnet's dnsmasq. */
export interface DhcpFiles {
  pid: string;
  leases: string;
  /** Digest of the leases and hosts that the running server has read. */
  loaded: string;
  /** Written by dnsmasq: the leases that it has given. */
  given: string;
  hosts: string;
  log: string;
}

/** Name of the subnet's leg inside its namespace. */
export const LEG = 'leg';
const LEASE_SECONDS = 86_400;
/** dnsmasq's own bound is 1,000; declared leases have been counted elsewhere. */
const MAX_LEASES = 1_000_000;

/** Arguments of dnsmasq. It reads no file of the machine, and hands out declared leases only. */
export function dnsmasqArgs({ spec }: HostResource<'subnet'>, files: DhcpFiles): string[] {
  const network = parseCidr(spec.cidr);
  const domain = spec.domain === undefined ? undefined : requireDnsName(spec.domain);
  return [
    '--conf-file=/dev/null',
    '--no-hosts',
    '--no-resolv',
    `--pid-file=${files.pid}`,
    `--log-facility=${files.log}`,
    '--quiet-dhcp',
    `--interface=${LEG}`,
    '--except-interface=lo',
    '--bind-interfaces',
    '--no-ping',
    '--dhcp-authoritative',
    `--dhcp-leasefile=${files.given}`,
    // A guest is who its Ethernet address says, which the packet filter checks; what else it calls itself is its word.
    '--dhcp-ignore-clid',
    `--dhcp-lease-max=${MAX_LEASES}`,
    `--dhcp-range=${network.address},static,${network.netmask},${LEASE_SECONDS}`,
    `--dhcp-hostsfile=${files.leases}`,
    `--addn-hosts=${files.hosts}`,
    '--dhcp-ignore=tag:!known',
    // An option without a value keeps dnsmasq from handing out itself.
    `--dhcp-option=option:router${spec.gateway === undefined ? '' : `,${requireIpv4(spec.gateway)}`}`,
    `--dhcp-option=option:mtu,${spec.mtuBytes}`,
    ...(spec.dnsServers.length > 0
      ? [`--dhcp-option=option:dns-server,${spec.dnsServers.map(requireIpv4).join(',')}`]
      : []),
    ...(domain === undefined ? [] : [`--domain=${domain}`, `--local=/${domain}/`]),
  ];
}

/** The file of declared leases: one line per port with an address. */
export function leaseFile(ports: readonly HostResource<'port'>[]): string {
  return lines(ports.map(leaseLine));
}

/** A port's lease; undefined when it has no address to lease. */
export function leaseLine({ spec }: HostResource<'port'>): string | undefined {
  const [address] = spec.addresses;
  if (address === undefined) return undefined;
  return `${requireMac(spec.macAddress)},${requireIpv4(address)},${requireDnsName(spec.hostname)}`;
}

/** The file of names that DNS answers: the ports' and, for people, nothing else. */
export function hostsFile(ports: readonly HostResource<'port'>[], domain: string | undefined): string {
  return lines(
    ports.flatMap(({ spec }) => {
      const name = requireDnsName(spec.hostname);
      const names = domain === undefined ? name : `${name}.${requireDnsName(domain)} ${name}`;
      return spec.addresses.map((address) => `${requireIpv4(address)} ${names}`);
    }),
  );
}

function lines(found: (string | undefined)[]): string {
  return found
    .filter((line) => line !== undefined)
    .sort()
    .map((line) => `${line}\n`)
    .join('');
}
