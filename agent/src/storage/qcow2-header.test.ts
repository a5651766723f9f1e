import { expect, test } from 'vitest';
import { OVERLAY_HEADER_BYTES, QCOW2_HEADER_BYTES, readOverlayHeader, readQcow2Header } from './qcow2-header.ts';

/** A header of version 3 of a 1 GiB disk, laid out as QEMU's docs/interop/qcow2 says. */
function header(change: (bytes: Buffer) => void = () => {}, length = QCOW2_HEADER_BYTES): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.writeUInt32BE(0x514649fb, 0);
  bytes.writeUInt32BE(3, 4);
  bytes.writeUInt32BE(16, 20);
  bytes.writeBigUInt64BE(1024n ** 3n, 24);
  bytes.writeUInt32BE(104, 100);
  change(bytes);
  return bytes;
}

test('tells the size of the virtual disk, in versions 2 and 3', () => {
  expect(readQcow2Header(header())).toBe(1024 ** 3);
  expect(readQcow2Header(header((bytes) => bytes.writeUInt32BE(2, 4)).subarray(0, 72))).toBe(1024 ** 3);
});

test.each<[string, (bytes: Buffer) => void, RegExp]>([
  ['a backing file', (bytes) => bytes.writeBigUInt64BE(1n, 8), /backing file/],
  ['encryption', (bytes) => bytes.writeUInt32BE(2, 32), /encrypted/],
  ['an external data file', (bytes) => bytes.writeBigUInt64BE(4n, 72), /in another file/],
  ['the mark of damage', (bytes) => bytes.writeBigUInt64BE(2n, 72), /damaged/],
  ['an unknown version', (bytes) => bytes.writeUInt32BE(4, 4), /version 4/],
  ['a feature that is not known', (bytes) => bytes.writeBigUInt64BE(1n << 5n, 72), /a feature/],
  ['clusters that are too small', (bytes) => bytes.writeUInt32BE(8, 20), /clusters have 2\^8/],
  ['clusters that are too large', (bytes) => bytes.writeUInt32BE(22, 20), /clusters have 2\^22/],
  ['a table that is too large', (bytes) => bytes.writeUInt32BE(0xffffffff, 36), /table/],
  ['another magic', (bytes) => bytes.write('RIFF', 0), /not a qcow2 file/],
])('refuses %s', (_what, change, message) => {
  expect(() => readQcow2Header(header(change))).toThrow(message);
});

test.each([0, 50, 80])('refuses a file of %i bytes', (length) => {
  expect(() => readQcow2Header(header().subarray(0, length))).toThrow(/cannot be used/);
});

test('an overlay tells what it is a clone of, and how that is read', () => {
  const path = '/data/images/abc.img';
  const overlay = header((bytes) => {
    bytes.writeBigUInt64BE(512n, 8);
    bytes.writeUInt32BE(path.length, 16);
    bytes.write(path, 512);
    bytes.writeUInt32BE(0x6803f857, 104); // An extension that is of no interest,
    bytes.writeUInt32BE(9, 108); // whose nine bytes take sixteen.
    bytes.writeUInt32BE(0xe2792aca, 128);
    bytes.writeUInt32BE(5, 132);
    bytes.write('qcow2', 136);
  }, OVERLAY_HEADER_BYTES);
  expect(readOverlayHeader(overlay)).toEqual({ virtualBytes: 1024 ** 3, backingFile: path, backingFormat: 'qcow2' });
  expect(readOverlayHeader(header())).toBeUndefined();
  expect(readOverlayHeader(Buffer.from('no'))).toBeUndefined();
});
