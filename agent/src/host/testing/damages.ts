/** Ways in which a file of an agent's folders may be damaged, or be none of its own. */
import { spawnSync } from 'node:child_process';
import { chown, mkdir, mkdtemp, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';

const SOMEBODY_ELSES = join(tmpdir(), `plumb-somebody-elses-${process.pid}`);

/** A folder of its own for each test of the file; what links lead to is as it was after each. */
export function damagedFolder(): { path: string } {
  const folder = { path: '' };
  beforeEach(async () => {
    folder.path = await mkdtemp(join(tmpdir(), 'plumb-damaged-'));
    await writeFile(SOMEBODY_ELSES, 'precious');
  });
  afterEach(async () => {
    expect(await readFile(SOMEBODY_ELSES, 'utf8')).toBe('precious');
    await rm(SOMEBODY_ELSES);
    await rm(folder.path, { recursive: true });
  });
  return folder;
}

export type Damage = (path: string) => unknown;
export const rewrite = (change: (text: string) => string): Damage => {
  return async (path) => writeFile(path, change(await readFile(path, 'utf8').catch(() => '{"a":{"b":1}}')));
};
const instead = (make: Damage): Damage => {
  return async (path) => {
    await rm(path, { force: true });
    await make(path);
  };
};
const foreign: Damage = async (path) => {
  await writeFile(path, '', { flag: 'a' });
  await chown(path, 12_345, 12_345);
};
export const damages: [string, Damage][] = [
  ['emptied', rewrite(() => '')],
  ['cut', rewrite((text) => text.slice(0, text.length / 2))],
  ['of noise', (path) => writeFile(path, Buffer.alloc(5000, 0xff))],
  ['of wrong types', rewrite((text) => text.replaceAll(/:\s*("[^"]*"|\d+|\[\])/g, ':{"x":[null]}'))],
  ['a list', rewrite(() => '[]')],
  ['null', rewrite(() => 'null')],
  ['with an empty spec', rewrite(() => '{"owner":"one","spec":{}}')],
  ['with an owner that is none', rewrite((text) => text.replace(/"owner":"[^"]*"/, '"owner":"../x"'))],
  ['a folder', instead((path) => mkdir(path))],
  ['a folder with files', instead((path) => mkdir(join(path, 'more'), { recursive: true }))],
  ['a FIFO', instead((path) => void spawnSync('mkfifo', [path]))],
  ['a link to nowhere', instead((path) => symlink('/nowhere', path))],
  ['a link to a device', instead((path) => symlink('/dev/zero', path))],
  ['a link to itself', instead((path) => symlink(path, path))],
  ['a link to a file of somebody else', instead((path) => symlink(SOMEBODY_ELSES, path))],
  [
    'of 1 GB without content',
    instead(async (path) => {
      await writeFile(path, '');
      await truncate(path, 1e9);
    }),
  ],
  ...(process.getuid?.() === 0 ? [['of a foreign owner', foreign] satisfies [string, Damage]] : []),
];
