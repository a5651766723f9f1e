/** Keys that cannot be written, and that another program wrote into the store's file: each is listed and can be deleted. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { runPlumb } from '@plumb/cli/testing/run.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiRig, startApiRig, V1 } from './api/testing/rig.ts';
import { type Rig, startRig } from './controllers/testing/rig.ts';
import { poisonedExtensions } from './extensions/poisoned.ts';
import { isKey } from './store/check.ts';
import { keys } from './store/keys.ts';
import { SqliteStore } from './store/sqlite.ts';
import { STORE_FILE } from './store/sqlite-file.ts';
import { MAX_BATCH_KEYS } from './store/store.ts';

const bytes = (...parts: (string | number[])[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));

const zone = (name: string) =>
  JSON.stringify({
    ...{ apiVersion: 'plumb.dev/v1', kind: 'Zone' },
    metadata: { name, uid: `uid-${name}`, generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: {},
  });

/** Key as SQLite has it, value. */
const odd: [string, SQLInputValue, string][] = [
  ['a control character', '/objects/zones//a\x01b', zone('a\x01b')],
  ['a line', '/objects/zones//a\nb', zone('a\nb')],
  ['a NUL', '/objects/zones//a\0b', zone('a\0b')],
  ['a NUL at the end', '/objects/zones//a\0', zone('a\0')],
  ['a blank', '/objects/zones//a b', zone('a b')],
  ['an escape', '/objects/zones//\x1b[31m', zone('\x1b[31m')],
  ['a delete', '/objects/zones//a\x7f', zone('a\x7f')],
  ['letters beyond ASCII', '/objects/zones//zürich', zone('zürich')],
  ['letters alone', '/objects/zones//é', zone('é')],
  ['half of a pair', bytes('/objects/zones//a', [0xed, 0xa0, 0x80]), zone('x')],
  ['bytes', bytes('/objects/zones//', [0xff, 0xfe, 0x00, 0x01]), '{'],
  ['no end', `/objects/zones//${'x'.repeat(100_000)}`, zone('x')],
  ['a little too much', `/objects/zones//${'x'.repeat(1_020)}`, zone('x')],
  ['a namespaced one', '/objects/instances/default/a\tb', '{}'],
  ['a namespace', '/objects/l3networks/de\x02fault/a', '{}'],
  ['a namespace where there is none', '/objects/l2networks/de\x02fault/a', '{}'],
  ['a flow', '/flows/a\x01b', '{'],
  ['a change', '/changesets/a\x01b', '{'],
  ['a credential', '/credentials/a\x01b', '{'],
];

let folder: string;
let store: SqliteStore;
let rig: Rig;
let api: ApiRig;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plumb-odd-'));
  const before = SqliteStore.open(folder);
  const { revision } = await before.commit({
    preconditions: [],
    ops: [{ type: 'put', key: keys.object('zones', undefined, 'home'), value: zone('home') }],
  });
  await before.close();
  const db = new DatabaseSync(join(folder, STORE_FILE));
  for (const [n, [, key, value]] of odd.entries()) {
    const id = (revision + 1) * MAX_BATCH_KEYS + n;
    // As text whose bytes are none, where they are bytes.
    const cell = typeof key === 'string' ? '?' : n % 2 === 0 ? '?' : 'CAST(? AS TEXT)';
    db.prepare(`INSERT INTO versions (id, key, value) VALUES (${id}, ${cell}, ?)`).run(key, value);
    db.prepare(`INSERT INTO entries (key, id, live) VALUES (${cell}, ${id}, 1)`).run(key);
  }
  db.close();
  store = SqliteStore.open(folder);
  rig = await startRig({ store });
  api = await startApiRig({ store, wrongs: rig.cache.poisoned, extensions: poisonedExtensions(rig.context) });
});
afterAll(async () => {
  await rig.stop();
  await api.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Listed {
  metadata: { name: string };
  object?: { kind: string; namespace?: string; name: string };
}
const listed = async (): Promise<Listed[]> => (await api.ask('GET', `${V1}/poisoned`)).body.items;
const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

test('each is listed under a name that can be printed, and deleted by it', async () => {
  const all = await listed();
  const names = all.map(({ metadata }) => metadata.name);
  expect(new Set(names).size).toBe(odd.length);
  for (const name of names) expect([name, isKey(name)]).toEqual([name, true]);
  expect(names).toContainEqual(expect.stringMatching(/^\/objects\/zones\/\/a%01b~[0-9a-f]{12}$/));
  expect(names).toContainEqual(expect.stringMatching(/^\/objects\/zones\/\/z%c3%bcrich~[0-9a-f]{12}$/));

  // What people and programs send.
  const [byHand, ...others] = all.filter(({ object }) => object?.kind === 'Zone');
  expect((await runPlumb(api, ['get', 'poisoned'])).out).toContain(byHand!.object!.name);
  expect((await runPlumb(api, ['get', 'zone', byHand!.object!.name])).out).toContain(byHand!.object!.name);
  const deleted = await runPlumb(api, ['delete', 'zone', byHand!.object!.name]);
  expect(deleted.code, deleted.err).toBe(0);
  for (const { object } of others) {
    const path = `${V1}/zones/${encodeURIComponent(object!.name)}`;
    expect((await api.ask('GET', path)).status).toBe(200);
    expect([path, (await api.ask('DELETE', path)).status]).toEqual([path, 200]);
  }
  for (const { metadata, object } of all) {
    if (object?.kind === 'Zone') continue;
    const path = object
      ? `${V1}/namespaces/${encodeURIComponent(object.namespace!)}/${object.kind.toLowerCase()}s/${encodeURIComponent(object.name)}`
      : `${V1}/poisoned/${encodeURIComponent(metadata.name)}`;
    expect([path, (await api.ask('DELETE', path)).status]).toEqual([path, 200]);
  }
  while ((await listed()).length > 0) await settle();
  const { entries } = await store.list('/objects/zones/');
  expect(entries.map(({ key }) => key)).toEqual([keys.object('zones', undefined, 'home')]);
});

test('opened again, nothing of them is left', async () => {
  await rig.stop();
  await store.close();
  const db = new DatabaseSync(join(folder, STORE_FILE), { readOnly: true });
  const { n } = db.prepare("SELECT count(*) AS n FROM entries WHERE live AND key LIKE '%~%'").get() as { n: number };
  db.close();
  expect(n).toBe(0);
});
