import { type HostResource, PlumbError } from '@plumb/schemas';
import { describe, expect, test } from 'vitest';
import { IMAGE_HEAD_BYTES, requireUsable } from './image-content.ts';

function spec(format: 'raw' | 'qcow2'): HostResource<'image'>['spec'] {
  return { url: 'https://me:secret@example.org/a.img', sha256: 'a'.repeat(64), format, maxBytes: 2 ** 40 };
}

function head(magic: string | Buffer, at = 0): Buffer {
  const bytes = Buffer.alloc(IMAGE_HEAD_BYTES);
  Buffer.from(magic as string, 'latin1').copy(bytes, at);
  return bytes;
}

function qcow2(): Buffer {
  const bytes = head('QFI\xfb');
  bytes.writeUInt32BE(3, 4);
  bytes.writeUInt32BE(16, 20);
  bytes.writeBigUInt64BE(4096n, 24);
  return bytes;
}

function refusal(format: 'raw' | 'qcow2', bytes: Buffer, fileBytes = bytes.length): PlumbError {
  try {
    requireUsable(spec(format), bytes, fileBytes);
  } catch (thrown) {
    if (thrown instanceof PlumbError) return thrown;
    throw thrown;
  }
  throw new Error('it was taken');
}

const OTHERS: [string, string, number, RegExp][] = [
  ['VMDK', 'KDMV\x01\0\0\0', 0, /VMDK.*qemu-img/],
  ['VMDK with a text', '# Disk DescriptorFile\nversion=1', 0, /VMDK/],
  ['VDI', '\x7f\x10\xda\xbe', 64, /VDI.*qemu-img/],
  ['VHDX', 'vhdxfile', 0, /VHDX/],
  ['VHD', 'conectix', 0, /VHD/],
  ['gzip', '\x1f\x8b\x08\0', 0, /gzip.*it is compressed: unpack it/],
  ['xz', '\xfd7zXZ\0', 0, /xz.*it is compressed/],
  ['zstd', '(\xb5/\xfd', 0, /zstd.*it is compressed/],
  ['bzip2', 'BZh91AY', 0, /bzip2.*it is compressed/],
  ['zip', 'PK\x03\x04', 0, /zip.*it is compressed/],
  ['tar', 'ustar', 257, /tar archive/],
];

describe.each(['raw', 'qcow2'] as const)('declared as %s', (format) => {
  test.each(OTHERS)('%s is refused, and named', (_name, magic, at, says) => {
    const error = refusal(format, head(magic, at));
    expect(error).toMatchObject({ reason: 'ImageInvalid', retry: 'terminal' });
    expect(error.message).toMatch(says);
    expect(error.message).toContain(`declared as ${format}`);
    expect(error.message).not.toContain('secret');
  });

  test('an empty file is refused', () => {
    expect(refusal(format, Buffer.alloc(0)).message).toMatch(/it is empty/);
  });
});

test('a qcow2 file declared as raw is refused: its guest would find no disk', () => {
  expect(refusal('raw', qcow2()).message).toMatch(/declared as raw, and it is a qcow2 file: declare it as qcow2/);
});

test('what is as declared is taken, and its disk is measured', () => {
  const bootSector = head('\xeb\x63\x90');
  expect(requireUsable(spec('raw'), bootSector, 123_456)).toBe(123_456);
  expect(requireUsable(spec('raw'), Buffer.from('x'), 1)).toBe(1);
  expect(requireUsable(spec('qcow2'), qcow2(), 512)).toBe(4096);
});

test('a disk that is larger than allowed is refused', () => {
  const bytes = qcow2();
  bytes.writeBigUInt64BE(2n ** 60n, 24);
  expect(refusal('qcow2', bytes)).toMatchObject({ reason: 'ImageTooLarge', retry: 'terminal' });
});
