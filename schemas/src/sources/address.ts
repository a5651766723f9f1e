/**
 * IP addresses as numbers, and blocks of them. An IPv6 address that the kernel takes for an IPv4 one (::ffff:a.b.c.d) is
 * that IPv4 address here; one that gateways turn into an IPv4 address names it beside itself.
 */
import { isIP } from 'node:net';

export interface Address {
  family: 4 | 6;
  /** 32 or 128 bits. */
  value: bigint;
}

/** An address block, e.g. `10.0.0.0/8`. */
export interface Block extends Address {
  prefix: number;
}

const LOW_32 = 0xffff_ffffn;

/** The address that the text is; undefined for anything else. A zone (`%eth0`) is passed over. */
export function parseAddress(text: string): Address | undefined {
  const bare = text.replace(/%.*$/s, '');
  const family = isIP(bare);
  if (family === 4) return { family, value: dotted(bare) };
  if (family !== 6) return undefined;
  const value = groups(bare);
  if (value >> 32n === 0xffffn) return { family: 4, value: value & LOW_32 }; // ::ffff:0:0/96, RFC 4291 2.5.5.2
  return { family, value };
}

/** A block from `ADDRESS/PREFIX`, or an address by itself; undefined for anything else. */
export function parseBlock(text: string): Block | undefined {
  const [, host = '', digits] = text.match(/^([^/]+)(?:\/(\d{1,3}))?$/) ?? [];
  const address = parseAddress(host);
  if (address === undefined) return undefined;
  const bits = address.family === 4 ? 32 : 128;
  const shift = address.family === 4 && isIP(host) === 6 ? 96 : 0; // ::ffff:10.0.0.0/104 is 10.0.0.0/8
  const prefix = digits === undefined ? bits : Number(digits) - shift;
  return prefix < 0 || prefix > bits ? undefined : { ...address, prefix };
}

export function contains({ family, value, prefix }: Block, address: Address): boolean {
  if (family !== address.family) return false;
  const hostBits = BigInt((family === 4 ? 32 : 128) - prefix);
  return value >> hostBits === address.value >> hostBits;
}

/** The text that connects to the address. */
export function addressText({ family, value }: Address): string {
  const parts = family === 4 ? [24n, 16n, 8n, 0n] : [112n, 96n, 80n, 64n, 48n, 32n, 16n, 0n];
  return family === 4
    ? parts.map((shift) => String((value >> shift) & 0xffn)).join('.')
    : parts.map((shift) => ((value >> shift) & 0xffffn).toString(16)).join(':');
}

/** IPv4 addresses that a packet to this address may end at: by NAT64, 6to4, Teredo, ISATAP or old compatible addresses. */
export function carriedAddresses({ family, value }: Address): Address[] {
  if (family === 4) return [];
  const carried: bigint[] = [];
  const top = (bits: bigint) => value >> (128n - bits);
  if (top(96n) === 0n && value > 1n) carried.push(value); // ::/96, RFC 4291 2.5.5.1
  if (top(96n) === 0xffff0000n) carried.push(value); // ::ffff:0:0:0/96, RFC 2765
  if (top(96n) === 0x64ff9bn << 64n) carried.push(value); // 64:ff9b::/96, RFC 6052
  if (top(48n) === 0x64ff9b0001n) carried.push(value); // 64:ff9b:1::/48, RFC 8215, with a prefix of 96 bits
  if (top(16n) === 0x2002n) carried.push(value >> 80n); // 2002::/16, RFC 3056
  if (top(32n) === 0x20010000n) carried.push(value >> 64n, value ^ LOW_32); // 2001::/32, RFC 4380: server and client
  if (((value >> 32n) & 0xfdffffffn) === 0x5efen) carried.push(value); // ISATAP, RFC 5214
  return carried.map((bits) => ({ family: 4, value: bits & LOW_32 }));
}

function dotted(text: string): bigint {
  return text.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

/** `text` is a valid IPv6 address: at most one `::`, and dots at the end only. */
function groups(text: string): bigint {
  const [head = '', tail] = text.split('::');
  const words = (part: string) =>
    part === ''
      ? []
      : part.split(':').flatMap((word) => {
          if (!word.includes('.')) return [BigInt(`0x${word}`)];
          const value = dotted(word);
          return [value >> 16n, value & 0xffffn];
        });
  const before = words(head);
  const after = words(tail ?? '');
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0n);
  return [...before, ...zeros, ...after].reduce((value, word) => (value << 16n) | word, 0n);
}
