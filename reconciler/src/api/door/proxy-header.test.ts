import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ProxyHeader, readProxyHeader } from './proxy-header.ts';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
const hex = (...parts: string[]) => Buffer.from(parts.join(''), 'hex');
const IPV4 = hex(SIGNATURE, '21', '11', '000c', 'cb007105', 'c6336401', '01bb', '1f90');
const IPV6 = hex(
  SIGNATURE,
  '21',
  '21',
  '0024',
  '20010db8000000000000000000000001',
  '20010db8000000000000000000000002',
  '01bb1f90',
);
const LOCAL = hex(SIGNATURE, '20', '00', '0000');

/** What is told of bytes that come in pieces of this size, and what is left unread. */
async function read(bytes: Buffer, piece = bytes.length, most = 1024) {
  const told: (ProxyHeader | undefined)[] = [];
  const socket = new Duplex({ read() {}, write() {} });
  readProxyHeader(socket as unknown as Socket, most, (header) => told.push(header));
  for (let at = 0; at < bytes.length; at += piece) {
    socket.push(bytes.subarray(at, at + piece));
    await new Promise((resolve) => setImmediate(resolve));
  }
  const rest: Buffer[] = [];
  for (let part: Buffer | null = socket.read(); part !== null; part = socket.read()) rest.push(part);
  return { told, rest: Buffer.concat(rest).toString() };
}

test.each([
  ['IPv4', IPV4, '203.0.113.5'],
  ['IPv6', IPV6, '2001:db8:0:0:0:0:0:1'],
  ['the proxy itself', LOCAL, undefined],
  ['a family that it does not know', hex(SIGNATURE, '21', '00', '0000'), undefined],
  ['a socket on its machine', hex(SIGNATURE, '21', '31', '0002', 'abcd'), undefined],
  [
    'IPv4 with something beside',
    hex(SIGNATURE, '21', '11', '0010', 'cb007105', 'c6336401', '01bb1f90', '04000100'),
    '203.0.113.5',
  ],
])('%s is understood, in whatever pieces it comes, and what follows is left for TLS', async (_, header, source) => {
  for (const piece of [1, 7, 16, 1000]) {
    const { told, rest } = await read(Buffer.concat([header, Buffer.from('hello')]), piece);
    expect(told).toEqual([{ source }]);
    expect(rest).toBe('hello');
  }
});

test.each([
  ['TLS', Buffer.from('16030100f8010000f40303', 'hex').toString('hex').padEnd(40, '0')],
  ['version 1', Buffer.from('PROXY TCP4 203.0.113.5 198.51.100.1 443 8080\r\n').toString('hex')],
  ['another version', `${SIGNATURE}3111000c${'00'.repeat(12)}`],
  ['another command', `${SIGNATURE}2211000c${'00'.repeat(12)}`],
  ['too short for its family', `${SIGNATURE}21210004${'00'.repeat(4)}`],
  ['longer than any', `${SIGNATURE}2111ffff${'00'.repeat(12)}`],
])('%s is no header', async (_, bytes) => {
  expect((await read(hex(bytes))).told).toEqual([undefined]);
});

test('half a header is waited for, and told of when it has ended', async () => {
  expect((await read(IPV4.subarray(0, 20))).told).toEqual([]);
});

test('any bytes after the signature are a header or none, and nothing else comes of them', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 4, maxLength: 80 }), async (bytes) => {
      const { told } = await read(Buffer.concat([hex(SIGNATURE), Buffer.from(bytes)]), 20);
      expect(told.length).toBeLessThanOrEqual(1);
    }),
    { numRuns: 200, seed: 9 },
  );
});
