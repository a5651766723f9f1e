import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { PlumbError } from '@plumb/schemas';
import { ConflictError, storeUnavailable } from './errors.ts';
import type { DurableLog } from './sqlite-log.ts';
import type { SqliteVersions } from './sqlite-versions.ts';
import type { Batch, Change, Committed, WatchBatch } from './store.ts';

/** Bounds of one transaction, so that a flood of batches does not keep reads waiting. */
const GROUP_BATCHES = 2_000;
const GROUP_RECORDS = 10_000;

/** Totals since the store was opened. */
export interface SqliteStats {
  /** How often the disk was waited for: batches share it. */
  transactions: number;
  /** Batches committed. */
  batches: number;
  /** Keys written or deleted. */
  records: number;
  /** UTF-8 bytes of keys and values written. */
  bytes: number;
  /** Batches whose preconditions failed. */
  conflicts: number;
  /** Batches refused because they could not be made durable. */
  failures: number;
  /** Seconds from the beginning of transactions until they were durable. */
  seconds: number;
}

export interface SqliteGroupOptions {
  db: DatabaseSync;
  versions: SqliteVersions;
  log: DurableLog;
  /** Told of each batch that changed something, when it is durable. */
  publish: (batch: WatchBatch) => void;
  /** Told once when the disk failed in a way after which nobody knows what is on it. */
  onBroken: (error: PlumbError) => void;
}

interface Pending {
  batch: Batch;
  onApplied: ((revision: number) => void) | undefined;
  resolve: (committed: Committed) => void;
  reject: (error: Error) => void;
}

type Outcome = { conflict: ConflictError } | { revision: number; changes: Change[] };

/** A transaction that was made, and is not durable yet. */
interface Waiting {
  group: Pending[];
  outcomes: Outcome[];
  /** Of its last batch. */
  revision: number;
  startedAt: number;
}

/**
 * Group commit: batches that arrive together share a transaction and one wait for the disk, and fail alone. What arrives
 * while the disk is waited for is the next group.
 */
export class SqliteGroup {
  readonly stats: SqliteStats = {
    transactions: 0,
    batches: 0,
    records: 0,
    bytes: 0,
    conflicts: 0,
    failures: 0,
    seconds: 0,
  };
  readonly #options: SqliteGroupOptions;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  #pending: Pending[] = [];
  #scheduled = false;
  #waiting: Waiting | undefined;
  /** Readers who have seen what is not durable yet. */
  #readers: { resolve: () => void; reject: (error: Error) => void }[] = [];
  #durable: number;
  #broken: PlumbError | undefined;

  constructor(options: SqliteGroupOptions) {
    this.#options = options;
    this.#begin = options.db.prepare('BEGIN IMMEDIATE');
    this.#commit = options.db.prepare('COMMIT');
    this.#durable = options.versions.revision;
  }

  /** Revision of the last batch that is durable. */
  get durable(): number {
    return this.#durable;
  }

  /** Why nothing can be read or written any more. */
  get broken(): PlumbError | undefined {
    return this.#broken;
  }

  /** Resolves when the batch is durable and watchers were told. The batch was checked. `onApplied`: as Store.commit. */
  commit(batch: Batch, onApplied?: (revision: number) => void): Promise<Committed> {
    if (this.#broken) return Promise.reject(this.#broken);
    return new Promise((resolve, reject) => {
      this.#pending.push({ batch, onApplied, resolve, reject });
      this.#schedule();
    });
  }

  /** Resolves when everything that can be read now is durable. */
  settled(): Promise<void> {
    if (!this.#waiting) return Promise.resolve();
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
  }

  /** Makes everything durable that is pending, waiting for it. */
  flush(): void {
    if (this.#waiting) this.#syncNow(this.#waiting);
    while (this.#pending.length > 0 && !this.#broken) {
      const made = this.#apply();
      if (made) this.#syncNow(made);
    }
  }

  /**
   * Runs `work` in a transaction. When it throws, nothing of `work` is left: neither in the file nor in what `versions`
   * remembers.
   */
  transaction(work: () => void): void {
    const { db, versions } = this.#options;
    const { revision, oldest } = versions;
    try {
      this.#begin.run();
      work();
      this.#commit.run(); // guard: lost acknowledged create
    } catch (error) {
      // A full disk ends the transaction by itself; other failures leave it open.
      if (db.isTransaction) db.exec('ROLLBACK');
      versions.reset(revision, oldest);
      throw error;
    }
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting || this.#pending.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#waiting || this.#pending.length === 0) return;
      const made = this.#apply();
      if (!made) return this.#schedule();
      this.#waiting = made;
      this.#options.log.sync((error) => {
        // A flush may have come before.
        if (this.#waiting === made) this.#end(made, error);
      });
    });
  }

  #syncNow(made: Waiting): void {
    this.#waiting = made;
    let failure: Error | null = null;
    try {
      this.#options.log.syncNow();
    } catch (error) {
      failure = error as Error;
    }
    this.#end(made, failure);
  }

  /** Makes the transaction of the next group; undefined when there is nothing of it to wait for. */
  #apply(): Waiting | undefined {
    const { versions } = this.#options;
    const group = this.#take();
    const outcomes: Outcome[] = [];
    const startedAt = performance.now();
    try {
      this.transaction(() => {
        for (const { batch } of group) outcomes.push(this.#write(batch));
      });
    } catch (error) {
      this.stats.failures += group.length;
      const unavailable = storeUnavailable('make the change durable', error);
      for (const { reject } of group) reject(unavailable);
      return undefined;
    }
    group.forEach(({ onApplied }, i) => {
      const outcome = outcomes[i] as Outcome;
      if (onApplied && 'revision' in outcome) onApplied(outcome.revision);
    });
    const made = { group, outcomes, revision: versions.revision, startedAt };
    if (made.revision > this.#durable) return made; // guard: acknowledged before it is durable
    this.#tell(made);
    return undefined;
  }

  /** The disk has the transaction, or has failed. */
  #end(made: Waiting, error: Error | null): void {
    this.#waiting = undefined;
    const readers = this.#readers;
    this.#readers = [];
    if (error) {
      this.#break(made, readers, error);
      return;
    }
    this.stats.transactions++;
    this.stats.seconds += (performance.now() - made.startedAt) / 1000;
    this.#durable = made.revision;
    this.#tell(made);
    for (const { resolve } of readers) resolve();
    this.#schedule();
  }

  #tell({ group, outcomes }: Pick<Waiting, 'group' | 'outcomes'>): void {
    for (const outcome of outcomes)
      if ('changes' in outcome && outcome.changes.length > 0) this.#options.publish(outcome);
    group.forEach(({ resolve, reject }, i) => {
      const outcome = outcomes[i] as Outcome;
      if ('conflict' in outcome) {
        this.stats.conflicts++;
        reject(outcome.conflict);
      } else {
        this.#count(outcome.changes);
        resolve({ revision: outcome.revision });
      }
    });
  }

  /**
   * What a disk holds that failed to say so is not known, and asking it again proves nothing (the kernel forgets what it
   * could not write). Nothing is read or written any more; who opens the store again sees what is there.
   */
  #break({ group }: Waiting, readers: { reject: (error: Error) => void }[], cause: Error): void {
    const error = storeUnavailable('make changes durable any more; the server must be started again', cause);
    this.#broken = error;
    const refused = [...group, ...this.#pending.splice(0)];
    this.stats.failures += refused.length;
    for (const { reject } of [...refused, ...readers]) reject(error);
    this.#options.onBroken(error);
  }

  #take(): Pending[] {
    let records = 0;
    let n = 0;
    while (n < this.#pending.length && n < GROUP_BATCHES && records < GROUP_RECORDS) {
      records += (this.#pending[n] as Pending).batch.ops.length;
      n++;
    }
    return this.#pending.splice(0, n);
  }

  /** Preconditions are read in the transaction, so they see the earlier batches of the group. */
  #write(batch: Batch): Outcome {
    const { versions } = this.#options;
    const wrong = batch.preconditions.filter((p) => versions.revisionOf(p.key) !== p.revision);
    if (wrong.length > 0) return { conflict: new ConflictError(wrong.map((p) => p.key)) };
    const changes = versions.write(batch.ops);
    return { revision: versions.revision, changes };
  }

  #count(changes: Change[]): void {
    this.stats.batches++;
    this.stats.records += changes.length;
    for (const { key, value } of changes) {
      this.stats.bytes += key.length + (value === undefined ? 0 : Buffer.byteLength(value));
    }
  }
}
