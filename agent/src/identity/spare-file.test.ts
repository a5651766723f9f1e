import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PrivateFiles, realFiles } from '@plumb/schemas/files/private-file.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withSpares } from './spare-file.ts';

let folder: string;
let path: string;
let isFull: boolean;
let files: PrivateFiles;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumb-spare-'));
  path = join(folder, 'host-1.json');
  isFull = false;
  files = withSpares({
    read: realFiles.read,
    async write(to, text) {
      if (isFull) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      await realFiles.write(to, text);
    },
  });
});
afterEach(() => rm(folder, { recursive: true }));

test('what finds no place is written into the spare one, again and again, and takes no further place', async () => {
  await files.write(path, 'term 1');
  isFull = true;
  const inodes = new Set<number>();
  for (let term = 2; term < 6; term++) {
    await files.write(path, `term ${term}`);
    expect(await files.read(path)).toBe(`term ${term}`);
    inodes.add((await stat(path)).ino);
    expect((await readdir(folder)).sort()).toEqual(['host-1.json', 'host-1.json.spare']);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  }
  expect(inodes.size).toBe(2);
  isFull = false;
  await files.write(path, 'term 6');
  expect([await readFile(path, 'utf8'), (await stat(`${path}.spare`)).size]).toEqual(['term 6', 4096]);
});

test('what is larger than the spare, or has none, fails as it did; the text of before stays', async () => {
  isFull = true;
  await expect(files.write(path, 'term 1')).rejects.toMatchObject({ code: 'ENOSPC' });
  isFull = false;
  await files.write(path, 'term 1');
  isFull = true;
  await expect(files.write(path, 'x'.repeat(5000))).rejects.toMatchObject({ code: 'ENOSPC' });
  expect(await files.read(path)).toBe('term 1');
});

test('another failure is not one of space', async () => {
  await files.write(path, 'term 1');
  const broken = withSpares({ read: realFiles.read, write: () => Promise.reject(new Error('EIO')) });
  await expect(broken.write(path, 'term 2')).rejects.toThrow('EIO');
  expect(await files.read(path)).toBe('term 1');
});
