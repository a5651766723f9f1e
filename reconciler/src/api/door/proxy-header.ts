/**
 * The header with which a proxy that passes TCP on says where a connection comes from: PROXY protocol, version 2
 * (haproxy.org/download/3.0/doc/proxy-protocol.txt, 2.2). It comes before anything that the client says.
 */
import type { Socket } from 'node:net';

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const HEAD = 16;
const IPV4 = 0x10;
const IPV6 = 0x20;
/** Bytes of two addresses and two ports. */
const IPV4_LENGTH = 12;
const IPV6_LENGTH = 36;

export interface ProxyHeader {
  /** Where the connection comes from; undefined when the proxy speaks for itself, as it does when it looks whether we live. */
  source: string | undefined;
}

/** What the first 16 bytes say: how many follow. Undefined when they are no such header. */
export function lengthOfHeader(head: Buffer): number | undefined {
  if (!head.subarray(0, SIGNATURE.length).equals(SIGNATURE) || head[12]! >> 4 !== 2) return undefined;
  return head.readUInt16BE(14);
}

/** The whole header; undefined when it is none. What follows the addresses (TLVs) says nothing that is needed here. */
export function readHeader(head: Buffer, rest: Buffer): ProxyHeader | undefined {
  const command = head[12]! & 0xf;
  if (command === 0) return { source: undefined };
  if (command !== 1) return undefined;
  const family = head[13]! & 0xf0;
  if (family === IPV4 && rest.length >= IPV4_LENGTH) return { source: rest.subarray(0, 4).join('.') };
  if (family === IPV6 && rest.length >= IPV6_LENGTH) return { source: ipv6(rest.subarray(0, 16)) };
  // Of another family, or unknown to the proxy: as if it spoke for itself.
  return family === IPV4 || family === IPV6 ? undefined : { source: undefined };
}

function ipv6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, n) => bytes.readUInt16BE(2 * n).toString(16));
  return groups.join(':');
}

/**
 * Reads the header from a socket that was not read from, and leaves what follows it unread. `told` is called with undefined
 * when there is none, or it is longer than `most` bytes.
 */
export function readProxyHeader(socket: Socket, most: number, told: (header: ProxyHeader | undefined) => void): void {
  let head: Buffer | undefined;
  const take = (header: ProxyHeader | undefined) => {
    socket.off('readable', read);
    told(header);
  };
  function read(): void {
    head ??= socket.read(HEAD) ?? undefined;
    if (head === undefined) return;
    const length = lengthOfHeader(head);
    if (length === undefined || length > most) {
      take(undefined);
      return;
    }
    const rest: Buffer | null = length === 0 ? Buffer.alloc(0) : socket.read(length);
    if (rest !== null) take(readHeader(head, rest));
  }
  socket.on('readable', read);
}
