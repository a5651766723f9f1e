/** What else lies in the agent's data folder: a file that is none must not hide everything that lives on the host. */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultAgentLimits } from '@plumb/schemas/limits/agent.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Records } from '../host/records.ts';
import { Disks } from './disks.ts';
import { Images } from './images.ts';
import { Seeds } from './seeds.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumb-odd-'));
});
afterEach(() => rm(folder, { recursive: true }));

const user = { uid: process.getuid!(), gid: process.getgid!() };
const run = () => Promise.reject(new Error('nothing is run here'));
const fifo = (path: string) => void spawnSync('mkfifo', [path]);

const odd: [string, (path: string) => unknown][] = [
  ['a folder', (path) => mkdir(path)],
  ['a FIFO', fifo],
  ['a link to nowhere', (path) => symlink('/nowhere', path)],
  ['a link to a device', (path) => symlink('/dev/zero', path)],
  ['a link to itself', (path) => symlink(path, path)],
  ['an empty file', (path) => writeFile(path, '')],
  ['noise', (path) => writeFile(path, Buffer.alloc(5000, 0xff))],
];

const images = () =>
  new Images({
    dataDir: folder,
    user,
    limits: defaultAgentLimits,
    open: () => Promise.reject(new Error('none')),
  } as never);

describe.each(odd)('%s', (_, make) => {
  test('among disks hides no other, whether it is on record or not', async () => {
    await mkdir(join(folder, 'disks'), { recursive: true });
    for (const id of ['known.root', 'unknown.root']) await make(join(folder, 'disks', `${id}.qcow2`));
    const records = new Records(folder, 'disk');
    for (const id of ['known.root', 'gone.root'])
      await records.put({ kind: 'disk', id, owner: 'known', spec: { image: 'a', imageFormat: 'raw' } });
    const disks = new Disks({ dataDir: folder, run, images: images(), user, growLive: async () => false });
    await disks.open();
    const found = await disks.observe();
    expect(found.map(({ id }) => id).sort()).toEqual(['gone.root', 'known.root']);
    for (const { drift } of found) expect(drift).toHaveLength(1);
    // Nor is it overwritten: it may be a disk that was damaged or moved away.
    await mkdir(join(folder, 'images'), { recursive: true });
    await writeFile(join(folder, 'images/a.img'), Buffer.alloc(512));
    for (const id of ['known.root', 'unknown.root'])
      await expect(
        disks.ensure({ kind: 'disk', id, owner: 'known', spec: { image: 'a', imageFormat: 'raw' } }),
      ).rejects.toMatchObject({ reason: 'DataLoss', retry: 'terminal' });
  }, 5000);

  test('among images stops nothing', async () => {
    await mkdir(join(folder, 'images'), { recursive: true });
    await make(join(folder, 'images', 'x.img'));
    await make(join(folder, 'images', 'x.img.half'));
    const all = images();
    await all.open();
    for (const { drift } of await all.observe()) expect(drift).toHaveLength(1);
  }, 5000);

  test('among records stops nothing', async () => {
    await mkdir(join(folder, 'things/disk'), { recursive: true });
    await make(join(folder, 'things/disk/x.json'));
    const records = new Records(folder, 'disk');
    await records.open();
    expect(records.list()).toEqual([]);
  }, 5000);

  test('among seeds stops nothing', async () => {
    await mkdir(join(folder, 'seeds'), { recursive: true });
    await make(join(folder, 'seeds/making-1'));
    const seeds = new Seeds(folder, run, user);
    await seeds.open();
    expect(await seeds.observe()).toEqual([]);
  }, 5000);
});

test.each(['{"owner":"a","spec":null}', '{"owner":"a","spec":[]}', '[]', 'null', '{"owner":5,"spec":{}}'])(
  'the record %s is passed over',
  async (text) => {
    await mkdir(join(folder, 'things/disk'), { recursive: true });
    await writeFile(join(folder, 'things/disk/a.root.json'), text);
    const disks = new Disks({ dataDir: folder, run, images: images(), user, growLive: async () => false });
    await disks.open();
    expect(await disks.observe()).toEqual([]);
  },
);
