import { link, mkdir, mkdtemp, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { refused } from './failures.ts';
import { findFolder, openFile } from './open-file.ts';

let root: string;
let folder: string;
let outside: string;
const servers: Server[] = [];

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'plumb-file-')));
  folder = join(root, 'images');
  outside = join(root, 'secret');
  await mkdir(join(folder, 'deep/er'), { recursive: true });
  await writeFile(join(folder, 'a b.img'), 'an image');
  await writeFile(join(folder, 'deep/er/c.img'), 'another');
  await mkdir(outside);
  await writeFile(join(outside, 'shadow'), 'a secret');
});
afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  await rm(root, { recursive: true });
});

const urlOf = (path: string) => pathToFileURL(path).href;

async function read(url: string, dataDir?: string): Promise<string> {
  const { handle, stats } = await openFile(url, [await findFolder(folder)], dataDir);
  try {
    const text = await handle.readFile('utf8');
    expect(stats.size).toBe(text.length);
    return text;
  } finally {
    await handle.close();
  }
}

test('a file below the folder is read, also through links that stay there', async () => {
  await symlink('deep/er/c.img', join(folder, 'latest'));
  await symlink('deep', join(folder, 'short'));
  expect(await read(urlOf(join(folder, 'a b.img')))).toBe('an image');
  expect(await read(urlOf(join(folder, 'deep/er/c.img')))).toBe('another');
  expect(await read(urlOf(join(folder, 'latest')))).toBe('another');
  expect(await read(urlOf(join(folder, 'short/er/c.img')))).toBe('another');
});

test('the folder may be named by a link', async () => {
  const named = join(root, 'named');
  await symlink(folder, named);
  for (const path of [join(named, 'a b.img'), join(folder, 'a b.img')]) {
    const { handle } = await openFile(urlOf(path), [await findFolder(named)]);
    expect(await handle.readFile('utf8')).toBe('an image');
    await handle.close();
  }
});

describe('in the same words, whatever is there', () => {
  test.each<[string, () => Promise<string> | string]>([
    ['a file outside', () => urlOf(join(outside, 'shadow'))],
    ['nothing outside', () => urlOf(join(outside, 'nothing'))],
    ['the folder itself', () => urlOf(folder)],
    ['a neighbour with a longer name', () => urlOf(`${folder}-other/x`)],
    ['the way up', () => `${urlOf(folder)}/../secret/shadow`],
    ['the way up, encoded', () => `${urlOf(folder)}/%2e%2e/secret/shadow`],
    ['a separator in a name', () => `${urlOf(folder)}/..%2fsecret%2fshadow`],
    ['a NUL', () => `${urlOf(folder)}/a%00b`],
    ['another host', () => 'file://other/images/a'],
    ['a device', () => 'file:///dev/zero'],
    ['the kernel', () => 'file:///proc/kmsg'],
    ['its own memory', () => 'file:///proc/self/environ'],
    [
      'a link out of it',
      async () => {
        await symlink(join(outside, 'shadow'), join(folder, 'out'));
        return urlOf(join(folder, 'out'));
      },
    ],
    [
      'a link to nothing',
      async () => {
        await symlink(join(outside, 'nothing'), join(folder, 'out'));
        return urlOf(join(folder, 'out'));
      },
    ],
    [
      'a link to itself',
      async () => {
        await symlink('round', join(folder, 'round'));
        return urlOf(join(folder, 'round'));
      },
    ],
    [
      'a file behind a linked folder',
      async () => {
        await symlink(outside, join(folder, 'out'));
        return urlOf(join(folder, 'out/shadow'));
      },
    ],
    [
      'nothing behind a linked folder',
      async () => {
        await symlink(outside, join(folder, 'out'));
        return urlOf(join(folder, 'out/nothing'));
      },
    ],
    [
      'a way out and in again',
      async () => {
        await symlink(outside, join(folder, 'out'));
        await symlink(folder, join(outside, 'in'));
        return urlOf(join(folder, 'out/in/a b.img'));
      },
    ],
  ])('%s is refused', async (_what, make) => {
    const url = await make();
    await expect(read(url)).rejects.toMatchObject({ reason: 'ImageSourceRefused', message: refused(url).message });
  });
});

test('the data folder of the agent is refused, also below a folder of images', async () => {
  const dataDir = join(folder, 'deep');
  await expect(read(urlOf(join(dataDir, 'er/c.img')), dataDir)).rejects.toMatchObject({ reason: 'ImageSourceRefused' });
  expect(await read(urlOf(join(folder, 'a b.img')), dataDir)).toBe('an image');
});

test.each<[string, () => Promise<string>, RegExp]>([
  ['nothing', async () => join(folder, 'nothing'), /check the URL/],
  ['a file taken for a folder', async () => join(folder, 'a b.img/x'), /check the URL/],
  ['a folder', async () => join(folder, 'deep'), /not a file/],
  ['a name that is too long', async () => join(folder, 'x'.repeat(300)), /too long/],
  [
    'a socket, which it does not wait for',
    async () => {
      const server = createServer().listen(join(folder, 's'));
      servers.push(server);
      await new Promise((resolve) => server.once('listening', resolve));
      return join(folder, 's');
    },
    /not a file/,
  ],
])('below the folder, %s is not found', async (_what, make, says) => {
  const failure = read(urlOf(await make()));
  await expect(failure).rejects.toMatchObject({ reason: 'ImageNotFound', retry: 'terminal' });
  await expect(failure).rejects.toThrow(says);
});

test('what is not on a disk is no image, even where the operator names the whole machine', async () => {
  const all = [await findFolder('/')];
  await expect(openFile('file:///proc/kmsg', all)).rejects.toMatchObject({ reason: 'ImageNotFound' });
  await expect(openFile('file:///proc/self/environ', all)).rejects.toMatchObject({ reason: 'ImageNotFound' });
  await expect(openFile('file:///sys/power/state', all)).rejects.toMatchObject({ reason: 'ImageNotFound' });
  await expect(openFile('file:///dev/zero', all)).rejects.toMatchObject({ reason: 'ImageNotFound' });
});

test('a file that is swapped for a link while it is opened is never the file outside', async () => {
  const victim = join(folder, 'swapped');
  const spare = join(root, 'spare');
  await link(join(folder, 'a b.img'), victim);
  await symlink(join(outside, 'shadow'), spare);
  let swapping = true;
  const swap = (async () => {
    // Renaming in turns, so that at any moment one of the two has the name.
    for (let turn = 0; swapping; turn++) {
      const good = join(root, `good-${turn}`);
      await link(join(folder, 'a b.img'), good);
      await rename(good, victim);
      await symlink(join(outside, 'shadow'), `${spare}-${turn}`);
      await rename(`${spare}-${turn}`, victim);
    }
  })();
  const seen = { good: 0, refused: 0 };
  for (let turn = 0; turn < 300 || (turn < 30_000 && !(seen.good && seen.refused)); turn++) {
    const text = await read(urlOf(victim)).catch((error) => {
      expect(error.reason).toBe('ImageSourceRefused');
      return undefined;
    });
    if (text === undefined) seen.refused++;
    else {
      expect(text).toBe('an image');
      seen.good++;
    }
  }
  swapping = false;
  await swap;
  expect(seen.good).toBeGreaterThan(0);
  expect(seen.refused).toBeGreaterThan(0);
});
