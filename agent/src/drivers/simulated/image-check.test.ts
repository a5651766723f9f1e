import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Thing } from '@plumb/schemas';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkImage } from './image-check.ts';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumb-image-'));
  path = join(folder, 'my image.raw');
});
afterEach(() => rm(folder, { recursive: true }));

const sum = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

function image(bytes: Buffer, more: Partial<Thing<'image'>['spec']> = {}): Thing<'image'> {
  const spec = { url: pathToFileURL(path).href, sha256: sum(bytes), format: 'raw' as const, maxBytes: 1e6, ...more };
  return { kind: 'image', id: spec.sha256, owner: 'o', spec };
}

/** The head of a qcow2 file whose disk has this many bytes. */
function qcow2(virtualBytes: number): Buffer {
  const header = Buffer.alloc(104);
  header.write('QFI\xfb', 'latin1');
  header.writeUInt32BE(3, 4);
  header.writeUInt32BE(16, 20);
  header.writeBigUInt64BE(BigInt(virtualBytes), 24);
  return header;
}

test('a file that is as declared is good, and a file that changes is summed again', async () => {
  const first = Buffer.from('first');
  const second = Buffer.from('the second');
  await writeFile(path, first);
  await checkImage(image(first));
  await expect(checkImage(image(second))).rejects.toMatchObject({ reason: 'ChecksumMismatch', retry: 'terminal' });
  await writeFile(path, second);
  await checkImage(image(second));
  const refused = checkImage(image(first));
  await expect(refused).rejects.toThrow(sum(first));
  await expect(refused).rejects.not.toThrow(sum(second));
});

test('the disk inside a file counts, not only the file', async () => {
  const bytes = qcow2(2_000_000);
  await writeFile(path, bytes);
  await expect(checkImage(image(bytes, { format: 'qcow2' }))).rejects.toMatchObject({
    reason: 'ImageTooLarge',
    message: expect.stringContaining('its virtual disk has 2000000 bytes, allowed are 1000000'),
  });
  await checkImage(image(bytes, { format: 'qcow2', maxBytes: 2_000_000 }));
});

test.each(['https://images.invalid/x', 'http://x/y', 'file:///nowhere/at/all', 'file://%00', 'nonsense'])(
  '%s cannot be looked at, and is believed',
  async (url) => {
    await checkImage(image(Buffer.from('x'), { url }));
  },
);
