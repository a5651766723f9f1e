import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type Cell, CREATED, UNCHANGED } from './sqlite-messages.ts';
import { IDS_PER_REVISION, idsAfter, PART_ROWS, readHorizon, revisionOf } from './sqlite-rows.ts';
import { shortened } from './sqlite-words.ts';

/** Keys of which it is remembered what their newest version is; of the two last sets of so many. */
const REMEMBERED = 8_192;

/**
 * The newest version of a key: its id; minus its id when it is a deletion; NEVER when there is none.
 */
type Newest = number;
const NEVER = 0;

/** Keys written or deleted, and UTF-8 bytes of keys and values as they stand in the file. */
export interface Written {
  records: number;
  bytes: number;
}

/** The statements that write the tables of sqlite-file.ts, and the two revisions between which history can be read. */
export class SqliteWrites {
  /** Of the last commit. */
  revision: number;
  /** The oldest that can still be read. */
  oldest: number;
  readonly #newestId: StatementSync;
  readonly #insertVersion: StatementSync;
  readonly #setEntry: StatementSync;
  readonly #partEnd: StatementSync;
  readonly #compact: StatementSync[];
  readonly #setOldest: StatementSync;
  /** Keys that were asked for or written of late: the same few are asked for with every commit. */
  #remembered = new Map<string, Newest>();
  #rememberedBefore = new Map<string, Newest>();

  constructor(db: DatabaseSync) {
    this.#newestId = db.prepare('SELECT id, live FROM entries WHERE key = ?');
    this.#newestId.setReturnArrays(true);
    this.#insertVersion = db.prepare('INSERT INTO versions (id, key, previous, value) VALUES (?, ?, ?, ?)');
    this.#setEntry = db.prepare(
      'INSERT INTO entries (key, id, live) VALUES (?1, ?2, ?3) ON CONFLICT (key) DO UPDATE SET id = ?2, live = ?3',
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
    const { revision, oldest } = readHorizon(db)();
    this.revision = revision;
    this.oldest = oldest;
  }

  /** Takes back what a failed transaction remembered. */
  reset(revision: number, oldest: number): void {
    this.revision = revision;
    this.oldest = oldest;
    this.#forget();
  }

  /** Revision at which the key was last written; 0 when it does not exist. */
  revisionOf(key: string): number {
    const newest = this.#newestOf(key);
    return newest > 0 ? revisionOf(newest) : 0;
  }

  /**
   * Writes one batch at the next revision, which it takes only if something changes: `count` pairs of key and value in
   * `cells`, from `at` on. Adds to `outcomes` what was there before each, and to `written` what was written. Inside a
   * transaction.
   */
  write(cells: readonly Cell[], at: number, count: number, outcomes: number[], written: Written): void {
    const revision = this.revision + 1;
    let changed = 0;
    for (let i = at; i < at + 2 * count; i += 2) {
      const key = cells[i] as string;
      const text = cells[i + 1] as string | null;
      const value = text === null ? null : shortened(text);
      const before = this.#newestOf(key);
      if (value === null && before <= 0) {
        outcomes.push(UNCHANGED);
        continue;
      }
      const id = revision * IDS_PER_REVISION + changed++;
      this.#insertVersion.run(id, key, before === NEVER ? null : Math.abs(before), value);
      this.#setEntry.run(key, id, value === null ? 0 : 1);
      this.#remember(key, value === null ? -id : id);
      outcomes.push(before > 0 ? before : CREATED);
      written.bytes += key.length + (value === null ? 0 : Buffer.byteLength(value));
    }
    written.records += changed;
    if (changed > 0) this.revision = revision;
  }

  #newestOf(key: string): Newest {
    const known = this.#remembered.get(key);
    if (known !== undefined) return known;
    const earlier = this.#rememberedBefore.get(key);
    if (earlier !== undefined) return this.#remember(key, earlier);
    const row = this.#newestId.get(key) as unknown as [number, number] | undefined;
    return this.#remember(key, row === undefined ? NEVER : row[1] === 1 ? row[0] : -row[0]);
  }

  #remember(key: string, newest: Newest): Newest {
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

  /** Makes the oldest readable revision a newer one, at most `revision`. Inside a transaction. */
  compactPart(revision: number): void {
    const start = idsAfter(this.oldest);
    const row = this.#partEnd.get(start, PART_ROWS) as { id: number } | undefined;
    const until = row ? Math.min(revision, revisionOf(row.id) - 1) : revision;
    this.#forget(); // of what was deleted nothing is left
    for (const statement of this.#compact) statement.run(start, idsAfter(until));
    this.#setOldest.run(until);
    this.oldest = until;
  }
}
