import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type HostResource, terminal } from '@plumb/schemas';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Images } from './images.ts';
import { CONTENT, ImageRig, image, SHA256 } from './testing/image-rig.ts';

let rig: ImageRig;
let images: Images;
let folder: string;

beforeEach(async () => {
  rig = await ImageRig.open();
  ({ folder } = rig);
  images = rig.images();
  await images.open();
});
afterEach(() => rig.close());

const serve = (listener: RequestListener) => rig.serve(listener);
const inCache = () => rig.inCache();

test('an image is fetched over http, and by whoever asks for it again not fetched again', async () => {
  const url = await serve((_request, response) => response.end(CONTENT));
  await images.ensure(image(url));
  await images.ensure(image(url));
  expect(rig.requests).toBe(1);
  expect(await inCache()).toEqual([`${SHA256}.img`]);
  expect(await images.observe()).toEqual([{ ...image(url), drift: [] }]);
  expect(await images.virtualBytes(SHA256, 'raw')).toBe(CONTENT.length);
  await images.remove(SHA256);
  expect(await inCache()).toEqual([]);
});

test('an image that went from the cache is told, and fetched anew', async () => {
  const file = join(folder, 'source');
  await writeFile(file, CONTENT);
  const resource = image(pathToFileURL(file).href);
  await images.ensure(resource);
  await rm(images.path(SHA256));
  expect((await images.observe())[0]?.drift).toHaveLength(1);
  await images.ensure(resource);
  expect((await images.observe())[0]?.drift).toEqual([]);
});

test.each<[string, string, RequestListener, Partial<HostResource<'image'>['spec']>]>([
  ['a wrong checksum', 'ChecksumMismatch terminal', (_, response) => response.end('other'), {}],
  ['a wrong checksum of no image', 'ChecksumMismatch terminal', (_, response) => response.end(), {}],
  ['no file', 'ImageNotFound terminal', (_, response) => response.writeHead(404).end(), {}],
  ['a server in trouble', 'ImageUnavailable retry', (_, response) => response.writeHead(503).end(), {}],
  ['a connection that breaks', 'ImageUnavailable retry', (_, response) => breakOff(response), {}],
  ['too many bytes announced', 'ImageTooLarge terminal', (_, response) => response.end(CONTENT), { maxBytes: 1000 }],
  ['too many bytes sent', 'ImageTooLarge terminal', (_, response) => endless(response), { maxBytes: 1e5 }],
  ['no qcow2', 'ImageInvalid terminal', (_, response) => response.end(CONTENT), { format: 'qcow2' }],
])('%s is told, and leaves nothing', async (_what, outcome, listener, spec) => {
  const url = await serve(listener);
  const [reason, retry] = outcome.split(' ');
  await expect(images.ensure(image(url, spec))).rejects.toMatchObject({ reason, retry });
  await expect(images.ensure(image(url, spec))).rejects.toThrow(url);
  expect(await inCache()).toEqual([]);
  expect(await images.observe()).toEqual([]);
});

test('the size of the virtual disk counts, not only that of the file', async () => {
  const header = Buffer.alloc(512);
  header.writeUInt32BE(0x514649fb, 0);
  header.writeUInt32BE(2, 4);
  header.writeUInt32BE(16, 20);
  header.writeBigUInt64BE(2n ** 50n, 24);
  const file = join(folder, 'huge.qcow2');
  await writeFile(file, header);
  const sha256 = createHash('sha256').update(header).digest('hex');
  const resource = image(pathToFileURL(file).href, { sha256, format: 'qcow2' });
  await expect(images.ensure(resource)).rejects.toMatchObject({ reason: 'ImageTooLarge', retry: 'terminal' });
  expect(await inCache()).toEqual([]);
});

test.each([
  ['another kind of URL', 'ftp://127.0.0.1/image'],
  ['no URL', 'image.qcow2'],
])('%s is no image: terminal', async (_what, url) => {
  await expect(images.ensure(image(url))).rejects.toMatchObject({ reason: 'ImageNotFound', retry: 'terminal' });
});

test('removing an image ends its fetch', async () => {
  const { promise: begun, resolve } = Promise.withResolvers<void>();
  const url = await serve((_request, response) => {
    response.write('the beginning', () => resolve());
  });
  const failure = expect(images.ensure(image(url))).rejects.toMatchObject({ reason: 'Aborted', retry: 'retry' });
  await begun;
  await images.remove(SHA256);
  await failure;
  expect(await inCache()).toEqual([]);
});

test('what an earlier process left half fetched is removed', async () => {
  await mkdir(join(folder, 'data/images'), { recursive: true });
  await writeFile(join(folder, 'data/images', `${SHA256}.img.half`), 'half');
  await rig.images().open();
  expect(await inCache()).toEqual([]);
});

test('the name and password of a URL are sent to its server, and not told', async () => {
  let authorization: string | undefined;
  const url = await serve((request, response) => {
    ({ authorization } = request.headers);
    response.writeHead(authorization === undefined ? 401 : 503).end();
  });
  const withPassword = url.replace('//', '//me:s%40cret@');
  await expect(images.ensure(image(withPassword))).rejects.toMatchObject({
    reason: 'ImageUnavailable',
    message: `the image at ${url} cannot be fetched: the server answered 503 Service Unavailable`,
  });
  expect(authorization).toBe(`Basic ${Buffer.from('me:s@cret').toString('base64')}`);
});

describe('who may read', () => {
  const modeOf = async (path: string) => ((await stat(path)).mode & 0o7777).toString(8);

  test('an image: its owner and QEMU’s group', async () => {
    const file = join(folder, 'source');
    await writeFile(file, CONTENT);
    await images.ensure(image(pathToFileURL(file).href));
    expect(await modeOf(images.path(SHA256))).toBe('440');
    expect(await modeOf(join(folder, 'data/images'))).toBe('710');
  });

  test.runIf(process.getuid?.() === 0)('images of before are changed at the start', async () => {
    const path = images.path(SHA256);
    await chmod(join(folder, 'data/images'), 0o755);
    await writeFile(path, CONTENT, { mode: 0o644 });
    await chmod(path, 0o444);
    await rig.images({ user: { uid: 64055, gid: 64055 } }).open();
    expect(await modeOf(path)).toBe('440');
    expect(await stat(path)).toMatchObject({ uid: 0, gid: 64055 });
    expect(await modeOf(join(folder, 'data/images'))).toBe('710');
    expect(await stat(join(folder, 'data/images'))).toMatchObject({ uid: 0, gid: 64055 });
  });
});

test('what the tool refuses that looks through an image leaves nothing', async () => {
  const seen: string[] = [];
  images = rig.images({
    async inspect(spec, path) {
      seen.push(spec.format, await readFile(path, 'utf8'));
      throw terminal('ImageInvalid', 'it is damaged');
    },
  });
  const file = join(folder, 'source');
  await writeFile(file, 'an image');
  const sha256 = createHash('sha256').update('an image').digest('hex');
  const failure = images.ensure(image(pathToFileURL(file).href, { sha256 }));
  await expect(failure).rejects.toMatchObject({ reason: 'ImageInvalid', retry: 'terminal' });
  expect(seen).toEqual(['raw', 'an image']);
  expect(await inCache()).toEqual([]);
});

function breakOff(response: Parameters<RequestListener>[1]): void {
  response.writeHead(200, { 'content-length': String(CONTENT.length) });
  response.write(CONTENT.subarray(0, 1000), () => response.destroy());
}

/** Says nothing about its length and does not stop. */
function endless(response: Parameters<RequestListener>[1]): void {
  const more = () => {
    if (!response.destroyed) response.write(CONTENT, () => setImmediate(more));
  };
  more();
}
