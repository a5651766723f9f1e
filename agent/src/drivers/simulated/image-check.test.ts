import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { HostResource } from '@plumb/schemas';
import { SourceRules } from '@plumb/schemas/sources/source-rules.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { refused } from '../../fetch/failures.ts';
import { checkImage } from './image-check.ts';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumb-image-'));
  path = join(folder, 'my image.raw');
});
afterEach(() => rm(folder, { recursive: true }));

const check = (resource: HostResource<'image'>) => checkImage(resource, new SourceRules({ folders: [folder] }));
const sum = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

function image(bytes: Buffer, more: Partial<HostResource<'image'>['spec']> = {}): HostResource<'image'> {
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
  await check(image(first));
  await expect(check(image(second))).rejects.toMatchObject({ reason: 'ChecksumMismatch', retry: 'terminal' });
  await writeFile(path, second);
  await check(image(second));
  const refused = check(image(first));
  await expect(refused).rejects.toThrow(sum(first));
  await expect(refused).rejects.not.toThrow(sum(second));
});

test('the disk inside a file counts, not only the file', async () => {
  const bytes = qcow2(2_000_000);
  await writeFile(path, bytes);
  await expect(check(image(bytes, { format: 'qcow2' }))).rejects.toMatchObject({
    reason: 'ImageTooLarge',
    message: expect.stringContaining('its virtual disk has 2000000 bytes, allowed are 1000000'),
  });
  await check(image(bytes, { format: 'qcow2', maxBytes: 2_000_000 }));
});

const ANY_SUM = Buffer.from('x');

test.each(['https://images.invalid/x', 'http://x/y', 'https://10.1.2.3/x'])('%s is believed', async (url) => {
  await check(image(ANY_SUM, { url }));
});

test.each(['http://127.0.0.1/x', 'http://localhost:8080/x', 'http://[::1]/x', 'http://169.254.169.254/latest'])(
  '%s is refused as on a real host',
  async (url) => {
    await expect(check(image(ANY_SUM, { url }))).rejects.toMatchObject({ reason: 'ImageSourceRefused' });
  },
);

test.each(['https://images.invalid/x', 'https://10.1.2.3/x'])(
  '%s is refused when another host is named',
  async (url) => {
    const rules = new SourceRules({ sources: ['mirror.example'] });
    await checkImage(image(ANY_SUM, { url: 'https://mirror.example/x' }), rules);
    await expect(checkImage(image(ANY_SUM, { url }), rules)).rejects.toMatchObject({ reason: 'ImageSourceRefused' });
  },
);

test.each(['file:///nowhere/at/all', 'file:///etc/shadow', 'file://other/x', 'file:///a%2Fb'])(
  '%s is refused, in the same words',
  async (url) => {
    await expect(check(image(ANY_SUM, { url }))).rejects.toMatchObject({
      reason: 'ImageSourceRefused',
      retry: 'terminal',
      message: refused(url).message,
    });
  },
);

test('what is no URL of a known kind, or no file, is not found', async () => {
  for (const url of ['nonsense', 'ftp://x/y', 'file://%00', pathToFileURL(join(folder, 'nothing')).href])
    await expect(check(image(ANY_SUM, { url }))).rejects.toMatchObject({ reason: 'ImageNotFound', retry: 'terminal' });
});
