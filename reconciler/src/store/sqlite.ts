import type { DatabaseSync } from 'node:sqlite';
import { type Clock, PlumbError, realAmbient } from '@plumb/schemas';
import { checkBatch } from './check.ts';
import { compacted, neverReached, storeClosed, storeUnavailable } from './errors.ts';
import { addMark, compactTo, DEFAULT_RETENTION, type Mark, type Retention } from './retention.ts';
import { openStoreFile } from './sqlite-file.ts';
import { SqliteGroup, type SqliteStats } from './sqlite-group.ts';
import { type DurableLog, SqliteLog } from './sqlite-log.ts';
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
  /** What makes commits durable; SQLite's write-ahead log on its disk, if absent. */
  log?: DurableLog;
  /** Told once when the disk failed in a way after which the store must be opened again: it refuses everything then. */
  onBroken?: (error: PlumbError) => void;
}

/**
 * The embedded store: one SQLite file with a write-ahead log. Reads and transactions run on this thread, and the disk is
 * waited for on another: what arrives meanwhile is one transaction, and waits once for the disk, together. What is not
 * durable yet is not shown to anyone: who reads it is answered when it is.
 */
export class SqliteStore implements Store {
  readonly #db: DatabaseSync;
  readonly #log: DurableLog;
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
    this.#log = options.log ?? new SqliteLog(db);
    this.#hub = new WatchHub(
      {
        revision: () => this.#group.durable,
        oldest: () => this.#versions.oldest,
        history: (prefix, after) =>
          this.#read('read history', () => this.#versions.history(prefix, after, this.#group.durable)),
      },
      options.watchBuffer,
    );
    this.#group = new SqliteGroup({
      db,
      versions: this.#versions,
      log: this.#log,
      publish: (batch) => this.#hub.publish(batch),
      onBroken: options.onBroken ?? (() => {}),
    });
  }

  async get(key: string): Promise<Entry | undefined> {
    const entry = this.#read('read', () => this.#versions.get(key));
    if (this.#unsettled(entry?.revision)) await this.#group.settled();
    return entry;
  }

  async list(prefix: string, options: ListOptions = {}): Promise<ListResult> {
    const result = this.#read('read', () => {
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
    if (result.revision > this.#group.durable) await this.#group.settled();
    return result;
  }

  watch(prefix: string, from: number, signal: AbortSignal): AsyncIterable<WatchBatch> {
    if (this.#closed) throw storeClosed();
    return this.#hub.watch(prefix, from, signal);
  }

  async commit(batch: Batch, onApplied?: (revision: number) => void): Promise<Committed> {
    if (this.#closed) throw storeClosed();
    checkBatch(batch);
    const committed = await this.#group.commit(batch, onApplied);
    this.#compactWhenDue();
    return committed;
  }

  revision(): number {
    return this.#group.durable;
  }

  /** Works in small transactions, and lets others work between them. */
  compact(revision: number): Promise<void> {
    if (revision > this.revision()) return Promise.reject(neverReached(revision, this.revision()));
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
    this.#log.close();
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
    if (this.#group.broken) throw this.#group.broken;
    try {
      return read();
    } catch (error) {
      throw error instanceof PlumbError ? error : storeUnavailable(what, error);
    }
  }

  /** Whether what was read of a key, an entry of that revision or none, may be of a commit that is not durable yet. */
  #unsettled(revision: number | undefined): boolean {
    const { durable } = this.#group;
    return revision === undefined ? this.#versions.revision > durable : revision > durable;
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
    const newest = this.revision();
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
