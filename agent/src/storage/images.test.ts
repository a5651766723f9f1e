import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import type { RequestListener, Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { realAmbient, type Thing } from '@plumb/schemas';
import { defaultAgentLimits } from '@plumb/schemas/limits/agent.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sourceOpener } from '../fetch/open-source.ts';
import { SourceRules } from '../fetch/source-rules.ts';
import { Images, type ImagesOptions } from './images.ts';

const CONTENT = Buffer.alloc(300_000, 'an image ');
const SHA256 = createHash('sha256').update(CONTENT).digest('hex');

let folder: string;
let images: Images;
let server: Server | undefined;
let requests: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumb-images-'));
  images = withImages();
  await images.open();
  requests = 0;
});
afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
  await rm(folder, { recursive: true });
});

function withImages(options: Partial<ImagesOptions> = {}): Images {
  const rules = new SourceRules({ folders: [folder], sources: ['127.0.0.0/8'], dataDir: join(folder, 'data') });
  const { clock } = realAmbient();
  return new Images({
    ...{ dataDir: join(folder, 'data'), openSource: sourceOpener({ rules }), clock, limits: defaultAgentLimits },
    ...options,
  });
}

async function serve(listener: RequestListener): Promise<string> {
  server = createServer((request, response) => {
    requests += 1;
    listener(request, response);
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/image`;
}

function image(url: string, spec: Partial<Thing<'image'>['spec']> = {}): Thing<'image'> {
  const sha256 = spec.sha256 ?? SHA256;
  return { kind: 'image', id: sha256, owner: 'someone', spec: { url, format: 'raw', maxBytes: 1e6, sha256, ...spec } };
}

const inCache = () => readdir(join(folder, 'data/images'));

test('an image is fetched over http, and by whoever asks for it again not fetched again', async () => {
  const url = await serve((_request, response) => response.end(CONTENT));
  await images.ensure(image(url));
  await images.ensure(image(url));
  expect(requests).toBe(1);
  expect(await inCache()).toEqual([`${SHA256}.img`]);
  expect(await images.observe()).toEqual([{ ...image(url), drift: [] }]);
  expect(await images.virtualBytes(SHA256, 'raw')).toBe(CONTENT.length);
  await images.remove(SHA256);
  expect(await inCache()).toEqual([]);
});

test('an image that went from the cache is told, and fetched anew', async () => {
  const file = join(folder, 'source');
  await writeFile(file, CONTENT);
  const thing = image(pathToFileURL(file).href);
  await images.ensure(thing);
  await rm(images.path(SHA256));
  expect((await images.observe())[0]?.drift).toHaveLength(1);
  await images.ensure(thing);
  expect((await images.observe())[0]?.drift).toEqual([]);
});

test.each<[string, string, RequestListener, Partial<Thing<'image'>['spec']>]>([
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
  const thing = image(pathToFileURL(file).href, { sha256, format: 'qcow2' });
  await expect(images.ensure(thing)).rejects.toMatchObject({ reason: 'ImageTooLarge', retry: 'terminal' });
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
  await withImages().open();
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
