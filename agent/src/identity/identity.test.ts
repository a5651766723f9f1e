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

test('the term never goes down, and a forgotten credential does not take it along', async () => {
  const identity = await load();
  await identity.afterJoin();
  const { credential } = identity;
  await Promise.all([identity.raiseTerm(7), identity.raiseTerm(9), identity.raiseTerm(3)]);
  await identity.forgetCredential();
  const again = await load();
  expect([again.joined, again.highestTerm]).toEqual([false, 9]);
  expect(again.credential).not.toBe(credential);
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
