import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { keys } from './keys.ts';
import { SqliteStore } from './sqlite.ts';
import { STORE_FILE } from './sqlite-file.ts';
import { inFull, shortened, WORDS } from './sqlite-words.ts';

const INSTANCE =
  '{"apiVersion":"plumb.dev/v1","kind":"Instance","metadata":{"name":"r-1","namespace":"default","uid":"01a22e8f-dc80-7dc6-9775-af7a74b5b08b","generation":1,"creationTimestamp":"2026-11-30T22:25:09Z","labels":{"made":"by-hand"},"finalizers":["plumb.dev/instance"],"managedFields":[{"manager":"unknown","operation":"Update","apiVersion":"plumb.dev/v1","time":"2026-11-30T22:25:09Z","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:labels":{".":{},"f:made":{}}},"f:spec":{".":{},"f:allowDataLoss":{},"f:driftPolicy":{},"f:image":{},"f:interfaces":{".":{},"k:{\\"name\\":\\"eth0\\"}":{".":{},"f:l3Network":{},"f:name":{}}},"f:offering":{},"f:power":{},"f:restartPolicy":{},"f:zone":{}}}}]},"spec":{"zone":"home","offering":"small","image":"tiny","interfaces":[{"name":"eth0","l3Network":"lab"}],"power":"Running","restartPolicy":"OnFailure","driftPolicy":"Repair","allowDataLoss":false},"status":{"host":"sim-0","power":"Running","cpus":1,"memoryMiB":128,"interfaces":[{"name":"eth0","l3Network":"default/lab","l3NetworkUid":"01a22e8f-d948-7672-8946-60bc383b22d7","macAddress":"02:7a:74:b5:b0:8b","addresses":["172.16.1.0"]}],"rootDisk":{"id":"01a22e8f-dc80-7dc6-9775-af7a74b5b08b.root","imageUid":"01a22e8f-d958-7c09-b0bc-41937396cd63","sha256":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","format":"qcow2"},"observedGeneration":1,"conditions":[{"type":"Ready","status":"True","reason":"Running","message":"runs on host sim-0 with 172.16.1.0","observedGeneration":1,"lastTransitionTime":"2026-11-30T22:25:09Z"}]}}';
// biome-ignore lint/suspicious/noControlCharactersInRegex: they stand for words in the file
const CONTROLS = /[\x00-\x1f]/;

test('an instance takes less than four tenths of its bytes', () => {
  const short = shortened(INSTANCE);
  expect(inFull(short)).toBe(INSTANCE);
  expect(short.length).toBeLessThan(0.4 * INSTANCE.length);
});

test('the words are part of the format of the file: they stay as they are; new ones go to the end, with a new format', () => {
  const sum = createHash('sha256').update(JSON.stringify(WORDS)).digest('hex');
  expect([WORDS.length, sum.slice(0, 16)]).toEqual([54, '11505aabbc41badd']);
  expect(WORDS.every((word) => word.startsWith('"') && word.length > 3)).toBe(true);
  expect(new Set(WORDS).size).toBe(WORDS.length);
  // A second character of a place can be printed.
  expect(WORDS.length).toBeLessThanOrEqual(17 + 94);
});

test('any text comes back as it was: objects, words in any order, cut off, and with control characters of its own', () => {
  const piece = fc.oneof(
    fc.constantFrom(...WORDS),
    fc.constantFrom(...WORDS).map((word) => word.slice(0, -1)),
    fc.string({ unit: 'binary', maxLength: 6 }),
    fc.constantFrom('\x0b', '\x0e', '\x1e', '\x1f', '\x1f!', '\x1f~', '"', '\\"', 'é', '{', '\u2028'),
  );
  const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(fc.boolean(), text, (isObject, rest) => {
      const whole = isObject ? `{"apiVersion":"${rest}` : rest;
      expect(inFull(shortened(whole))).toBe(whole);
    }),
    { numRuns: 2_000 },
  );
  fc.assert(
    fc.property(fc.json(), (json) => {
      const object = `{"apiVersion":"v1","spec":${json}}`;
      expect(inFull(shortened(object))).toBe(object);
    }),
  );
});

test('a file of the format before is read as it is, written in the new one, and refused by whoever knows only the old', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'plumb-words-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const key = (name: string) => keys.object('instances', 'default', name);
  const before = SqliteStore.open(folder);
  await before.commit({ preconditions: [], ops: [{ type: 'put', key: key('a'), value: '{}' }] });
  await before.close();
  const raw = () => new DatabaseSync(join(folder, STORE_FILE));
  const old = raw();
  old.prepare('UPDATE versions SET value = ?').run(INSTANCE);
  old.exec('PRAGMA user_version = 1');
  old.close();

  const store = SqliteStore.open(folder);
  expect((await store.get(key('a')))?.value).toBe(INSTANCE);
  const other = INSTANCE.replace('"r-1"', '"r-2"');
  await store.commit({ preconditions: [], ops: [{ type: 'put', key: key('b'), value: other }] });
  expect((await store.list(keys.objects)).entries.map(({ value }) => value)).toEqual([INSTANCE, other]);
  const seen: unknown[] = [];
  for await (const { changes } of store.watch(keys.objects, 1, AbortSignal.timeout(10_000))) {
    seen.push(...changes);
    break;
  }
  expect(seen).toMatchObject([{ key: key('b'), value: other }]);
  await store.close();

  const now = raw();
  const values = now.prepare('SELECT value FROM versions ORDER BY id').all() as { value: string }[];
  expect(values.map(({ value }) => CONTROLS.test(value))).toEqual([false, true]);
  expect(now.prepare('PRAGMA user_version').get()).toEqual({ user_version: 2 });
  now.exec('PRAGMA user_version = 3');
  now.close();
  expect(() => SqliteStore.open(folder)).toThrow(/it has format 3, and this version of Plumb reads format 2/);
});
