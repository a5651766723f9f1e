import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { endOfPrefix } from './check.ts';
import { slowWatcher } from './errors.ts';
import { DEFAULT_RETENTION } from './retention.ts';
import { type Change, type Entry, MAX_BATCH_KEYS, type Op, type WatchBatch } from './store.ts';

/** Rows of history that are read, or compacted, at a time. */
const PART_ROWS = 2_000;

/** Keys of which it is remembered what their newest version is; of the two last sets of so many. */
const REMEMBERED = 8_192;

/** The newest version of a key. */
interface Newest {
  id: number;
  /** False when it is a deletion. */
  live: boolean;
}

/** The statements over the tables of sqlite-file.ts, and the two revisions between which history can be read. */
export class SqliteVersions {
  /** Of the last commit. */
  revision: number;
  /** The oldest that can still be read. */
  oldest: number;
  readonly #newest: StatementSync;
  readonly #newestId: StatementSync;
  readonly #insertVersion: StatementSync;
  readonly #setEntry: StatementSync;
  readonly #list: StatementSync;
  readonly #listWithDeleted: StatementSync;
  readonly #version: StatementSync;
  readonly #history: StatementSync;
  readonly #partEnd: StatementSync;
  readonly #compact: StatementSync[];
  readonly #setOldest: StatementSync;
  readonly #valueOf: StatementSync;
  /** Keys that were asked for or written of late: the same few are asked for with every commit. */
  #remembered = new Map<string, Newest | undefined>();
  #rememberedBefore = new Map<string, Newest | undefined>();

  constructor(db: DatabaseSync) {
    this.#newest = db.prepare('SELECT e.id, v.value FROM entries e JOIN versions v ON v.id = e.id WHERE e.key = ?');
    this.#newestId = arrays(db.prepare('SELECT id, live FROM entries WHERE key = ?'));
    this.#insertVersion = db.prepare('INSERT INTO versions (id, key, previous, value) VALUES (?, ?, ?, ?)');
    this.#setEntry = db.prepare(
      'INSERT INTO entries (key, id, live) VALUES (?1, ?2, ?3) ON CONFLICT (key) DO UPDATE SET id = ?2, live = ?3',
    );
    this.#list = arrays(
      db.prepare(
        `SELECT e.key, e.id, v.value FROM entries e CROSS JOIN versions v ON v.id = e.id
         WHERE e.key > ?1 AND e.key >= ?2 AND e.key < ?3 AND e.live ORDER BY e.key LIMIT ?4`,
      ),
    );
    this.#listWithDeleted = arrays(
      db.prepare(
        `SELECT e.key, e.id, v.value FROM entries e CROSS JOIN versions v ON v.id = e.id
         WHERE e.key > ?1 AND e.key >= ?2 AND e.key < ?3 ORDER BY e.key LIMIT ?4`,
      ),
    );
    this.#version = db.prepare('SELECT previous, value FROM versions WHERE id = ?');
    this.#history = arrays(
      db.prepare(
        `SELECT v.id, v.key, v.value, p.value FROM versions v LEFT JOIN versions p ON p.id = v.previous
         WHERE v.id >= ?1 AND v.id < ?2 ORDER BY v.id`,
      ),
    );
    this.#partEnd = db.prepare('SELECT id FROM versions WHERE id >= ? ORDER BY id LIMIT 1 OFFSET ?');
    // In the range, whose newest revision becomes the oldest that can be read: what was replaced there, and what was
    // deleted there together with the key's entry.
    this.#compact = [
      `DELETE FROM versions WHERE id IN (SELECT previous FROM versions WHERE id >= ?1 AND id < ?2)`,
      `DELETE FROM entries WHERE (key, id) IN (SELECT key, id FROM versions WHERE id >= ?1 AND id < ?2 AND value IS NULL)`,
      `DELETE FROM versions WHERE id >= ?1 AND id < ?2 AND value IS NULL`,
    ].map((sql) => db.prepare(sql));
    this.#setOldest = db.prepare('UPDATE horizon SET oldest = ?');
    this.#valueOf = arrays(db.prepare('SELECT value FROM versions WHERE id = ?'));

    this.oldest = (db.prepare('SELECT oldest FROM horizon').get() as { oldest: number }).oldest;
    const last = db.prepare('SELECT max(id) AS id FROM versions').get() as { id: number | null };
    // A deletion that was compacted away may have been the last commit.
    this.revision = Math.max(this.oldest, revisionOf(last.id ?? 0));
  }

  /** Takes back what a failed transaction remembered. */
  reset(revision: number, oldest: number): void {
    this.revision = revision;
    this.oldest = oldest;
    this.#forget();
  }

  get(key: string): Entry | undefined {
    const row = this.#newest.get(key) as { id: number; value: string | null } | undefined;
    if (!row || row.value === null) return undefined;
    return { key, value: row.value, revision: revisionOf(row.id) };
  }

  /** Revision at which the key was last written; 0 when it does not exist. */
  revisionOf(key: string): number {
    const newest = this.#newestOf(key);
    return newest?.live ? revisionOf(newest.id) : 0;
  }

  /** Writes one batch at the next revision, which it takes only if something changes. Inside a transaction. */
  write(ops: readonly Op[]): Change[] {
    const revision = this.revision + 1;
    const changes: Change[] = [];
    for (const op of ops) {
      const before = this.#newestOf(op.key);
      const value = op.type === 'put' ? op.value : undefined;
      if (value === undefined && !before?.live) continue;
      const id = revision * MAX_BATCH_KEYS + changes.length;
      const live = value !== undefined;
      this.#insertVersion.run(id, op.key, before?.id ?? null, value ?? null);
      this.#setEntry.run(op.key, id, live ? 1 : 0);
      this.#remember(op.key, { id, live });
      changes.push(before?.live ? this.#change(op.key, value, before.id) : { key: op.key, value, previous: undefined });
    }
    if (changes.length > 0) this.revision = revision;
    return changes;
  }

  /** A change of what was there before: few ask for that, and it can be long. */
  #change(key: string, value: string | undefined, before: number): Change {
    const read = this.#valueOf;
    return {
      key,
      value,
      get previous() {
        const row = read.get(before) as unknown as [string] | undefined;
        // Compacted away since: who asks so late lists again.
        if (!row) throw slowWatcher(DEFAULT_RETENTION.minRevisions);
        return row[0];
      },
    };
  }

  #newestOf(key: string): Newest | undefined {
    const known = this.#remembered.get(key);
    if (known || this.#remembered.has(key)) return known;
    const earlier = this.#rememberedBefore.get(key);
    if (earlier || this.#rememberedBefore.has(key)) return this.#remember(key, earlier);
    const row = this.#newestId.get(key) as unknown as [number, number] | undefined;
    return this.#remember(key, row && { id: row[0], live: row[1] === 1 });
  }

  #remember(key: string, newest: Newest | undefined): Newest | undefined {
    this.#remembered.set(key, newest);
    if (this.#remembered.size >= REMEMBERED) {
      this.#rememberedBefore = this.#remembered;
      this.#remembered = new Map();
    }
    return newest;
  }

  #forget(): void {
    this.#remembered = new Map();
    this.#rememberedBefore = new Map();
  }

  /** At most `limit` entries under `prefix` after the key `after`, as of `revision`. */
  list(prefix: string, revision: number, after: string, limit: number): Entry[] {
    const end = endOfPrefix(prefix);
    if (revision === this.revision) {
      const rows = this.#list.all(after, prefix, end, limit) as unknown as [string, number, string][];
      return rows.map(([key, id, value]) => ({ key, value, revision: revisionOf(id) }));
    }
    const entries: Entry[] = [];
    for (let from = after; ; ) {
      const most = limit - entries.length;
      const rows = this.#listWithDeleted.all(from, prefix, end, most) as unknown as [string, number, string | null][];
      for (const [key, id, value] of rows) {
        // Few were written since.
        const isNewest = revisionOf(id) <= revision;
        if (!isNewest) {
          const entry = this.#asOf(key, id, revision);
          if (entry) entries.push(entry);
        } else if (value !== null) entries.push({ key, value, revision: revisionOf(id) });
      }
      const last = rows.at(-1);
      if (last === undefined || rows.length < most || entries.length >= limit) return entries;
      from = last[0];
    }
  }

  /** Changes under `prefix` after revision `after` up to `last`, as whole commits; `until` says how far was read. */
  history(prefix: string, after: number, last: number): { batches: WatchBatch[]; until: number } {
    const start = (after + 1) * MAX_BATCH_KEYS;
    const until = this.#endOfPart(start, last);
    const rows = this.#history.all(start, (until + 1) * MAX_BATCH_KEYS) as unknown as HistoryRow[];
    const batches: WatchBatch[] = [];
    for (const [id, key, value, previous] of rows) {
      if (!key.startsWith(prefix)) continue;
      const revision = revisionOf(id);
      let batch = batches.at(-1);
      if (batch?.revision !== revision) {
        batch = { revision, changes: [] };
        batches.push(batch);
      }
      batch.changes.push({ key, value: value ?? undefined, previous: previous ?? undefined });
    }
    return { batches, until };
  }

  /** Makes the oldest readable revision a newer one, at most `revision`. Inside a transaction. */
  compactPart(revision: number): void {
    const start = (this.oldest + 1) * MAX_BATCH_KEYS;
    const until = this.#endOfPart(start, revision);
    this.#forget(); // of what was deleted nothing is left
    for (const statement of this.#compact) statement.run(start, (until + 1) * MAX_BATCH_KEYS);
    this.#setOldest.run(until);
    this.oldest = until;
  }

  /** The last revision, at most `revision`, of about PART_ROWS rows beginning at the id `start`. */
  #endOfPart(start: number, revision: number): number {
    const row = this.#partEnd.get(start, PART_ROWS) as { id: number } | undefined;
    return row ? Math.min(revision, revisionOf(row.id) - 1) : revision;
  }

  /** The version of `key` at `revision`, found by going back from its newest, whose id is `id`. */
  #asOf(key: string, id: number, revision: number): Entry | undefined {
    for (let at: number | null = id; at !== null; ) {
      const row = this.#version.get(at) as { previous: number | null; value: string | null } | undefined;
      // What is no longer there was a deletion, compacted away.
      if (!row) return undefined;
      if (revisionOf(at) <= revision) {
        return row.value === null ? undefined : { key, value: row.value, revision: revisionOf(at) };
      }
      at = row.previous;
    }
    return undefined;
  }
}

type HistoryRow = [number, string, string | null, string | null];

function revisionOf(id: number): number {
  return Math.floor(id / MAX_BATCH_KEYS);
}

/** Rows as arrays cost half of what rows as objects cost. */
function arrays(statement: StatementSync): StatementSync {
  statement.setReturnArrays(true);
  return statement;
}
