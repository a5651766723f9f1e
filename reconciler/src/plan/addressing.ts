/** Pure addressing: which addresses an interface gets. IPv4 now; addresses are compared as integers of any width. */
import { type PlumbError, retryable, terminal } from '@plumb/schemas';
import ipaddr from 'ipaddr.js';

export interface SubnetSpec {
  cidr: string;
  gateway?: string;
  ranges?: readonly { start: string; end: string }[];
  reserved?: readonly string[];
}

/** A subnet in integers, checked once. */
export interface Subnet {
  readonly name: string;
  readonly cidr: string;
  readonly first: number;
  readonly last: number;
  readonly ranges: readonly { start: number; end: number }[];
  /** Addresses that no instance gets: network, broadcast, gateway, reserved. */
  readonly excluded: ReadonlyMap<number, string>;
}

export function toInteger(address: string): number {
  return plainInteger(address) ?? parsedInteger(address);
}

/** Of four decimal numbers with dots between, as addresses are nearly always written; undefined for anything else. */
function plainInteger(address: string): number | undefined {
  let value = 0;
  let part = -1;
  let dots = 0;
  for (let i = 0; i < address.length; i++) {
    const digit = address.charCodeAt(i) - 48;
    if (digit >= 0 && digit <= 9) {
      // What begins with 0 has meant octal to some: the library decides.
      if (part === 0) return undefined;
      part = part < 0 ? digit : part * 10 + digit;
      if (part > 255) return undefined;
    } else {
      if (address[i] !== '.' || part < 0) return undefined;
      value = value * 256 + part;
      part = -1;
      dots++;
    }
  }
  return dots === 3 && part >= 0 ? value * 256 + part : undefined;
}

function parsedInteger(address: string): number {
  return ipaddr.IPv4.parse(address)
    .toByteArray()
    .reduce((sum, byte) => sum * 256 + byte, 0);
}

export function toAddress(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

/**
 * Checks a declared subnet and turns it into integers.
 * Throws terminal `InvalidCIDR`, `GatewayOutsideCIDR`, `RangeOutsideCIDR` or `InvalidRange`: the reason is that of the
 * first mistake, the message tells all.
 */
export function parseSubnet(name: string, spec: SubnetSpec): Subnet {
  const { network, prefix } = parseCidr(spec.cidr);
  const size = 2 ** (32 - prefix);
  if (network % size !== 0)
    throw terminal(
      'InvalidCIDR',
      `spec.ipv4.cidr ${spec.cidr} has bits set behind its prefix; write ${toAddress(network - (network % size))}/${prefix}`,
    );
  const last = network + size - 1;
  const inside = (value: number) => value >= network && value <= last;

  const mistakes: { reason: string; message: string }[] = [];
  const excluded = new Map<number, string>();
  if (prefix < 31) {
    excluded.set(network, 'the network address');
    excluded.set(last, 'the broadcast address');
  }
  for (const address of spec.reserved ?? []) excluded.set(toInteger(address), 'reserved');
  if (spec.gateway !== undefined) {
    const gateway = toInteger(spec.gateway);
    if (!inside(gateway))
      mistakes.push({
        reason: 'GatewayOutsideCIDR',
        message: `spec.ipv4.gateway ${spec.gateway} is not in spec.ipv4.cidr ${spec.cidr}`,
      });
    excluded.set(gateway, 'the gateway');
  }

  const ranges = (spec.ranges?.length ? spec.ranges : [{ start: toAddress(network), end: toAddress(last) }]).map(
    (range, i) => {
      const start = toInteger(range.start);
      const end = toInteger(range.end);
      if (!inside(start) || !inside(end))
        mistakes.push({
          reason: 'RangeOutsideCIDR',
          message: `spec.ipv4.ranges[${i}] ${range.start}–${range.end} is not inside spec.ipv4.cidr ${spec.cidr}`,
        });
      if (start > end)
        mistakes.push({
          reason: 'InvalidRange',
          message: `spec.ipv4.ranges[${i}] starts at ${range.start}, after its end ${range.end}`,
        });
      return { start, end };
    },
  );
  if (mistakes.length > 0) throw terminal(mistakes[0]!.reason, mistakes.map(({ message }) => message).join('; '));
  return { name, cidr: spec.cidr, first: network, last, ranges, excluded };
}

function parseCidr(cidr: string): { network: number; prefix: number } {
  try {
    const [address, prefix] = ipaddr.IPv4.parseCIDR(cidr);
    return { network: toInteger(address.toString()), prefix };
  } catch (cause) {
    throw terminal('InvalidCIDR', `spec.ipv4.cidr ${cidr} is not an IPv4 subnet: ${(cause as Error).message}`);
  }
}

/**
 * Checks that an instance may ask for this address. A request may lie outside the ranges, which are only for
 * addresses that nobody asked for. Throws terminal `AddressOutsideCIDR` or `AddressReserved`.
 */
export function checkRequested(subnet: Subnet, address: string): void {
  const value = toInteger(address);
  if (value < subnet.first || value > subnet.last)
    throw terminal('AddressOutsideCIDR', `address ${address} is not in ${subnet.cidr} of L3Network ${subnet.name}`);
  const why = subnet.excluded.get(value);
  if (why !== undefined)
    throw terminal('AddressReserved', `address ${address} is ${why} of L3Network ${subnet.name}; choose another`);
}

/**
 * The lowest free address of the ranges, or undefined when they are used up. `nextFree` gives the lowest at or after an
 * address that nobody holds; `unwanted` are passed over. `begin`: the part of the ranges, from 0 to 1, that is only searched when the
 * rest is used up.
 */
export function firstFree(
  subnet: Subnet,
  nextFree: (from: number) => number,
  unwanted: (value: number) => boolean = () => false,
  begin = 0,
): number | undefined {
  for (const range of begin > 0 ? turned(subnet.ranges, begin) : subnet.ranges)
    for (let value = nextFree(range.start); value <= range.end; value = nextFree(value + 1))
      if (!subnet.excluded.has(value) && !unwanted(value)) return value;
  return undefined;
}

/** The ranges from that part of them on to their end, and then what comes before it. */
function turned(ranges: Subnet['ranges'], part: number): { start: number; end: number }[] {
  const size = ranges.reduce((sum, { start, end }) => sum + end - start + 1, 0);
  let left = Math.floor(part * size);
  const [after, before]: { start: number; end: number }[][] = [[], []];
  for (const { start, end } of ranges) {
    const passed = Math.min(left, end - start + 1);
    left -= passed;
    if (passed > 0) before!.push({ start, end: start + passed - 1 });
    if (start + passed <= end) after!.push({ start: start + passed, end });
  }
  return [...after!, ...before!];
}

/** The highest free address of the ranges: for the network's own needs, away from where people ask and search begins. */
export function lastFree(subnet: Subnet, taken: (address: string) => boolean): number | undefined {
  for (const range of [...subnet.ranges].reverse())
    for (let value = range.end; value >= range.start; value--)
      if (!subnet.excluded.has(value) && !taken(toAddress(value))) return value;
  return undefined;
}

/** Said when the ranges of a network are used up. */
export function noFreeAddress(network: string): PlumbError {
  return retryable('NoFreeAddress', `L3Network ${network} has no free address left in its ranges; it waits for one`);
}
