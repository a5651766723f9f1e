import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { realAmbient } from '@plumb/schemas';
import { findUser } from '@plumb/schemas/sources/users.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { refused } from './failures.ts';
import { Fetcher, type FetcherOptions } from './fetcher.ts';

const asRoot = process.getuid?.() === 0;
const never = new AbortController().signal;

let folder: string;
let images: string;
let fetcher: Fetcher;
let log: string[];
const servers: Server[] = [];

beforeEach(async () => {
  // Only its owner may pass the outer one: what the process may read, it reaches by the descriptor that it was given.
  folder = await mkdtemp(join(tmpdir(), 'plumb-fetcher-'));
  images = join(folder, 'images');
  await mkdir(images, { mode: 0o755 });
  await chmod(images, 0o755);
  log = [];
  fetcher = withFetcher();
});
afterEach(async () => {
  fetcher.close();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  await rm(folder, { recursive: true });
});

function withFetcher(options: Partial<FetcherOptions> = {}): Fetcher {
  return new Fetcher({
    rules: { folders: [images], sources: ['127.0.0.1'], dataDir: join(folder, 'data') },
    user: () => findUser('nobody'),
    clock: realAmbient().clock,
    log: (line) => log.push(line),
    ...options,
  });
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

async function fetchAll(url: string, signal = never): Promise<{ bytes: number | undefined; sha256: string }> {
  const source = await fetcher.open(url, signal);
  try {
    const hash = createHash('sha256');
    for await (const chunk of source.chunks) hash.update(chunk);
    return { bytes: source.bytes, sha256: hash.digest('hex') };
  } finally {
    source.close();
  }
}

/** The process id that the server sees at the other end, by the kernel's list of sockets. */
async function processOf(port: number): Promise<number> {
  const inode = (await readFile('/proc/net/tcp', 'utf8'))
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find(([, local]) => Number.parseInt(local?.split(':')[1] ?? '', 16) === port)?.[9];
  const { readdir, readlink } = await import('node:fs/promises');
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name)))
    for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => []))
      if ((await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')) === `socket:[${inode}]`) return Number(pid);
  throw new Error(`nobody has port ${port}`);
}

test('a large image comes whole, and so do others at the same time', async () => {
  const contents = [randomBytes(5_000_000), randomBytes(1), randomBytes(300_000)];
  const urls = await Promise.all(contents.map((content) => serve((_request, response) => response.end(content))));
  const fetched = await Promise.all(urls.map((url) => fetchAll(url)));
  const sums = contents.map((content) => createHash('sha256').update(content).digest('hex'));
  expect(fetched.map(({ sha256 }) => sha256)).toEqual(sums);
  expect(fetched.map(({ bytes }) => bytes)).toEqual(contents.map(({ length }) => length));
});

test('who connects is not root, has no group, and can gain no right', async () => {
  const seen = Promise.withResolvers<number>();
  const url = await serve((request, response) => {
    processOf(request.socket.remotePort!).then(seen.resolve, seen.reject);
    void seen.promise.finally(() => response.end('an image')).catch(() => {});
  });
  const fetching = fetchAll(url);
  const pid = await seen.promise;
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  await fetching;
  expect(pid).not.toBe(process.pid);
  // It may have ended by now where it is slow; it cannot, since it is kept for a while.
  expect(status).toMatch(/^NoNewPrivs:\s1$/m);
  expect(status).toMatch(/^CapPrm:\s0+$/m);
  expect(status).toMatch(/^CapEff:\s0+$/m);
  if (!asRoot) return;
  const nobody = await findUser('nobody');
  const four = (id: number) => Array(4).fill(id).join('\t');
  expect(status).toContain(`Uid:\t${four(nobody!.uid)}`);
  expect(status).toContain(`Gid:\t${four(nobody!.gid)}`);
  expect(status).toMatch(/^Groups:\s*$/m);
});

describe('files', () => {
  test('below the folder are read, though its parents are closed', async () => {
    const file = join(images, 'a.img');
    await writeFile(file, 'an image', { mode: 0o644 });
    const sha256 = createHash('sha256').update('an image').digest('hex');
    expect(await fetchAll(pathToFileURL(file).href)).toEqual({ bytes: 8, sha256 });
  });

  test('elsewhere are refused', async () => {
    const url = pathToFileURL(join(folder, 'x')).href;
    await expect(fetchAll(url)).rejects.toMatchObject({ reason: 'ImageSourceRefused', message: refused(url).message });
  });

  test.runIf(asRoot)('that only root may read are not read by root', async () => {
    const file = join(images, 'private.img');
    await writeFile(file, 'a secret', { mode: 0o600 });
    const failure = fetchAll(pathToFileURL(file).href);
    await expect(failure).rejects.toMatchObject({ reason: 'ImageNotFound', retry: 'terminal' });
    await expect(failure).rejects.toThrow(/may not read it: make the file and its folders readable/);
  });
});

test.runIf(asRoot)('without its user nothing is fetched, and it is said how to make it', async () => {
  for (const user of [undefined, { name: 'plumb-fetch', uid: 0, gid: 0 }, { name: 'plumb-fetch', uid: 1000, gid: 0 }]) {
    fetcher = withFetcher({ user: async () => user });
    const failure = fetchAll('http://127.0.0.1:9/');
    await expect(failure).rejects.toMatchObject({ reason: 'FetchUserMissing', retry: 'terminal' });
    await expect(failure).rejects.toThrow(/useradd --system .* plumb-fetch$/);
  }
});

test('what it says of a source is passed on', async () => {
  const url = await serve((_request, response) => response.writeHead(404).end());
  await expect(fetchAll(url)).rejects.toMatchObject({ reason: 'ImageNotFound', retry: 'terminal' });
});

test('a fetch that is given up ends at the server, and the others go on', async () => {
  const [begun, closed, go] = [0, 1, 2].map(() => Promise.withResolvers<void>());
  const slow = await serve((request, response) => {
    request.socket.on('close', () => closed!.resolve());
    response.write('x', () => begun!.resolve());
  });
  const other = await serve((_request, response) => {
    response.write('an ');
    void go!.promise.then(() => response.end('image'));
  });
  const abort = new AbortController();
  const given = fetchAll(slow, abort.signal);
  const going = fetchAll(other);
  await begun!.promise;
  abort.abort(new Error('no more'));
  await expect(given).rejects.toThrow('no more');
  await closed!.promise;
  go!.resolve();
  expect((await going).sha256).toBe(createHash('sha256').update('an image').digest('hex'));
});

test('no more is taken from a server than the agent has room for', async () => {
  let sent = 0;
  const stopped = Promise.withResolvers<void>();
  const url = await serve((_request, response) => {
    const more = () => {
      sent += 65_536;
      if (sent >= 64 * 1024 ** 2) return response.end();
      if (response.write(Buffer.alloc(65_536))) setImmediate(more);
      else response.once('drain', more);
      return response;
    };
    more();
  });
  const source = await fetcher.open(url, never);
  try {
    const iterator = source.chunks[Symbol.asyncIterator]();
    await iterator.next();
    // Until nothing more is taken: what was sent stays the same while the event loop turns.
    let last = -1;
    for (let same = 0; same < 20; ) {
      await new Promise((resolve) => setTimeout(resolve, 25));
      same = sent === last ? same + 1 : 0;
      last = sent;
    }
    stopped.resolve();
    expect(sent).toBeLessThan(32 * 1024 ** 2);
  } finally {
    source.close();
  }
});

test('a process that dies ends its fetches, and the next one has another', async () => {
  const pids: number[] = [];
  const url = await serve(async (request, response) => {
    const pid = await processOf(request.socket.remotePort!);
    pids.push(pid);
    if (pids.length === 1) process.kill(pid, 'SIGKILL');
    else response.end('an image');
  });
  await expect(fetchAll(url)).rejects.toMatchObject({ reason: 'ImageUnavailable', retry: 'retry' });
  expect(log.join()).toMatch(/it ended \(SIGKILL\)/);
  await fetchAll(url);
  expect(new Set(pids).size).toBe(2);
});

test('a process without a fetch is kept for a while, and then ends', async () => {
  const waits: { ms: number; run: () => void }[] = [];
  const clock = {
    now: () => 0,
    after(ms: number, run: () => void) {
      const wait = { ms, run };
      waits.push(wait);
      return () => void waits.splice(waits.indexOf(wait), 1);
    },
  };
  fetcher = withFetcher({ clock });
  const pids: number[] = [];
  const url = await serve(async (request, response) => {
    pids.push(await processOf(request.socket.remotePort!));
    response.end('an image');
  });
  await fetchAll(url);
  await fetchAll(url);
  expect(waits.map(({ ms }) => ms)).toEqual([30_000]);
  waits[0]!.run();
  await fetchAll(url);
  expect(pids[0]).toBe(pids[1]);
  expect(pids[2]).not.toBe(pids[0]);
});
