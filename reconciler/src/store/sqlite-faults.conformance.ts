import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { del, failure, put } from './conformance.ts';
import { SqliteStore } from './sqlite.ts';
import { connect } from './sqlite-connection.ts';
import { openStoreFile, STORE_FILE } from './sqlite-file.ts';

describe('sqlite store under faults', () => {
  let dir: string;
  let children: ChildProcess[];
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'plumb-store-'));
    children = [];
  });
  afterEach(async () => {
    for (const child of children) await end(child);
    rmSync(dir, { recursive: true });
  });

  test('killed in the middle of commits, it has every acknowledged commit, whole', { timeout: 60_000 }, async () => {
    const acknowledged = new Map<string, number>();
    for (let run = 0; run < 6; run++) {
      const child = start('sqlite-crash-child.ts', dir, String(run), run % 2 === 0 ? '1' : '16');
      let lines = 0;
      for await (const line of createInterface({ input: child.stdout! })) {
        const [revision, key] = line.split(' ');
        if (key) acknowledged.set(key, Number(revision));
        // At another moment in each run.
        if (++lines === 40 + run * 37) child.kill('SIGKILL');
      }
      await end(child);

      const store = SqliteStore.open(dir);
      try {
        const { entries, revision } = await store.list('/run-');
        const byKey = new Map(entries.map((entry) => [entry.key, entry]));
        for (const [key, at] of acknowledged) {
          expect(byKey.get(key)?.revision).toBe(at);
          expect(byKey.get(key)?.value).toBe(`${key} ${'x'.repeat(500)}`);
          expect(revision).toBeGreaterThanOrEqual(at);
        }
        // Also what was not acknowledged is there whole or not at all.
        for (const entry of entries) {
          const twin = entry.key.endsWith('/twin') ? entry.key.slice(0, -5) : `${entry.key}/twin`;
          expect(byKey.get(twin)?.revision).toBe(entry.revision);
        }
        await store.commit({ preconditions: [], ops: [put(`/after/${run}`, 'x')] });
      } finally {
        await store.close();
      }
    }
    expect(acknowledged.size).toBeGreaterThan(500);
  });

  test('a second server on the same data folder refuses to start', async () => {
    const child = start('sqlite-crash-child.ts', dir, '0', '1');
    const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe('ready');
    const error = await failure(reopen(dir));
    expect([error.reason, error.retry]).toEqual(['DataFolderInUse', 'terminal']);
    expect(error.message).toContain(dir);
    expect(error.message).toContain('--data-dir');

    // The first goes on, and when it is gone, however it went, the folder is free.
    await lines.next();
    expect((await lines.next()).value).toMatch(/^\d+ \/run-0/);
    child.kill('SIGKILL');
    await end(child);
    await SqliteStore.open(dir).close();
  });

  test('nor does a second store in the same process, and the first keeps its hold', async () => {
    const store = SqliteStore.open(dir);
    try {
      expect((await failure(reopen(dir))).reason).toBe('DataFolderInUse');
      await store.commit({ preconditions: [], ops: [put('/a', '1')] });
      const child = start('sqlite-crash-child.ts', dir, '0', '1');
      let errors = '';
      child.stderr!.on('data', (data) => {
        errors += data;
      });
      await once(child, 'close');
      expect(errors).toContain('DataFolderInUse');
    } finally {
      await store.close();
    }
  });

  test('a full store refuses commits, loses nothing, and goes on when there is room', async () => {
    const { store, db } = openHere(dir);
    try {
      await store.commit({ preconditions: [], ops: [put('/a', '1')] });
      const { page_count: pages } = db.prepare('PRAGMA page_count').get() as { page_count: number };
      db.exec(`PRAGMA max_page_count = ${pages + 50}`);
      const watch = store.watch('', store.revision(), AbortSignal.timeout(60_000))[Symbol.asyncIterator]();
      const told = watch.next();

      let last = 0;
      for (;;) {
        const ops = [put('/big', `${last} ${'x'.repeat(10_000)}`)];
        const outcome = await store.commit({ preconditions: [], ops }).catch((error) => error);
        if (outcome.reason) {
          expect([outcome.reason, outcome.retry]).toEqual(['StoreUnavailable', 'retry']);
          expect(outcome.message).toContain('full');
          break;
        }
        last = outcome.revision;
      }
      expect((await told).value.changes[0].key).toBe('/big');

      // Every batch of a group that cannot be made durable is refused, and nothing of it is visible.
      const before = await store.list('');
      const group = await Promise.allSettled(
        Array.from({ length: 3 }, (_, i) =>
          store.commit({ preconditions: [], ops: [put(`/g${i}`, 'x'.repeat(9_000))] }),
        ),
      );
      expect(group.map((g) => g.status === 'rejected' && g.reason.reason)).toEqual(Array(3).fill('StoreUnavailable'));
      expect(await store.list('')).toEqual(before);
      expect(store.revision()).toBe(last);
      expect(store.stats().failures).toBe(4);

      // Old versions give room.
      await store.compact(last);
      const after = await store.commit({ preconditions: [], ops: [put('/g0', 'x'.repeat(9_000))] });
      expect(after.revision).toBe(last + 1);
    } finally {
      await store.close();
    }
    const again = SqliteStore.open(dir);
    expect((await again.list('')).entries.map((entry) => entry.key)).toEqual(['/a', '/big', '/g0']);
    await again.close();
  });

  test('a store that became read-only refuses commits and reads on', async () => {
    const { store, db } = openHere(dir);
    try {
      const { revision } = await store.commit({ preconditions: [], ops: [put('/a', '1')] });
      db.exec('PRAGMA query_only = ON');
      const error = await failure(store.commit({ preconditions: [], ops: [put('/a', '2')] }));
      expect([error.reason, error.retry]).toEqual(['StoreUnavailable', 'retry']);
      expect(await store.get('/a')).toEqual({ key: '/a', value: '1', revision });
      db.exec('PRAGMA query_only = OFF');
      expect((await store.commit({ preconditions: [], ops: [put('/a', '2')] })).revision).toBe(revision + 1);
    } finally {
      await store.close();
    }
  });

  test('a write that fails in the middle of a group takes the whole group back', async () => {
    const { store, db } = openHere(dir);
    try {
      const { revision } = await store.commit({ preconditions: [], ops: [put('/a', '1')] });
      db.exec(`CREATE TEMP TRIGGER broken BEFORE INSERT ON main.versions WHEN NEW.key = '/broken'
               BEGIN SELECT RAISE(ABORT, 'broken on purpose'); END`);
      const group = await Promise.allSettled(
        ['/b', '/broken', '/c'].map((key) => store.commit({ preconditions: [], ops: [put(key, '1')] })),
      );
      expect(group.map((g) => g.status === 'rejected' && g.reason.reason)).toEqual(Array(3).fill('StoreUnavailable'));
      db.exec('DROP TRIGGER broken');
      expect((await store.list('')).entries.map((entry) => entry.key)).toEqual(['/a']);
      expect((await store.commit({ preconditions: [], ops: [put('/b', '1')] })).revision).toBe(revision + 1);
    } finally {
      await store.close();
    }
  });

  test('what was deleted and compacted leaves nothing behind', async () => {
    const { store, db } = openHere(dir);
    try {
      await store.commit({ preconditions: [], ops: [put('/a', '1'), put('/b', '1')] });
      await store.commit({ preconditions: [], ops: [put('/a', '2')] });
      const { revision } = await store.commit({ preconditions: [], ops: [del('/a'), del('/b')] });
      await store.compact(revision);
      for (const table of ['versions', 'entries']) {
        expect(db.prepare(`SELECT count(*) AS rows FROM ${table}`).get()).toEqual({ rows: 0 });
      }
    } finally {
      await store.close();
    }
  });

  test.runIf(process.platform === 'linux')(
    'writes that fail in the kernel lose nothing, and work again after',
    async () => {
      // 1 MiB: the write-ahead log reaches it.
      const child = start('sqlite-full-child.ts', dir);
      const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
      const ask = async (what: string): Promise<FullReport> => {
        child.stdin!.write(`${what}\n`);
        return JSON.parse((await lines.next()).value ?? 'null');
      };
      expect((await lines.next()).value).toBe('"ready"');
      limitFileSize(child, String(1024 * 1024));

      const full = await ask('fill');
      expect(full.acknowledged.length).toBeGreaterThan(10);
      expect([full.last.reason, full.last.retry]).toEqual(['StoreUnavailable', 'retry']);
      expect(full.keys.toSorted()).toEqual(full.acknowledged.toSorted());
      const still = await ask('more');
      expect(still.last.reason).toBe('StoreUnavailable');
      expect(still.keys).toEqual(full.keys);

      limitFileSize(child, 'unlimited');
      const room = await ask('more');
      expect(room.last.revision).toBe(full.revision + 1);
      child.kill('SIGKILL');
      await end(child);

      const store = SqliteStore.open(dir);
      const keys = (await store.list('/k/')).entries.map((entry) => entry.key);
      expect(keys.toSorted()).toEqual([...full.acknowledged, room.last.key].toSorted());
      await store.close();
    },
  );

  test('the log is ours to wait for, and what SQLite folds into the file is waited for by SQLite', async () => {
    // What a killed process cannot show, since the kernel keeps its writes: these settings are the promise
    // (https://sqlite.org/pragma.html#pragma_synchronous), together with what sqlite-durability.conformance.ts shows.
    const { store, db } = openHere(dir);
    expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    expect(db.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 1 });
    await store.close();
  });

  test('folder and file are for this user only', async () => {
    const deep = join(dir, 'made', 'by', 'the', 'store');
    await SqliteStore.open(deep).close();
    expect(statSync(deep).mode & 0o777).toBe(0o700);
    expect(statSync(join(deep, STORE_FILE)).mode & 0o777).toBe(0o600);
  });

  test('a file that is no store of ours is refused and left as it is', async () => {
    writeFileSync(join(dir, STORE_FILE), 'not a database, but long enough to be looked at '.repeat(100));
    const error = await failure(reopen(dir));
    expect([error.reason, error.retry]).toEqual(['DataFolderDamaged', 'terminal']);
    expect(statSync(join(dir, STORE_FILE)).size).toBe(4800);
  });

  test('a folder that cannot be written is StoreUnavailable', async () => {
    mkdirSync(join(dir, STORE_FILE));
    const error = await failure(reopen(dir));
    expect([error.reason, error.retry]).toEqual(['StoreUnavailable', 'retry']);
  });

  test('history is compacted by itself, by number and by age', async () => {
    let now = 0;
    const clock = { now: () => now, after: () => () => {} };
    const put1 = () => store.commit({ preconditions: [], ops: [put('/a', String(now))] });
    let store = SqliteStore.open(dir, { clock, retention: { maxRevisions: 100, maxAgeMs: 60_000, minRevisions: 10 } });
    try {
      for (let i = 0; i < 1_000; i++) await put1();
      // Waits for the compaction that is under way.
      await store.compact(0);
      expect((await failure(store.list('', { revision: 700 }))).reason).toBe('Compacted');
      expect((await store.list('', { revision: 950 })).entries).toHaveLength(1);
    } finally {
      await store.close();
    }

    store = SqliteStore.open(dir, { clock, retention: { maxRevisions: 5_000, maxAgeMs: 60_000, minRevisions: 10 } });
    try {
      for (let i = 0; i < 1_200; i++) await put1();
      now += 61_000;
      await put1();
      expect((await store.list('', { revision: 1_000 })).entries).toHaveLength(1);
      now += 61_000;
      const { revision } = await put1();
      await store.compact(0);
      expect((await failure(store.list('', { revision: revision - 11 }))).reason).toBe('Compacted');
      expect((await store.list('', { revision: revision - 10 })).entries).toHaveLength(1);
    } finally {
      await store.close();
    }
  });

  function start(file: string, ...args: string[]): ChildProcess {
    const child = spawn(process.execPath, [join(import.meta.dirname, file), ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    children.push(child);
    return child;
  }
});

/** A store that writes on this thread, and the connection through which it does. */
function openHere(dir: string): { store: SqliteStore; db: DatabaseSync } {
  const file = openStoreFile(dir);
  const db = connect(file.path, 'writing');
  return { store: new SqliteStore(file, { writing: db }), db };
}

interface FullReport {
  acknowledged: string[];
  last: { key: string; revision?: number; reason?: string; retry?: string };
  keys: string[];
  revision: number;
}

/** The soft limit only, so that it can be lifted again. */
function limitFileSize(child: ChildProcess, bytes: string): void {
  execFileSync('prlimit', ['--pid', String(child.pid), `--fsize=${bytes}:`]);
}

async function reopen(dir: string): Promise<SqliteStore> {
  return SqliteStore.open(dir);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
