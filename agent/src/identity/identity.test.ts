import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realAmbient } from '@plumb/schemas';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Identity } from './identity.ts';

const { ids } = realAmbient();
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumb-identity-'));
});
afterEach(() => rm(folder, { recursive: true }));

const load = (host = 'host-1') => Identity.load(folder, host, ids);

test('nothing is written before a host wants to join; what is written is for its owner only', async () => {
  const identity = await load();
  expect(await readdir(folder)).toEqual([]);
  await identity.beforeJoin();
  expect(await readdir(join(folder, 'hosts'))).toEqual(['host-1.json']);
  expect((await stat(join(folder, 'hosts/host-1.json'))).mode & 0o777).toBe(0o600);
});

test('what was kept is found again', async () => {
  const identity = await load();
  await identity.beforeJoin();
  expect((await load()).joined).toBe(false);
  await identity.afterJoin();
  await identity.raiseTerm(7);
  const again = await load();
  expect([again.credential, again.joined, again.highestTerm]).toEqual([identity.credential, true, 7]);
  expect(again.credentialSha256).toBe(createHash('sha256').update(identity.credential).digest('hex'));
});

test('the term never goes down, and a credential that is not known is not thrown away', async () => {
  const identity = await load();
  await identity.afterJoin();
  const { credential } = identity;
  await Promise.all([identity.raiseTerm(7), identity.raiseTerm(9), identity.raiseTerm(3)]);
  identity.unknown();
  expect(identity.joined).toBe(false);
  await identity.beforeJoin();
  const again = await load();
  expect([again.joined, again.highestTerm, again.credential]).toEqual([false, 9, credential]);
});

test('every control plane has a credential and a term of its own, and finds them again', async () => {
  const identity = await load();
  identity.serve(['first']);
  await identity.afterJoin();
  await identity.raiseTerm(9);
  const { credential } = identity;
  const second = await load();
  second.serve(['second']);
  expect(second.credential).not.toBe(credential);
  expect([second.joined, second.highestTerm]).toEqual([false, 0]);
  await second.beforeJoin();
  await second.raiseTerm(2 ** 50);
  const back = await load();
  back.serve(['first']);
  expect([back.credential, back.joined, back.highestTerm]).toEqual([credential, true, 9]);
  await back.raiseTerm(10);
  const there = await load();
  there.serve(['second']);
  expect([there.credential, there.highestTerm]).toEqual([second.credential, 2 ** 50]);
});

test('a control plane whose authority was replaced is the same', async () => {
  const identity = await load();
  identity.serve(['first']);
  await identity.afterJoin();
  const { credential } = identity;
  identity.serve(['later', 'first']);
  await identity.raiseTerm(3);
  const again = await load();
  again.serve(['later']);
  expect([again.credential, again.joined]).toEqual([credential, true]);
});

test('what a version kept that wrote no authority down is for the one that was heard last', async () => {
  await (await load()).afterJoin();
  const path = join(folder, 'hosts/host-1.json');
  const { credential } = JSON.parse(await readFile(path, 'utf8'));
  const old = `${JSON.stringify({ credential, joined: true, highestTerm: 4 })}\n`;
  await writeFile(path, old, { mode: 0o600 });
  const elsewhere = await Identity.load(folder, 'host-1', ids, undefined, 'first');
  elsewhere.serve(['second']);
  expect(elsewhere.credential).not.toBe(credential);
  const unheard = await load();
  unheard.serve(['first']);
  expect([unheard.credential, unheard.joined, unheard.highestTerm]).toEqual([credential, true, 4]);
  // The version before reads what this one writes.
  await unheard.raiseTerm(5);
  expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ credential, joined: true, highestTerm: 5 });
});

test('not more control planes are remembered than any host meets', async () => {
  const identity = await load();
  for (let n = 0; n < 100; n++) {
    identity.serve([`pin ${n}`]);
    await identity.raiseTerm(n + 1);
  }
  expect(JSON.parse(await readFile(join(folder, 'hosts/host-1.json'), 'utf8')).others).toHaveLength(16);
});

test('a term that could not be kept is not taken for kept', async () => {
  const identity = await load();
  await writeFile(join(folder, 'hosts'), 'in the way');
  await expect(identity.raiseTerm(2)).rejects.toThrow();
  await expect(identity.raiseTerm(2)).rejects.toThrow();
  await rm(join(folder, 'hosts'));
  await identity.raiseTerm(2);
  expect((await load()).highestTerm).toBe(2);
});

test.each(['', '{', '{}', '{"credential":"x","joined":true,"highestTerm":1}', 'null'])(
  'a damaged file is named and not replaced: %j',
  async (text) => {
    await (await load()).beforeJoin();
    const path = join(folder, 'hosts/host-1.json');
    await writeFile(path, text);
    await expect(load()).rejects.toMatchObject({ reason: 'InvalidIdentity', retry: 'terminal' });
    await expect(load()).rejects.toThrow(path);
    expect(await readFile(path, 'utf8')).toBe(text);
  },
);

test('a file that cannot be read is not taken for none', async () => {
  await (await load()).beforeJoin();
  const path = join(folder, 'hosts/host-1.json');
  await rm(path);
  await mkdir(path);
  await expect(load()).rejects.toMatchObject({ reason: 'FileUnreadable' });
});

test.each(['', '..', 'a/b', 'UPPER', '-x'])('%j is not a host name', async (host) => {
  await expect(load(host)).rejects.toMatchObject({ reason: 'InvalidHostName' });
});
