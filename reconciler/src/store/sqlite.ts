import type { DatabaseSync } from 'node:sqlite';
import { type Clock, PlumbError, realAmbient } from '@plumb/schemas';
import { checkBatch } from './check.ts';
import { neverReached, storeClosed, storeUnavailable } from './errors.ts';
import { addMark, compactTo, DEFAULT_RETENTION, type Mark, type Retention } from './retention.ts';
import { connect } from './sqlite-connection.ts';
import { openError, openStoreFile, type StoreFile } from './sqlite-file.ts';
import { SqliteGroup, type SqliteStats } from './sqlite-group.ts';
import { HereLink, ThreadLink } from './sqlite-link.ts';
import { type DurableLog, SqliteLog } from './sqlite-log.ts';
import { type MetricsSink, publishStats } from './sqlite-metrics.ts';
import { SqliteReads } from './sqlite-reads.ts';
import type { Batch, Committed, Entry, ListOptions, ListResult, Store, WatchBatch } from './store.ts';
import { WatchHub } from './watch-hub.ts';

export interface SqliteStoreOptions {
  /** Dates history, for its retention. */
  clock?: Clock;
  retention?: Retention;
  /** Commits that a watcher may be behind before it is ended. */
  watchBuffer?: number;
  /** The connection that writes, if that is to be done on this thread; the store closes it. */
  writing?: DatabaseSync;
  /** What makes commits durable that are written on this thread; SQLite's write-ahead log on its disk, if absent. */
  log?: DurableLog;
  /** Told once when the disk failed in a way after which the store must be opened again: it refuses everything then. */
  onBroken?: (error: PlumbError) => void;
}

/**
 * The embedded store: one SQLite file with a write-ahead log. Reads run on this thread. Transactions run on another, which
 * waits for the disk as well: what arrives meanwhile is one transaction, and waits once for the disk, together. What is
 * not durable yet is not shown to anyone: who reads it is answered when it is.
 */
export class SqliteStore implements Store {
  readonly #file: StoreFile;
  readonly #reads: SqliteReads;
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
    const file = openStoreFile(dir);
    try {
      return new SqliteStore(file, options);
    } catch (error) {
      file.reading.close();
      file.release();
      throw openError(dir, error);
    }
  }

  /** The store takes the file over and closes it. */
  constructor(file: StoreFile, options: SqliteStoreOptions = {}) {
    this.#file = file;
    this.#clock = options.clock ?? realAmbient().clock;
    this.#retention = options.retention ?? DEFAULT_RETENTION;
    this.#reads = new SqliteReads(file.reading);
    this.#hub = new WatchHub(
      {
        revision: () => this.#group.durable,
        oldest: () => this.#group.oldest,
        history: (prefix, after) =>
          this.#read('read history', () => this.#reads.history(prefix, after, this.#group.durable)),
      },
      options.watchBuffer,
    );
    const writing = options.writing ?? (options.log && connect(file.path, 'writing'));
    this.#group = new SqliteGroup({
      reads: this.#reads,
      link: (answer) =>
        writing
          ? new HereLink(writing, options.log ?? new SqliteLog(writing), answer)
          : new ThreadLink(file.path, answer),
      publish: (batch) => this.#hub.publish(batch),
      onBroken: options.onBroken ?? (() => {}),
    });
  }

  async get(key: string): Promise<Entry | undefined> {
    const found = this.#read('read', () => this.#reads.get(key));
    if (!found) return undefined;
    const { value, revision } = found;
    if (revision > this.#group.durable) await this.#group.settled(revision);
    return value === undefined ? undefined : { key, value, revision };
  }

  async list(prefix: string, options: ListOptions = {}): Promise<ListResult> {
    const result = this.#read('read', () => this.#reads.list(prefix, options));
    if (result.revision > this.#group.durable) await this.#group.settled(result.revision);
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
    await this.#group.flush();
    this.#hub.close();
    await this.#compacting;
    this.#file.reading.close();
    await this.#group.close();
    this.#file.release();
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

  async #compact(revision: number): Promise<void> {
    while (this.#group.oldest < revision) {
      if (this.#closed) throw storeClosed();
      await this.#group.compactPart(revision);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #compactWhenDue(): void {
    const newest = this.revision();
    const now = this.#clock.now();
    this.#marks = addMark(this.#retention, this.#marks, { time: now, revision: newest });
    const oldest = Math.max(this.#group.oldest, this.#compactingTo);
    const target = compactTo(this.#retention, { newest, oldest, now, marks: this.#marks });
    if (target === undefined) return;
    this.#compactingTo = target;
    // What fails now is due again after a later commit; the commit itself is durable.
    this.compact(target).catch(() => {
      this.#compactingTo = 0;
    });
  }
}
