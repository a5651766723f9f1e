/** Ethernet frames byte by byte, right ones and wrong ones. Numbers are in network order; checksums only where looked at. */

export interface EthernetOptions {
  to: string;
  from: string;
  type: number;
  /** Tags before the type: `[0x8100, tci]`. */
  tags?: readonly (readonly [number, number])[];
  payload: Buffer;
}

export function ethernet({ to, from, type, tags = [], payload }: EthernetOptions): Buffer {
  const head = Buffer.concat([mac(to), mac(from), ...tags.map(([id, tci]) => u16(id, tci)), u16(type), payload]);
  return head.length < 60 ? Buffer.concat([head, Buffer.alloc(60 - head.length)]) : head;
}

export interface ArpOptions {
  op: number;
  sha: string;
  spa: string;
  tha?: string;
  tpa: string;
  htype?: number;
  ptype?: number;
  hlen?: number;
  plen?: number;
}

export function arp(options: ArpOptions): Buffer {
  const { op, sha, spa, tha = ZERO, tpa, htype = 1, ptype = 0x0800, hlen = 6, plen = 4 } = options;
  const head = Buffer.concat([u16(htype, ptype), Buffer.from([hlen, plen]), u16(op)]);
  return Buffer.concat([head, mac(sha), ip(spa), mac(tha), ip(tpa)]);
}

export interface Ipv4Options {
  from: string;
  to: string;
  protocol?: number;
  payload?: Buffer;
  id: number;
  version?: number;
  /** In words of four bytes; what is over five is options. */
  headerWords?: number;
  options?: Buffer;
  /** In units of eight bytes. */
  fragment?: { offset: number; more: boolean };
  totalLength?: number;
}

export function ipv4(options: Ipv4Options): Buffer {
  const { from, to, protocol = 17, payload = udp(40_000, 40_001), id, version = 4, fragment } = options;
  const extra = options.options ?? Buffer.alloc(0);
  const words = options.headerWords ?? 5 + extra.length / 4;
  const flags = fragment === undefined ? 0 : (fragment.more ? 0x2000 : 0) | fragment.offset;
  const head = Buffer.concat([
    Buffer.from([(version << 4) | words, 0]),
    u16(options.totalLength ?? 20 + extra.length + payload.length, id, flags),
    Buffer.from([64, protocol, 0, 0]),
    ip(from),
    ip(to),
    extra,
  ]);
  head.writeUInt16BE(checksum(head), 10);
  return Buffer.concat([head, payload]);
}

export function udp(from: number, to: number, payload: Buffer = Buffer.alloc(8)): Buffer {
  return Buffer.concat([u16(from, to, 8 + payload.length, 0), payload]);
}

export function tcp(from: number, to: number): Buffer {
  return Buffer.concat([u16(from, to), Buffer.from([0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2]), u16(1024, 0, 0)]);
}

/** ICMP and ICMPv6 alike: type and code, then the rest. */
export function icmp(type: number, code = 0, rest: Buffer = Buffer.alloc(8)): Buffer {
  const message = Buffer.concat([Buffer.from([type, code, 0, 0]), rest]);
  message.writeUInt16BE(checksum(message), 2);
  return message;
}

export interface DhcpOptions {
  op?: number;
  htype?: number;
  hlen?: number;
  xid: number;
  ciaddr?: string;
  yiaddr?: string;
  giaddr?: string;
  chaddr: string;
  /** Number and value, in this order. */
  options: readonly (readonly [number, Buffer])[];
}

/** A BOOTP message with DHCP's options (RFC 2131 section 2). */
export function dhcp(message: DhcpOptions): Buffer {
  const { op = 1, htype = 1, hlen = 6, xid, ciaddr = NONE, yiaddr = NONE, giaddr = NONE, chaddr, options } = message;
  const fixed = Buffer.alloc(240);
  fixed.set([op, htype, hlen, 0], 0);
  fixed.writeUInt32BE(xid, 4);
  ip(ciaddr).copy(fixed, 12);
  ip(yiaddr).copy(fixed, 16);
  ip(giaddr).copy(fixed, 24);
  mac(chaddr).copy(fixed, 28);
  fixed.writeUInt32BE(0x63825363, 236);
  const written = options.map(([code, value]) => Buffer.concat([Buffer.from([code, value.length]), value]));
  return Buffer.concat([fixed, ...written, Buffer.from([255]), Buffer.alloc(60)]);
}

export interface Ipv6Options {
  from: string;
  to: string;
  next: number;
  payload: Buffer;
  hops?: number;
}

export function ipv6({ from, to, next, payload, hops = 255 }: Ipv6Options): Buffer {
  const head = Buffer.concat([Buffer.from([0x60, 0, 0, 0]), u16(payload.length), Buffer.from([next, hops])]);
  return Buffer.concat([head, ip6(from), ip6(to), payload]);
}

export const BROADCAST = 'ff:ff:ff:ff:ff:ff';
export const ZERO = '00:00:00:00:00:00';
export const NONE = '0.0.0.0';

export function mac(text: string): Buffer {
  return Buffer.from(text.replaceAll(':', ''), 'hex');
}

export function ip(text: string): Buffer {
  return Buffer.from(text.split('.').map(Number));
}

/** `fe80::1`; one `::` is understood. */
export function ip6(text: string): Buffer {
  const [head = '', tail] = text.split('::');
  const words = (part: string | undefined) => (part ? part.split(':').map((word) => Number.parseInt(word, 16)) : []);
  const [front, back] = [words(head), words(tail)];
  return u16(...front, ...Array<number>(8 - front.length - back.length).fill(0), ...back);
}

/** The address that an interface gives itself from its Ethernet address (RFC 4291 appendix A). */
export function linkLocal(macAddress: string): string {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mac(macAddress);
  const words = [(a ^ 2) * 256 + b, c * 256 + 0xff, 0xfe00 + d, e * 256 + f];
  return `fe80::${words.map((word) => word.toString(16)).join(':')}`;
}

export function u16(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  for (const [index, value] of values.entries()) bytes.writeUInt16BE(value, index * 2);
  return bytes;
}

/** The Internet checksum (RFC 1071). */
export function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes[at]! * 256 + (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
