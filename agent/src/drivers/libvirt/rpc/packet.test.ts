import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Packet } from './packet.ts';
import { encodePacket, PacketCutter } from './packet.ts';

const packet = fc.record({
  program: fc.constant(0x20008086),
  procedure: fc.integer({ min: 1, max: 500 }),
  type: fc.integer({ min: 0, max: 3 }),
  serial: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  status: fc.integer({ min: 0, max: 2 }),
  payload: fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
});

test('packets come out whole, wherever the stream was cut', () => {
  fc.assert(
    fc.property(fc.array(packet, { minLength: 1, maxLength: 5 }), fc.integer({ min: 1, max: 60 }), (packets, size) => {
      const stream = Buffer.concat(packets.map(encodePacket));
      const cutter = new PacketCutter();
      const found: Packet[] = [];
      for (let at = 0; at < stream.length; at += size) found.push(...cutter.push(stream.subarray(at, at + size)));
      expect(found).toEqual(packets);
    }),
  );
});

test('a large packet in small chunks is put together once', () => {
  const large = encodePacket({
    program: 1,
    procedure: 2,
    type: 1,
    serial: 3,
    status: 0,
    payload: Buffer.alloc(16_000_000, 7),
  });
  const cutter = new PacketCutter();
  const before = process.threadCpuUsage();
  const found: Packet[] = [];
  for (let at = 0; at < large.length; at += 1_024) found.push(...cutter.push(large.subarray(at, at + 1_024)));
  const { user, system } = process.threadCpuUsage(before);
  expect(found.map(({ payload }) => payload.length)).toEqual([16_000_000]);
  // Put together with each chunk, it would copy 125 GB.
  expect(user + system).toBeLessThan(2_000_000);
});

test.each([0, 27, 2 ** 31])('a length of %i bytes is no packet', (length) => {
  const bytes = Buffer.alloc(28);
  bytes.writeUInt32BE(length);
  expect(() => new PacketCutter().push(bytes)).toThrow(RangeError);
});
