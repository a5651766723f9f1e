import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { HostResource } from '@plumb/schemas';
import { defaultAgentLimits } from '@plumb/schemas/limits/agent.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../drivers/libvirt/rpc/manual-clock.ts';
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

describe('the time of a fetch', () => {
  const MIB = 1024 ** 2;
  const limits = { ...defaultAgentLimits, imageFetchBaseSeconds: 60, imageFetchMiBPerSecond: 1 };
  const slow = { reason: 'ImageTooSlow', retry: 'terminal' };
  let clock: ManualClock;

  beforeEach(() => {
    clock = new ManualClock();
    images = rig.images({ clock, limits });
  });

  /** A server that sends these bytes and no more, and what is known of it. */
  async function stalling(bytes: number, announced?: number) {
    const closed = Promise.withResolvers<void>();
    const url = await serve((request, response) => {
      request.socket.on('close', () => closed.resolve());
      response.writeHead(200, announced === undefined ? {} : { 'content-length': String(announced) });
      response.write(Buffer.alloc(bytes));
    });
    return { url, closed: closed.promise };
  }

  /** Begins a fetch; resolves when so many bytes have come. */
  async function begin(url: string, bytes: number, spec: Partial<HostResource<'image'>['spec']>) {
    const come = Promise.withResolvers<void>();
    const fetching = images.ensure(image(url, spec), {
      onProgress: (progress) => {
        if (progress.bytes >= bytes) come.resolve();
      },
    });
    fetching.catch(() => {});
    await Promise.race([come.promise, fetching]);
    return { fetching };
  }

  test('is over for one that trickles, long before what its size would allow', async () => {
    const { url, closed } = await stalling(100);
    const { fetching } = await begin(url, 100, { maxBytes: 20_000 * MIB });
    clock.advance(59_999);
    clock.advance(1);
    await expect(fetching).rejects.toMatchObject(slow);
    await expect(fetching).rejects.toThrow(/given up after 60 s, in which 100 bytes came/);
    await closed;
    expect(await inCache()).toEqual([]);
    expect(clock.waiting).toBe(0);
  });

  test('is over for one that was fast and stands still', async () => {
    const { url } = await stalling(MIB);
    const { fetching } = await begin(url, MIB, { maxBytes: 20_000 * MIB });
    clock.advance(120_000); // 8 KiB/s were asked for: 1 MiB is enough for two minutes.
    let ended = false;
    void fetching.catch(() => {
      ended = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(ended).toBe(false);
    clock.advance(60_000);
    await expect(fetching).rejects.toMatchObject(slow);
  });

  test.each<[string, number | undefined, number, number]>([
    ['what it may have at most', undefined, 200, 260],
    ['what it announces', 100 * MIB, 200, 160],
    ['what it may have at most, however little', undefined, 0.5, 61],
  ])('follows from %s', async (_what, announced, maxMiB, seconds) => {
    const bytes = Math.min(4 * MIB, (maxMiB * MIB) / 2);
    const { url } = await stalling(bytes, announced);
    images = rig.images({ clock, limits: { ...limits, imageFetchLeastKiBPerSecond: 0 } });
    const { fetching } = await begin(url, bytes, { maxBytes: maxMiB * MIB });
    clock.advance(seconds * 1000 - 1);
    expect(clock.waiting).toBeGreaterThan(0);
    clock.advance(1);
    await expect(fetching).rejects.toThrow(new RegExp(`given up after ${seconds} s`));
  });

  test('does not run on when it has come to its end', async () => {
    const url = await serve((_request, response) => response.end(CONTENT));
    await images.ensure(image(url));
    expect(clock.waiting).toBe(0);
  });
});

describe('a fetch that several wait for', () => {
  /** A server that answers when it is told to. */
  async function waiting() {
    const [asked, closed, go] = [0, 1, 2].map(() => Promise.withResolvers<void>());
    const url = await serve((request, response) => {
      request.socket.on('close', () => closed!.resolve());
      response.write(CONTENT.subarray(0, 10), () => asked!.resolve());
      void go!.promise.then(() => response.end(CONTENT.subarray(10)));
    });
    return { url, asked: asked!.promise, closed: closed!.promise, go: go!.resolve };
  }

  test('is one, and goes on when one of them gives up', async () => {
    const { url, asked, go } = await waiting();
    const abort = new AbortController();
    const told: (number | undefined)[] = [];
    const one = images.ensure(image(url), { signal: abort.signal });
    const two = images.ensure(image(url), { onProgress: ({ bytes }) => told.push(bytes) });
    await asked;
    abort.abort();
    await expect(one).rejects.toMatchObject({ reason: 'Aborted', retry: 'retry' });
    go();
    await two;
    expect(rig.requests).toBe(1);
    expect(told.at(-1)).toBe(CONTENT.length);
    expect(await inCache()).toEqual([`${SHA256}.img`]);
  });

  test('ends when the last of them gives up, leaves nothing, and can be begun again', async () => {
    const { url, asked, closed, go } = await waiting();
    const aborts = [new AbortController(), new AbortController()];
    const both = aborts.map(({ signal }) => images.ensure(image(url), { signal }));
    await asked;
    for (const abort of aborts) abort.abort();
    for (const one of both) await expect(one).rejects.toMatchObject({ reason: 'Aborted' });
    await closed;
    go();
    await images.ensure(image(url));
    expect(await inCache()).toEqual([`${SHA256}.img`]);
  });

  test('is not begun for who has given up already', async () => {
    const { url } = await waiting();
    await expect(images.ensure(image(url), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      reason: 'Aborted',
    });
    await expect.poll(inCache).toEqual([]);
  });

  test('does not decide for the same content from elsewhere', async () => {
    const { url, asked } = await waiting();
    const abort = new AbortController();
    const slow = images.ensure(image(url), { signal: abort.signal });
    await asked;
    const file = join(folder, 'elsewhere');
    await writeFile(file, CONTENT);
    const other = images.ensure(image(pathToFileURL(file).href));
    abort.abort();
    await expect(slow).rejects.toMatchObject({ reason: 'Aborted' });
    await other;
    expect((await images.observe())[0]?.spec.url).toBe(pathToFileURL(file).href);
  });

  test('waits for its turn when enough others run, and can be given up meanwhile', async () => {
    images = rig.images({ limits: { ...defaultAgentLimits, imageFetchesAtOnce: 1 } });
    const { url, asked, go } = await waiting();
    const first = images.ensure(image(url));
    await asked;
    const other = Buffer.from('another image');
    const sha256 = createHash('sha256').update(other).digest('hex');
    const file = join(folder, 'other');
    await writeFile(file, other);
    const spec = { sha256 };
    const abort = new AbortController();
    const given = images.ensure(image('http://127.0.0.1:9/', { sha256: 'c'.repeat(64) }), { signal: abort.signal });
    const second = images.ensure(image(pathToFileURL(file).href, spec));
    abort.abort();
    await expect(given).rejects.toMatchObject({ reason: 'Aborted' });
    expect(await inCache()).toEqual([`${SHA256}.img.half`]);
    go();
    await Promise.all([first, second]);
    expect((await inCache()).sort()).toEqual([`${SHA256}.img`, `${sha256}.img`].sort());
  });
});
