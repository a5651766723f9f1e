/** Addresses of clients: which count as one, and which are this machine. */
import { BlockList, isIP } from 'node:net';
import { terminal } from '@plumb/schemas';

/** The address as people write it: an IPv4 address that IPv6 carries is itself, a zone (`%eth0`) is no part of it. */
export function plainAddress(address: string | undefined): string {
  return (address ?? '').split('%', 1)[0]!.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
}

/**
 * What connections from the address are counted under: the address itself; of IPv6 the network of 64 bits, because whoever has
 * one address there has them all (RFC 4291, 2.5.1).
 */
export function originOf(address: string): string {
  if (isIP(address) !== 6) return address;
  return `${groupsOf(address).slice(0, 4).join(':')}::/64`;
}

export function isLoopback(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && loopback.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Addresses in ranges. Throws PlumbError `BadArgument` (terminal) for what is no CIDR range. */
export function rangesOf(cidrs: readonly string[], option: string): (address: string) => boolean {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [, address = '', bits] = /^([0-9a-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(cidr) ?? [];
    const family = isIP(address);
    const most = family === 6 ? 128 : 32;
    if (family === 0 || Number(bits ?? most) > most)
      throw terminal('BadArgument', `${option} must be an address or a range such as 192.0.2.0/24, but is ${cidr}`);
    list.addSubnet(address, Number(bits ?? most), family === 6 ? 'ipv6' : 'ipv4');
  }
  return (address) => {
    const family = isIP(address);
    return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4');
  };
}

/** The eight groups of an IPv6 address, without leading zeros. */
function groupsOf(address: string): string[] {
  const [head = '', tail] = address.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail ? tail.split(':') : [];
  // Two groups may be written as an IPv4 address at the end; they are not in the first half.
  const missing = Math.max(0, 8 - before.length - after.length - (address.includes('.') ? 1 : 0));
  const groups = tail === undefined ? before : [...before, ...Array<string>(missing).fill('0'), ...after];
  return groups.map((group) => (/^[0-9a-f]+$/i.test(group) ? Number.parseInt(group, 16).toString(16) : group));
}
