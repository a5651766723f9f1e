/** The real file of the embedded store, cut at every moment at which a power failure may leave it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteStore } from '@plumb/reconciler/store/sqlite.ts';
import { connect } from '@plumb/reconciler/store/sqlite-connection.ts';
import { openStoreFile, STORE_FILE } from '@plumb/reconciler/store/sqlite-file.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plumb-cut-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Synced {
  file: Buffer;
  log: Buffer;
  acknowledged: number;
}

/** What opens from the two files: how many of the writes, which must be the first ones, each whole. */
async function opened(file: Buffer, log: Buffer): Promise<number> {
  const copy = join(folder, 'copy');
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy);
  writeFileSync(join(copy, STORE_FILE), file);
  writeFileSync(join(copy, `${STORE_FILE}-wal`), log);
  const copied = openStoreFile(copy);
  const store = new SqliteStore(copied, { writing: connect(copied.path, 'writing') });
  try {
    const { entries } = await store.list('/w/');
    const twins = (await store.list('/twin/')).entries;
    expect(twins.map((e) => e.revision)).toEqual(entries.map((e) => e.revision));
    expect(entries.map((e) => e.key)).toEqual(entries.map((_, i) => key(i)));
    return entries.length;
  } finally {
    await store.close();
  }
}

const key = (n: number, prefix = '/w/') => `${prefix}${String(n).padStart(4, '0')}`;

test('lost acknowledged create', { timeout: 60_000 }, async () => {
  const dir = join(folder, 'store');
  const file = openStoreFile(dir);
  const writing = connect(file.path, 'writing');
  // Often enough that the log is folded into the file many times.
  writing.exec('PRAGMA wal_autocheckpoint = 12');
  const store = new SqliteStore(file, { writing });
  const synced: Synced[] = [];
  for (let n = 0; n < 60; n++) {
    const value = 'x'.repeat(200 + ((n * 977) % 3_000));
    const ops = [key(n), key(n, '/twin/')].map((k) => ({ type: 'put' as const, key: k, value }));
    await store.commit({ preconditions: [{ key: key(n), revision: 0 }], ops });
    const path = join(dir, STORE_FILE);
    synced.push({ file: readFileSync(path), log: readFileSync(`${path}-wal`), acknowledged: n + 1 });
  }
  for (const { file, log, acknowledged } of synced) expect(await opened(file, log)).toBe(acknowledged);

  // Between two syncs any part of what was appended may be there, and the rest not, or as rubbish.
  for (const [i, { file, log, acknowledged }] of synced.entries()) {
    const next = synced[i + 1];
    const appended =
      next?.file.equals(file) && next.log.length > log.length && next.log.subarray(0, log.length).equals(log);
    if (!next || !appended) continue;
    const more = next.log.length - log.length;
    for (const part of [1, 24, more >> 1, more - 1]) {
      const cut = next.log.subarray(0, log.length + part);
      expect(await opened(file, cut)).toBeGreaterThanOrEqual(acknowledged);
      const rubbish = Buffer.concat([cut, Buffer.alloc(more - part, 0xa5)]);
      expect(await opened(file, rubbish)).toBeGreaterThanOrEqual(acknowledged);
    }
  }
  await store.close();
});

test('acknowledged before it is durable', async () => {
  let confirm = () => {};
  const log = {
    sync(done: (error: Error | null) => void) {
      confirm = () => done(null);
    },
    syncNow() {},
    close() {},
  };
  const store = new SqliteStore(openStoreFile(join(folder, 'store')), { log });
  let told = false;
  const committed = store.commit({ preconditions: [], ops: [{ type: 'put', key: key(0), value: 'x' }] }).then(() => {
    told = true;
  });
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(told).toBe(false);
  confirm();
  await committed;
  await store.close();
});
