/** Records that say nonsense: each is named, counts as none, and hides no other. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { HostResource } from '@plumb/schemas';
import { defaultAgentLimits } from '@plumb/schemas/limits/agent.ts';
import { expect, test } from 'vitest';
import { bridge, port, subnet } from '../network/test-resources.ts';
import { Disks } from '../storage/disks.ts';
import { Images } from '../storage/images.ts';
import { Seeds } from '../storage/seeds.ts';
import type { Run } from './command.ts';
import { Records } from './records.ts';
import { damagedFolder, damages, rewrite } from './testing/damages.ts';

const folder = damagedFolder();
const user = { uid: process.getuid!(), gid: process.getgid!() };
const nothing: Run = () => Promise.reject(new Error('nothing is run here'));
const one = '10000000-0000-4000-8000-000000000001';
const examples: HostResource[] = [
  bridge,
  subnet,
  port,
  {
    kind: 'image',
    id: 'a'.repeat(64),
    owner: one,
    spec: { url: 'u', sha256: 'a'.repeat(64), format: 'raw', maxBytes: 9 },
  },
  { kind: 'disk', id: `${one}.root`, owner: one, spec: { image: 'a'.repeat(64), imageFormat: 'raw', sizeBytes: 512 } },
  { kind: 'seed', id: `${one}.seed`, owner: one, spec: { instanceId: one, hostname: 'web', sshKeys: [] } },
];

const otherOf = (resource: HostResource) => ({ ...resource, id: resource.id.replace(/1|a/, '2') }) as HostResource;

test.each(damages)(
  'a record of any kind that is %s is named, counts as none, and is written anew',
  async (_, damage) => {
    await Promise.all(
      examples.map(async (resource) => {
        const { kind } = resource;
        const other = otherOf(resource);
        const before = new Records(folder.path, kind);
        for (const each of [resource, other]) await before.put(each as never);
        const path = join(folder.path, `things/${kind}/${resource.id}.json`);
        await damage(path);
        const records = new Records(folder.path, kind);
        await records.open();
        expect(records.list()).toEqual([other]);
        expect(records.unreadable).toEqual([path]);
        await records.put(resource as never);
        expect(records.unreadable).toEqual([]);
        const after = new Records(folder.path, kind);
        await after.open();
        expect(new Set(after.list().map(({ id }) => id))).toEqual(new Set([other.id, resource.id]));
        await damage(path);
        const last = new Records(folder.path, kind);
        await last.open();
        await last.delete(resource.id);
        expect(await readdir(dirname(path))).not.toContain(`${resource.id}.json`);
      }),
    );
  },
);

test('of another version a record counts for what is known of it here', async () => {
  const records = new Records<'port'>(folder.path, 'port');
  await records.put(port);
  const path = join(folder.path, `things/port/${port.id}.json`);
  await rewrite((text) => text.replace('"spec":{', '"later":1,"spec":{"more":{"x":1},'))(path);
  const read = new Records<'port'>(folder.path, 'port');
  await read.open();
  expect(read.get(port.id)?.spec.macAddress).toBe(port.spec.macAddress);
});

test('a file in the place of a whole folder of records is named', async () => {
  await mkdir(join(folder.path, 'things'));
  for (const kind of ['port', 'disk'] as const) {
    await writeFile(join(folder.path, 'things', kind), '');
    const records = new Records(folder.path, kind);
    await records.open();
    expect([records.list(), records.unreadable]).toEqual([[], [join(folder.path, 'things', kind)]]);
  }
});

const images = () => new Images({ dataDir: folder.path, user, limits: defaultAgentLimits, open: nothing } as never);
test.each(damages)('storage with one record of each kind that is %s tells the others', async (_, damage) => {
  for (const resource of examples.slice(3)) {
    const records = new Records(folder.path, resource.kind);
    for (const id of [resource.id, otherOf(resource).id]) await records.put({ ...resource, id } as never);
    await damage(join(folder.path, `things/${resource.kind}/${resource.id}.json`));
  }
  const all = images();
  const disks = new Disks({ dataDir: folder.path, run: nothing, images: all, user, growLive: async () => false });
  const seeds = new Seeds(folder.path, nothing, user);
  for (const part of [all, disks, seeds]) {
    await part.open();
    expect(await part.observe()).toHaveLength(1);
    expect(part.unreadable).toHaveLength(1);
  }
});
