import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HostResource } from '@plumb/schemas';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Records } from './records.ts';

const seed: HostResource<'seed'> = {
  kind: 'seed',
  id: 'one.seed',
  owner: 'one',
  spec: { instanceId: 'one', hostname: 'web', sshKeys: ['ssh-ed25519 AAAA'] },
};
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumb-records-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function open(): Promise<Records<'seed'>> {
  const records = new Records(folder, 'seed');
  await records.open();
  return records;
}

test('what was put is there for the next process, until it is deleted', async () => {
  const records = await open();
  expect(await records.put(seed)).toBe(true);
  expect(await records.put(seed)).toBe(false);
  expect((await open()).list()).toEqual([seed]);
  await records.delete(seed.id);
  expect(records.get(seed.id)).toBeUndefined();
  expect((await open()).list()).toEqual([]);
});

test('a damaged record is passed over', async () => {
  await (await open()).put(seed);
  await writeFile(join(folder, 'things/seed/two.seed.json'), '{"owner": "tw');
  await writeFile(join(folder, 'things/seed/three.seed.json.half'), '{}');
  expect((await open()).list()).toEqual([seed]);
});

test.each(['../../etc/passwd', '', '.hidden', 'a/b', 'a b', 'a\n'])('the id %j never becomes a path', async (id) => {
  const records = await open();
  await expect(records.put({ ...seed, id })).rejects.toMatchObject({ reason: 'InvalidResource', retry: 'terminal' });
  await expect(records.delete(id)).rejects.toMatchObject({ reason: 'InvalidResource' });
  expect(await readdir(folder)).toEqual([]);
});
