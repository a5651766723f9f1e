import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { endOfPrefix } from './check.ts';
import { compacted, neverReached } from './errors.ts';
import { idsAfter, PART_ROWS, readHorizon, revisionOf } from './sqlite-rows.ts';
import { inFull } from './sqlite-words.ts';
import type { Entry, ListOptions, ListResult, WatchBatch } from './store.ts';

/** What a key holds: nothing since a deletion, whose revision it is then. */
export interface Found {
  value: string | undefined;
  revision: number;
}

/**
 * The statements that read the tables of sqlite-file.ts. Each read sees one state of them: whole commits, perhaps newer
 * than what is durable, and its revision says which.
 */
export class SqliteReads {
  readonly #begin: StatementSync;
  readonly #end: StatementSync;
  readonly #newest: StatementSync;
  readonly #list: StatementSync;
  readonly #count: StatementSync;
  readonly #listWithDeleted: StatementSync;
  readonly #version: StatementSync;
  readonly #history: StatementSync;
  readonly #partEnd: StatementSync;
  readonly #valueOf: StatementSync;
  /** Which revisions can be read. */
  readonly horizon: () => { revision: number; oldest: number };

  constructor(db: DatabaseSync) {
    this.#begin = db.prepare('BEGIN');
    this.#end = db.prepare('COMMIT');
    this.#newest = arrays(
      db.prepare('SELECT e.id, v.value, e.live FROM entries e JOIN versions v ON v.id = e.id WHERE e.key = ?'),
    );
    this.#list = arrays(
      db.prepare(
        `SELECT e.key, e.id, v.value FROM entries e CROSS JOIN versions v ON v.id = e.id
         WHERE e.key > ?1 AND e.key >= ?2 AND e.key < ?3 AND e.live ORDER BY e.key LIMIT ?4`,
      ),
    );
    this.#count = arrays(db.prepare('SELECT count(*) FROM entries e WHERE e.key > ?1 AND e.key < ?2 AND e.live'));
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
    this.#valueOf = arrays(db.prepare('SELECT value FROM versions WHERE id = ?'));
    this.horizon = readHorizon(db);
  }

  /** Undefined when nothing is known of the key: it never existed, or its deletion was compacted away. */
  get(key: string): Found | undefined {
    const row = this.#newest.get(key) as unknown as [number, Cell, number] | undefined;
    return row && { value: row[2] ? textOf(row[1]) : undefined, revision: revisionOf(row[0]) };
  }

  /** The value of a version; undefined when it was compacted away. */
  valueOf(id: number): string | undefined {
    const row = this.#valueOf.get(id) as unknown as [Cell] | undefined;
    return row && textOf(row[0]);
  }

  /** As Store.list. */
  list(prefix: string, options: ListOptions): ListResult {
    return this.#atOnce(() => {
      const { revision: newest, oldest } = this.horizon();
      const revision = options.revision ?? newest;
      if (revision > newest) throw neverReached(revision, newest);
      if (revision < oldest) throw compacted(revision, oldest);
      const limit = options.limit ?? Number.MAX_SAFE_INTEGER - 1;
      const after = options.after ?? '';
      const entries =
        revision === newest
          ? this.#newestUnder(prefix, after, limit + 1)
          : this.#olderUnder(prefix, revision, after, limit + 1);
      const more = entries.length > limit;
      if (more) entries.pop();
      const last = entries.at(-1);
      if (!more || !last || !options.countRest || revision !== newest) return { entries, revision, more };
      const [rest] = this.#count.get(last.key, endOfPrefix(prefix)) as unknown as [number];
      return { entries, revision, more, rest };
    });
  }

  /** Changes under `prefix` after revision `after` up to `last`, as whole commits; `until` says how far was read. */
  history(prefix: string, after: number, last: number): { batches: WatchBatch[]; until: number } {
    return this.#atOnce(() => {
      const { oldest } = this.horizon();
      if (after < oldest) throw compacted(after, oldest);
      return this.#changes(prefix, after, last);
    });
  }

  #changes(prefix: string, after: number, last: number): { batches: WatchBatch[]; until: number } {
    const start = idsAfter(after);
    const end = this.#partEnd.get(start, PART_ROWS) as { id: number } | undefined;
    const until = end ? Math.min(last, revisionOf(end.id) - 1) : last;
    const rows = this.#history.all(start, idsAfter(until)) as unknown as HistoryRow[];
    const batches: WatchBatch[] = [];
    for (const [id, key, value, previous] of rows) {
      if (typeof key !== 'string' || !key.startsWith(prefix)) continue;
      const revision = revisionOf(id);
      let batch = batches.at(-1);
      if (batch?.revision !== revision) {
        batch = { revision, changes: [] };
        batches.push(batch);
      }
      batch.changes.push({ key, value: textUnlessNull(value), previous: textUnlessNull(previous) });
    }
    return { batches, until };
  }

  #newestUnder(prefix: string, after: string, limit: number): Entry[] {
    const rows = this.#list.all(after, prefix, endOfPrefix(prefix), limit) as unknown as [string, number, Cell][];
    return rows.map(([key, id, value]) => ({ key, value: textOf(value), revision: revisionOf(id) }));
  }

  #olderUnder(prefix: string, revision: number, after: string, limit: number): Entry[] {
    const end = endOfPrefix(prefix);
    const entries: Entry[] = [];
    for (let from = after; ; ) {
      const most = limit - entries.length;
      const rows = this.#listWithDeleted.all(from, prefix, end, most) as unknown as [string, number, Cell][];
      for (const [key, id, value] of rows) {
        // Few were written since.
        const isNewest = revisionOf(id) <= revision;
        if (!isNewest) {
          const entry = this.#asOf(key, id, revision);
          if (entry) entries.push(entry);
        } else if (value !== null) entries.push({ key, value: textOf(value), revision: revisionOf(id) });
      }
      const last = rows.at(-1);
      if (last === undefined || rows.length < most || entries.length >= limit) return entries;
      from = last[0];
    }
  }

  /** The version of `key` at `revision`, found by going back from its newest, whose id is `id`. */
  #asOf(key: string, id: number, revision: number): Entry | undefined {
    for (let at: number | null = id; at !== null; ) {
      const row = this.#version.get(at) as { previous: number | null; value: Cell } | undefined;
      // What is no longer there was a deletion, compacted away.
      if (!row) return undefined;
      if (revisionOf(at) <= revision) {
        return row.value === null ? undefined : { key, value: textOf(row.value), revision: revisionOf(at) };
      }
      at = row.previous;
    }
    return undefined;
  }

  /** All that `read` reads is of one state of the file. */
  #atOnce<T>(read: () => T): T {
    this.#begin.run();
    try {
      return read();
    } finally {
      this.#end.run();
    }
  }
}

/** What a column of values can hold once somebody else wrote into the file: SQLite makes text of numbers alone. */
type Cell = string | null | Uint8Array;
type HistoryRow = [number, string | Uint8Array, Cell, Cell];

/**
 * The value of a key that lives, as text whatever lies there: its reader then finds that it is no JSON, and sets that one
 * record aside.
 */
function textOf(value: Cell): string {
  if (typeof value === 'string') return inFull(value);
  return value === null ? '' : Buffer.from(value).toString('utf8');
}

function textUnlessNull(value: Cell): string | undefined {
  return value === null ? undefined : textOf(value);
}

/** Rows as arrays cost half of what rows as objects cost. */
function arrays(statement: StatementSync): StatementSync {
  statement.setReturnArrays(true);
  return statement;
}
