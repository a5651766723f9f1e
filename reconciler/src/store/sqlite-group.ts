import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { ConflictError, storeUnavailable } from './errors.ts';
import type { SqliteVersions } from './sqlite-versions.ts';
import type { Batch, Change, Committed, WatchBatch } from './store.ts';

/** Bounds of one transaction, so that a flood of batches does not keep reads waiting. */
const GROUP_BATCHES = 2_000;
const GROUP_RECORDS = 10_000;

/** Totals since the store was opened. */
export interface SqliteStats {
  /** Transactions made durable: each is one write to the disk that was waited for. */
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
  /** Seconds spent in transactions, waiting for the disk included. */
  seconds: number;
}

interface Pending {
  batch: Batch;
  resolve: (committed: Committed) => void;
  reject: (error: Error) => void;
}

type Outcome = { conflict: ConflictError } | { revision: number; changes: Change[] };

/** Group commit: batches that arrive in one turn of the event loop share a transaction, and fail alone. */
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
  readonly #db: DatabaseSync;
  readonly #versions: SqliteVersions;
  readonly #publish: (batch: WatchBatch) => void;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  #pending: Pending[] = [];
  #scheduled = false;

  constructor(db: DatabaseSync, versions: SqliteVersions, publish: (batch: WatchBatch) => void) {
    this.#db = db;
    this.#versions = versions;
    this.#publish = publish;
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#commit = db.prepare('COMMIT');
  }

  /** Resolves when the batch is durable and watchers were told. The batch was checked. */
  commit(batch: Batch): Promise<Committed> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ batch, resolve, reject });
      this.#schedule();
    });
  }

  /** Commits everything that is pending, now. */
  flush(): void {
    while (this.#pending.length > 0) this.#flushGroup();
  }

  /**
   * Runs `work` in a transaction that is durable when this returns. When it throws, nothing of `work` is left: neither
   * in the file nor in what `#versions` remembers.
   */
  transaction(work: () => void): void {
    const { revision, oldest } = this.#versions;
    const started = performance.now();
    try {
      this.#begin.run();
      work();
      this.#commit.run(); // guard: lost acknowledged create
      this.stats.transactions++;
      this.stats.seconds += (performance.now() - started) / 1000;
    } catch (error) {
      // A full disk ends the transaction by itself; other failures leave it open.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      this.#versions.reset(revision, oldest);
      throw error;
    }
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#pending.length === 0) return;
      this.#flushGroup();
      if (this.#pending.length > 0) this.#schedule();
    });
  }

  #flushGroup(): void {
    const group = this.#take();
    const outcomes: Outcome[] = [];
    try {
      this.transaction(() => {
        for (const { batch } of group) outcomes.push(this.#apply(batch));
      });
    } catch (error) {
      this.stats.failures += group.length;
      const unavailable = storeUnavailable('make the change durable', error);
      for (const { reject } of group) reject(unavailable);
      return;
    }
    for (const outcome of outcomes) {
      if ('changes' in outcome && outcome.changes.length > 0) this.#publish(outcome);
    }
    for (const [i, { resolve, reject }] of group.entries()) {
      const outcome = outcomes[i] as Outcome;
      if ('conflict' in outcome) {
        this.stats.conflicts++;
        reject(outcome.conflict);
      } else {
        this.#count(outcome.changes);
        resolve({ revision: outcome.revision });
      }
    }
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
  #apply(batch: Batch): Outcome {
    const wrong = batch.preconditions.filter((p) => this.#versions.revisionOf(p.key) !== p.revision);
    if (wrong.length > 0) return { conflict: new ConflictError(wrong.map((p) => p.key)) };
    const changes = this.#versions.write(batch.ops);
    return { revision: this.#versions.revision, changes };
  }

  #count(changes: Change[]): void {
    this.stats.batches++;
    this.stats.records += changes.length;
    for (const { key, value } of changes) {
      this.stats.bytes += key.length + (value === undefined ? 0 : Buffer.byteLength(value));
    }
  }
}
