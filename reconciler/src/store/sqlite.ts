import type { DatabaseSync } from 'node:sqlite';
import { type Clock, PlumbError, realAmbient } from '@plumb/schemas';
import { checkBatch } from './check.ts';
import { compacted, neverReached, storeClosed, storeUnavailable } from './errors.ts';
import { addMark, compactTo, DEFAULT_RETENTION, type Mark, type Retention } from './retention.ts';
import { openStoreFile } from './sqlite-file.ts';
import { SqliteGroup, type SqliteStats } from './sqlite-group.ts';
import { type MetricsSink, publishStats } from './sqlite-metrics.ts';
import { SqliteVersions } from './sqlite-versions.ts';
import type { Batch, Committed, Entry, ListOptions, ListResult, Store, WatchBatch } from './store.ts';
import { WatchHub } from './watch-hub.ts';

export interface SqliteStoreOptions {
  /** Dates history, for its retention. */
  clock?: Clock;
  retention?: Retention;
  /** Commits that a watcher may be behind before it is ended. */
  watchBuffer?: number;
}

/**
 * The embedded store: one SQLite file, write-ahead log, synchronous. Batches that arrive in the same turn of the event
 * loop are one transaction. Reads and commits run on this thread: a commit costs one write to the disk that is waited
 * for, whatever the number of its batches.
 */
export class SqliteStore implements Store {
  readonly #db: DatabaseSync;
  readonly #versions: SqliteVersions;
  readonly #group: SqliteGroup;
  readonly #hub: WatchHub;
  readonly #clock: Clock;
  readonly #retention: Retention;
  #marks: readonly Mark[] = [];
  #compacting: Promise<void> = Promise.resolve();
  #compactingTo = 0;
  #closed = false;

  /** Opens the store in the folder `dir`, making it if it is not there. Throws as openStoreFile does. */
  static open(dir: string, options: SqliteStoreOptions = {}): SqliteStore {
    return new SqliteStore(openStoreFile(dir), options);
  }

  /** The store takes the database over and closes it. */
  constructor(db: DatabaseSync, options: SqliteStoreOptions = {}) {
    this.#db = db;
    this.#clock = options.clock ?? realAmbient().clock;
    this.#retention = options.retention ?? DEFAULT_RETENTION;
    this.#versions = new SqliteVersions(db);
    this.#hub = new WatchHub(
      {
        revision: () => this.#versions.revision,
        oldest: () => this.#versions.oldest,
        history: (prefix, after) => this.#read('read history', () => this.#versions.history(prefix, after)),
      },
      options.watchBuffer,
    );
    this.#group = new SqliteGroup(db, this.#versions, (batch) => this.#hub.publish(batch));
  }

  async get(key: string): Promise<Entry | undefined> {
    return this.#read('read', () => this.#versions.get(key));
  }

  async list(prefix: string, options: ListOptions = {}): Promise<ListResult> {
    return this.#read('read', () => {
      const { revision: newest, oldest } = this.#versions;
      const revision = options.revision ?? newest;
      if (revision > newest) throw neverReached(revision, newest);
      if (revision < oldest) throw compacted(revision, oldest);
      const limit = options.limit ?? Number.MAX_SAFE_INTEGER - 1;
      const entries = this.#versions.list(prefix, revision, options.after ?? '', limit + 1);
      const more = entries.length > limit;
      if (more) entries.pop();
      return { entries, revision, more };
    });
  }

  watch(prefix: string, from: number, signal: AbortSignal): AsyncIterable<WatchBatch> {
    if (this.#closed) throw storeClosed();
    return this.#hub.watch(prefix, from, signal);
  }

  async commit(batch: Batch): Promise<Committed> {
    if (this.#closed) throw storeClosed();
    checkBatch(batch);
    const committed = await this.#group.commit(batch);
    this.#compactWhenDue();
    return committed;
  }

  revision(): number {
    return this.#versions.revision;
  }

  /** Works in small transactions, and lets others work between them. */
  compact(revision: number): Promise<void> {
    if (revision > this.#versions.revision) return Promise.reject(neverReached(revision, this.#versions.revision));
    const run = this.#compacting.then(() => this.#compact(revision));
    this.#compacting = run.catch(() => {});
    return run;
  }

  /** Commits what is under way, ends the watches and gives the data folder free. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#group.flush();
    this.#hub.close();
    await this.#compacting;
    this.#db.close();
  }

  /** What the store did since it was opened. */
  stats(): SqliteStats {
    return { ...this.#group.stats };
  }

  /** Shows the store in `metrics`. */
  publish(metrics: MetricsSink): void {
    publishStats(metrics, this.#group.stats, () => this.revision());
  }

  #read<T>(what: string, read: () => T): T {
    if (this.#closed) throw storeClosed();
    try {
      return read();
    } catch (error) {
      throw error instanceof PlumbError ? error : storeUnavailable(what, error);
    }
  }

  async #compact(revision: number): Promise<void> {
    while (this.#versions.oldest < revision) {
      if (this.#closed) throw storeClosed();
      try {
        this.#group.transaction(() => this.#versions.compactPart(revision));
      } catch (error) {
        throw storeUnavailable('compact its history', error);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #compactWhenDue(): void {
    const newest = this.#versions.revision;
    const now = this.#clock.now();
    this.#marks = addMark(this.#retention, this.#marks, { time: now, revision: newest });
    const oldest = Math.max(this.#versions.oldest, this.#compactingTo);
    const target = compactTo(this.#retention, { newest, oldest, now, marks: this.#marks });
    if (target === undefined) return;
    this.#compactingTo = target;
    // What fails now is due again after a later commit; the commit itself is durable.
    this.compact(target).catch(() => {
      this.#compactingTo = 0;
    });
  }
}
