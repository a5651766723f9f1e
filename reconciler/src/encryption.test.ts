import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { KEY_FILE, openSealed } from './encryption.ts';
import { keys } from './store/keys.ts';
import { MemoryStore } from './store/memory.ts';

const KEY = keys.object('secrets', 'default', 'a');
const lines: string[] = [];
const log = (level: string, line: string) => void lines.push(`${level} ${line}`);
beforeEach(() => {
  lines.length = 0;
});

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'plumb-encryption-'));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

const write = { preconditions: [], ops: [{ type: 'put' as const, key: KEY, value: 'the text' }] };

test('without a key file the server makes one, for its owner alone, and uses it again', async () => {
  const [dataDir, disk] = [folder(), new MemoryStore()];
  await (await openSealed(disk, { dataDir, log })).commit(write);
  const file = join(dataDir, KEY_FILE);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const made = readFileSync(file, 'utf8');
  expect((await (await openSealed(disk, { dataDir, log })).get(KEY))!.value).toBe('the text');
  expect(readFileSync(file, 'utf8')).toBe(made);
  expect((await disk.get(KEY))!.value).not.toContain('the text');
  expect(lines).toEqual([]);
});

test('with a new first key everything is encrypted anew; without the old one it says what nobody can read', async () => {
  const [dataDir, disk] = [folder(), new MemoryStore()];
  await (await openSealed(disk, { dataDir, log })).commit(write);
  const keyFile = join(folder(), 'keys');
  const fresh = Buffer.alloc(32, 7).toString('base64');
  const old = readFileSync(join(dataDir, KEY_FILE), 'utf8');
  writeFileSync(keyFile, fresh, { mode: 0o600 });
  const blind = await openSealed(disk, { dataDir, keyFile, log });
  expect((await blind.get(KEY))!.value).toMatch(/^sealed:1:/);
  expect(lines[0]).toMatch(
    /^warn 1 secret records cannot be decrypted, as \/objects\/secrets\/default\/a: give the server/,
  );
  writeFileSync(keyFile, `${fresh}\n${old}`);
  expect((await (await openSealed(disk, { dataDir, keyFile, log })).get(KEY))!.value).toBe('the text');
  writeFileSync(keyFile, fresh);
  expect((await (await openSealed(disk, { dataDir, keyFile, log })).get(KEY))!.value).toBe('the text');
  expect(lines.slice(1)).toEqual(['info 1 secret records were encrypted with the first key of the key file']);
});

test('a key file that is named must be there; one that others may read is closed to them', async () => {
  const [dataDir, disk] = [folder(), new MemoryStore()];
  const keyFile = join(dataDir, 'mine');
  await expect(openSealed(disk, { dataDir, keyFile, log })).rejects.toMatchObject({ reason: 'NoKeyFile' });
  writeFileSync(keyFile, Buffer.alloc(32, 7).toString('base64'));
  chmodSync(keyFile, 0o644);
  await openSealed(disk, { dataDir, keyFile, log });
  expect(statSync(keyFile).mode & 0o777).toBe(0o600);
});
