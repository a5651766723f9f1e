import { copyFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HostResource } from '@plumb/schemas';
import { expect, onTestFinished, test } from 'vitest';
import type { Run } from '../host/command.ts';
import { Seeds } from './seeds.ts';

const TEXT = '#cloud-config\npassword: TOP-SECRET\n';
const self = { uid: process.getuid!(), gid: process.getgid!() };

/** In place of genisoimage: the image is the user data. */
const run: Run = async (_, [, , iso, ...rest]) => {
  await copyFile(join(rest.at(-1)!, 'user-data'), iso!);
  return '';
};

async function everyFile(folder: string): Promise<Map<string, string>> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return new Map(await Promise.all(files.map(async (file) => [file, await readFile(file, 'utf8')] as const)));
}

test('the text of a seed that is in a Secret is in its image alone: in no record, and in nothing that is told', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'plumb-seeds-'));
  onTestFinished(() => rm(dataDir, { recursive: true }));
  const seeds = new Seeds(dataDir, run, self);
  await seeds.open();
  const spec = { instanceId: 'o', hostname: 'web', sshKeys: [], userDataFrom: { secret: 'a/b', key: 'c', hash: 'h' } };
  const planned: HostResource<'seed'> = { kind: 'seed', id: 'o.seed', owner: 'o', spec };
  await expect(seeds.ensure(planned)).rejects.toMatchObject({ reason: 'InvalidResource' });
  const told = await seeds.ensure({ ...planned, spec: { ...spec, userData: TEXT } });
  expect(told).toEqual({ ...planned, drift: [] });
  expect(await seeds.observe()).toEqual([told]);
  const holders = [...(await everyFile(dataDir))]
    .filter(([, text]) => text.includes('TOP-SECRET'))
    .map(([file]) => file);
  expect(holders).toEqual([seeds.path('o.seed')]);
  // Commanded again, it is as it was; with another hash it is made anew.
  await seeds.ensure({ ...planned, spec: { ...spec, userData: 'not looked at' } });
  expect(await readFile(seeds.path('o.seed'), 'utf8')).toBe(TEXT);
  const next = { ...spec, userDataFrom: { ...spec.userDataFrom, hash: 'i' } };
  await seeds.ensure({ ...planned, spec: { ...next, userData: 'other' } });
  expect(await readFile(seeds.path('o.seed'), 'utf8')).toBe('other');
});
