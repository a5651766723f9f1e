/** Values that are no text: another program wrote into the store's file while no server ran. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { expect, test } from 'vitest';
import { keys } from './keys.ts';
import { SqliteStore } from './sqlite.ts';
import { STORE_FILE } from './sqlite-file.ts';

const KEY = keys.object('zones', undefined, 'wrong');
const WHOLE = keys.object('zones', undefined, 'whole');

test.for<[string, SQLInputValue, string]>([
  ['nothing', null, ''],
  ['bytes', Buffer.from([0xff, 0x00, 0x7b]), '\ufffd\0{'],
  ['a fraction', 1.5, '1.5'],
])(
  'a record that holds %s is read as text, can be replaced and deleted, and hides no other',
  async ([, cell, text], its) => {
    const folder = mkdtempSync(join(tmpdir(), 'plumb-cells-'));
    its.onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const before = SqliteStore.open(folder);
    const ops = [KEY, WHOLE].map((key) => ({ type: 'put' as const, key, value: '{}' }));
    const { revision } = await before.commit({ preconditions: [], ops });
    await before.close();
    const db = new DatabaseSync(join(folder, STORE_FILE));
    db.prepare('UPDATE versions SET value = ? WHERE key = ?').run(cell, KEY);
    db.close();

    const store = SqliteStore.open(folder);
    its.onTestFinished(() => store.close());
    const entry = { key: KEY, value: text, revision };
    expect(await store.get(KEY)).toEqual(entry);
    const { entries } = await store.list(keys.objects);
    expect(entries).toContainEqual(entry);
    expect(entries).toContainEqual({ key: WHOLE, value: '{}', revision });

    const preconditions = [{ key: KEY, revision }];
    await store.commit({ preconditions, ops: [{ type: 'put', key: KEY, value: '{"a":1}' }] });
    expect((await store.get(KEY))?.value).toBe('{"a":1}');
    await store.commit({ preconditions: [], ops: [{ type: 'delete', key: KEY }] });
    expect(await store.get(KEY)).toBeUndefined();
  },
);
