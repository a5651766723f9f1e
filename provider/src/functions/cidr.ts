/** Blocks of addresses, IPv4 and IPv6. Pure. */
import { isIPv4, isIPv6 } from 'node:net';

export interface Block {
  /** 32 or 128. */
  bits: number;
  first: bigint;
  last: bigint;
}

/** A CIDR, or an address as the block that has it alone. Throws a RangeError that says what it is not. */
export function blockOf(text: string): Block {
  const [address = '', length, ...more] = text.split('/');
  const bits = isIPv4(address) ? 32 : isIPv6(address) && !address.includes('%') ? 128 : 0;
  if (bits === 0 || more.length > 0 || (length !== undefined && !/^(0|[1-9]\d{0,2})$/.test(length))) {
    throw new RangeError(`must be an address or a CIDR such as 10.0.0.0/24, but is ${JSON.stringify(text)}`);
  }
  const prefix = length === undefined ? bits : Number(length);
  if (prefix > bits) throw new RangeError(`has ${prefix} bits of prefix, and an address has ${bits}`);
  const span = 1n << BigInt(bits - prefix);
  const first = (numberOf(address, bits) / span) * span;
  return { bits, first, last: first + span - 1n };
}

export function contains(outer: Block, inner: Block): boolean {
  return outer.bits === inner.bits && outer.first <= inner.first && inner.last <= outer.last;
}

export function overlap(a: Block, b: Block): boolean {
  return a.bits === b.bits && a.first <= b.last && b.first <= a.last;
}

function numberOf(address: string, bits: number): bigint {
  if (bits === 32) return address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  // The last 32 bits may be written as an IPv4 address (RFC 4291, 2.2).
  const last = address.slice(address.lastIndexOf(':') + 1);
  const tail = last.includes('.') ? last : undefined;
  const low = tail === undefined ? 0n : numberOf(tail, 32);
  const words =
    tail === undefined
      ? address
      : `${address.slice(0, -tail.length)}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`;
  const [head = '', rest] = words.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = rest ? rest.split(':') : [];
  const middle = rest === undefined ? [] : Array<string>(8 - left.length - right.length).fill('0');
  return [...left, ...middle, ...right].reduce((sum, word) => sum * 65_536n + BigInt(`0x${word}`), 0n);
}
