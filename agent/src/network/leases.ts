/** The leases that dnsmasq has given, as its lease file says them, and those among them that are declared no more. Pure. */

import { isIPv4 } from 'node:net';
import type { HostResource } from '@plumb/schemas';

export interface Lease {
  macAddress: string;
  address: string;
}

/** A line of the file that declares leases, as `leaseLine` writes it. */
const DECLARED = /^((?:[0-9a-f]{2}:){5}[0-9a-f]{2}),([0-9.]+),/;

/** The leases that were declared in a file until now. */
export function readDeclared(text: string): Lease[] {
  return text.split('\n').flatMap((line) => {
    const [, macAddress, address] = DECLARED.exec(line) ?? [];
    return macAddress !== undefined && address !== undefined ? [{ macAddress, address }] : [];
  });
}

/** `1763200000 52:54:00:00:00:11 10.20.0.11 web-0 *`. A line of which dnsmasq has written only a part is passed over. */
const LINE = /^\d+ ((?:[0-9a-f]{2}:){5}[0-9a-f]{2}) (\S+) \S+ \S+$/;

export function readLeases(text: string): Lease[] {
  return text.split('\n').flatMap((line) => {
    const [, macAddress, address = ''] = LINE.exec(line) ?? [];
    return macAddress !== undefined && isIPv4(address) ? [{ macAddress, address }] : [];
  });
}

/**
 * Leases that outlived the port that they were for: of a guest that was unplugged, which does not say so, or of an
 * address that another Ethernet address has now. Until they go, dnsmasq gives the address to nobody else.
 */
export function staleLeases(given: readonly Lease[], ports: readonly HostResource<'port'>[]): Lease[] {
  const declared = new Map(ports.map(({ spec }) => [spec.addresses[0], spec.macAddress]));
  return given.filter(({ macAddress, address }) => declared.get(address) !== macAddress);
}

/** The leases of both, each once. */
export function united(some: readonly Lease[], others: readonly Lease[]): Lease[] {
  return [...new Map([...some, ...others].map((lease) => [key(lease), lease])).values()];
}

/** Whether a lease is among both. */
export function overlap(some: readonly Lease[], others: readonly Lease[]): boolean {
  const known = new Set(some.map(key));
  return others.some((lease) => known.has(key(lease)));
}

function key({ macAddress, address }: Lease): string {
  return `${macAddress} ${address}`;
}
