import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PlumbError } from '@plumb/schemas';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { del, failure, put } from './conformance.ts';
import { SqliteStore } from './sqlite.ts';
import { connect } from './sqlite-connection.ts';
import { openStoreFile } from './sqlite-file.ts';
import { BlockingLog, type DurableLog, SqliteLog } from './sqlite-log.ts';

/** A disk that takes as long as the test wants. */
class HeldLog implements DurableLog {
  readonly #waiting: ((error: Error | null) => void)[] = [];
  #asked: () => void = () => {};
  syncs = 0;

  sync(done: (error: Error | null) => void): void {
    this.syncs++;
    this.#waiting.push(done);
    this.#asked();
  }

  syncNow(): void {
    this.syncs++;
  }

  close(): void {}

  /** Resolves when the disk is waited for. */
  async asked(): Promise<void> {
    if (this.#waiting.length === 0)
      await new Promise<void>((resolve) => {
        this.#asked = resolve;
      });
  }

  release(error: Error | null = null): void {
    this.#waiting.shift()!(error);
  }
}

describe('what the disk has not confirmed', () => {
  let dir: string;
  let log: HeldLog;
  let store: SqliteStore;
  let broken: PlumbError[];
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'plumb-durable-'));
    log = new HeldLog();
    broken = [];
    store = new SqliteStore(openStoreFile(dir), { log, onBroken: (error) => broken.push(error) });
    const first = store.commit({ preconditions: [], ops: [put('/a', '1'), put('/b', '1')] });
    await log.asked();
    log.release();
    await first;
  });
  afterEach(async () => {
    await store.close();
    rmSync(dir, { recursive: true });
  });

  test('is not acknowledged, shown or counted, though later commits may build on it', async () => {
    const watch = store.watch('/', 1, AbortSignal.timeout(60_000))[Symbol.asyncIterator]();
    const late = store.watch('/', 0, AbortSignal.timeout(60_000))[Symbol.asyncIterator]();
    const told: string[] = [];
    const note = (what: string) => () => void told.push(what);
    let applied = 0;
    const committed = store.commit({ preconditions: [], ops: [put('/a', '2'), del('/b'), put('/c', '1')] }, (at) => {
      applied = at;
    });
    const conflict = store.commit({ preconditions: [{ key: '/c', revision: 0 }], ops: [put('/c', '2')] });
    void committed.then(note('commit'));
    conflict.catch(note('conflict'));
    await log.asked();
    expect(applied).toBe(2);

    void watch.next().then(note('watch'));
    const changed = store.get('/a');
    const deleted = store.get('/b');
    const listed = store.list('/');
    void changed.then(note('get'));
    void deleted.then(note('get of what is deleted'));
    void listed.then(note('list'));
    expect((await late.next()).value.revision).toBe(1);
    void late.next().then(note('late watch'));
    const next = store.commit({ preconditions: [{ key: '/a', revision: applied }], ops: [put('/a', '3')] });
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(told).toEqual([]);
    expect(store.revision()).toBe(1);
    expect((await store.list('/', { revision: 1 })).entries.map((entry) => entry.value)).toEqual(['1', '1']);

    log.release();
    expect(await committed).toEqual({ revision: 2 });
    expect([(await changed)?.value, await deleted, (await listed).revision]).toEqual(['2', undefined, 2]);
    expect(store.revision()).toBe(2);
    await log.asked();
    // The conflict came after somebody who waited for a revision: it is of the next group.
    expect(told.toSorted()).toEqual(
      ['commit', 'get', 'get of what is deleted', 'late watch', 'list', 'watch'].toSorted(),
    );
    log.release();
    expect((await next).revision).toBe(3);
    expect((await failure(conflict)).reason).toBe('Conflict');
  });

  test('shares one wait with everything that arrived meanwhile', async () => {
    const before = log.syncs;
    const first = store.commit({ preconditions: [], ops: [put('/x', '1')] });
    await log.asked();
    const more = Array.from({ length: 50 }, (_, i) => store.commit({ preconditions: [], ops: [put(`/m${i}`, '1')] }));
    log.release();
    await first;
    await log.asked();
    log.release();
    await Promise.all(more);
    expect(log.syncs - before).toBe(2);
  });

  test('is refused when the disk fails, and so is all that follows, until the store is opened again', async () => {
    const lost = store.commit({ preconditions: [], ops: [put('/a', '2')] });
    await log.asked();
    const reader = store.get('/a');
    const queued = store.commit({ preconditions: [], ops: [put('/d', '1')] });
    log.release(new Error('the disk is gone'));
    for (const attempt of [lost, reader, queued, store.commit({ preconditions: [], ops: [] }), store.get('/a')]) {
      const error = await failure(attempt);
      expect([error.reason, error.retry]).toEqual(['StoreUnavailable', 'retry']);
      expect(error.message).toContain('the disk is gone');
    }
    expect(broken).toHaveLength(1);
    expect(store.revision()).toBe(1);
    expect(store.stats().failures).toBe(2);
  });

  test('is waited for when the store is closed', async () => {
    const commits = ['/x', '/y'].map((key) => store.commit({ preconditions: [], ops: [put(key, '1')] }));
    const [first] = commits;
    await log.asked();
    const more = store.commit({ preconditions: [], ops: [put('/z', '1')] });
    await store.close();
    expect((await Promise.all([...commits, more])).map((c) => c.revision)).toEqual([2, 3, 4]);
    await first;
    const again = SqliteStore.open(dir);
    expect((await again.list('/')).entries.map((entry) => entry.key)).toEqual(['/a', '/b', '/x', '/y', '/z']);
    await again.close();
  });
});

test('the log of the file is the one that SQLite writes to', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'plumb-durable-'));
  const file = openStoreFile(dir);
  const db = connect(file.path, 'writing');
  for (const log of [new SqliteLog(db), new BlockingLog(db)]) {
    db.exec("INSERT OR REPLACE INTO entries VALUES ('/a', 1, 1)");
    log.syncNow();
    await new Promise<void>((resolve, reject) => log.sync((error) => (error ? reject(error) : resolve())));
    log.close();
  }
  file.reading.close();
  db.close();
  file.release();
  rmSync(dir, { recursive: true });
});
