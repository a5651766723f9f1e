import type { PlumbError } from '@plumb/schemas';
import { slowWatcher, storeUnavailable } from './errors.ts';
import { DEFAULT_RETENTION } from './retention.ts';
import type { WriterLink } from './sqlite-link.ts';
import { type Cell, encodeBatch, type WriterAnswer } from './sqlite-messages.ts';
import { type Outcome, readOutcomes } from './sqlite-outcomes.ts';
import type { SqliteReads } from './sqlite-reads.ts';
import type { Batch, Committed, WatchBatch } from './store.ts';

/** Bounds of what is sent to the writer at a time, and of what of it is under way. */
const GROUP_BATCHES = 2_000;
const GROUP_RECORDS = 10_000;
const GROUP_CHARS = 8_000_000;
const GROUPS = 8;

/** Totals since the store was opened. */
export interface SqliteStats {
  /** How often the disk was waited for: batches share it. */
  transactions: number;
  /** Batches committed. */
  batches: number;
  /** Keys written or deleted. */
  records: number;
  /** UTF-8 bytes of keys and values written, as they stand in the file. */
  bytes: number;
  /** Batches whose preconditions failed. */
  conflicts: number;
  /** Batches refused because they could not be made durable. */
  failures: number;
  /** Seconds from the beginning of transactions until they were durable. */
  seconds: number;
}

export interface SqliteGroupOptions {
  reads: SqliteReads;
  /** The way to the writer, which gives its answers to this function. */
  link: (answer: (answer: WriterAnswer) => void) => WriterLink;
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

interface Applied {
  pending: Pending;
  outcome: Outcome;
}

interface Waiter {
  resolve: () => void;
  reject: (error: Error) => void;
}

/**
 * Group commit: batches that arrive in one turn, or until somebody waits for a revision, go to the writer together, and are
 * told of what became of them in order: first that they have their revision, then that it is durable. The next ones go
 * there without waiting for that.
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
  readonly #link: WriterLink;
  #pending: Pending[] = [];
  #scheduled = false;
  /** What the writer has, in the order in which it was posted. */
  #posted: Pending[][] = [];
  /** What has its revision, and is not durable yet. */
  #applied: Applied[] = [];
  /** Readers who have seen what is not durable yet, by its revision. */
  #readers: (Waiter & { revision: number })[] = [];
  #idle: Waiter[] = [];
  #compaction: Waiter | undefined;
  /** Of the last batch that has its revision, and of the last one that is durable. */
  #revision: number;
  #durable: number;
  #oldest: number;
  #broken: PlumbError | undefined;
  #closed = false;

  constructor(options: SqliteGroupOptions) {
    this.#options = options;
    const { revision, oldest } = options.reads.horizon();
    this.#revision = revision;
    this.#durable = revision;
    this.#oldest = oldest;
    this.#link = options.link((answer) => this.#hear(answer));
  }

  /** Revision of the last batch that is durable. */
  get durable(): number {
    return this.#durable;
  }

  /** The oldest revision that can be read. */
  get oldest(): number {
    return this.#oldest;
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
      // Who waits for its revision decides on what follows by it: the writer begins while the rest of this turn goes on.
      if (onApplied && this.#posted.length < GROUPS) this.#post();
      else this.#schedule();
    });
  }

  /** Resolves when the revision, which a reader has seen, is durable. */
  settled(revision: number): Promise<void> {
    if (revision <= this.#durable) return Promise.resolve();
    return new Promise((resolve, reject) => this.#readers.push({ revision, resolve, reject }));
  }

  /** Forgets a part of the history before `revision`, at least one commit of it. One at a time. */
  compactPart(revision: number): Promise<void> {
    if (this.#broken) return Promise.reject(this.#broken);
    return new Promise((resolve, reject) => {
      this.#compaction = { resolve, reject };
      this.#link.post({ what: 'compact', revision });
    });
  }

  /** Resolves when everything that is pending is durable, or refused. */
  async flush(): Promise<void> {
    while (this.#pending.length > 0) this.#post();
    this.#link.finish();
    if (this.#posted.length === 0 && this.#applied.length === 0) return;
    await new Promise<void>((resolve, reject) => this.#idle.push({ resolve, reject })).catch(() => {});
  }

  /** Closes the file. Everything was flushed. */
  close(): Promise<void> {
    this.#closed = true;
    return this.#link.close();
  }

  #schedule(): void {
    if (this.#scheduled || this.#posted.length >= GROUPS || this.#pending.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#pending.length > 0) this.#post();
      this.#schedule();
    });
  }

  #post(): void {
    const cells: Cell[] = [];
    let records = 0;
    let chars = 0;
    let n = 0;
    while (n < this.#pending.length && n < GROUP_BATCHES && records < GROUP_RECORDS && chars < GROUP_CHARS) {
      const { batch } = this.#pending[n] as Pending;
      records += batch.ops.length;
      chars += encodeBatch(cells, batch);
      n++;
    }
    this.#posted.push(this.#pending.splice(0, n));
    this.#link.post({ what: 'write', cells, records, chars });
  }

  #hear(answer: WriterAnswer): void {
    if (this.#broken || this.#closed) return;
    if (answer.what === 'applied') this.#apply(answer.writes, answer.outcomes);
    else if (answer.what === 'durable') this.#end(answer);
    else if (answer.what === 'refused') this.#refuse(answer.writes, answer.why);
    else if (answer.what === 'broken') this.#break(answer.why);
    else this.#endCompaction(answer);
  }

  #apply(writes: number, outcomes: number[]): void {
    const batches = this.#posted.splice(0, writes).flat();
    const read = readOutcomes(outcomes, (id) => this.#valueBefore(id));
    for (const pending of batches) {
      const outcome = read(pending.batch);
      this.#applied.push({ pending, outcome });
      if ('conflict' in outcome) continue;
      this.#revision = outcome.revision;
      pending.onApplied?.(outcome.revision);
    }
    this.#schedule();
  }

  /** What was applied is durable. */
  #end({ waits, seconds, records, bytes }: Extract<WriterAnswer, { what: 'durable' }>): void {
    const applied = this.#applied;
    this.#applied = [];
    this.#durable = this.#revision;
    this.stats.transactions += waits;
    this.stats.seconds += seconds;
    this.stats.records += records;
    this.stats.bytes += bytes;
    for (const { outcome } of applied)
      if ('changes' in outcome && outcome.changes.length > 0) this.#options.publish(outcome);
    for (const { pending, outcome } of applied) {
      if ('conflict' in outcome) {
        this.stats.conflicts++;
        pending.reject(outcome.conflict);
      } else {
        this.stats.batches++;
        pending.resolve({ revision: outcome.revision });
      }
    }
    if (this.#readers.length > 0) {
      const readers = this.#readers;
      this.#readers = readers.filter(({ revision }) => revision > this.#durable);
      for (const { revision, resolve } of readers) if (revision <= this.#durable) resolve();
    }
    this.#wakeIdle();
  }

  #refuse(writes: number, why: string): void {
    const unavailable = storeUnavailable('make the change durable', why);
    const refused = this.#posted.splice(0, writes).flat();
    this.stats.failures += refused.length;
    for (const { reject } of refused) reject(unavailable);
    this.#wakeIdle();
    this.#schedule();
  }

  #wakeIdle(): void {
    if (this.#posted.length > 0 || this.#applied.length > 0) return;
    for (const { resolve } of this.#idle.splice(0)) resolve();
  }

  #endCompaction(answer: Extract<WriterAnswer, { what: 'compacted' | 'notCompacted' }>): void {
    const compaction = this.#compaction;
    this.#compaction = undefined;
    if (answer.what === 'compacted') {
      this.#oldest = answer.oldest;
      compaction?.resolve();
    } else {
      compaction?.reject(storeUnavailable('compact its history', answer.why));
    }
  }

  /**
   * What a disk holds that failed to say so is not known, and asking it again proves nothing (the kernel forgets what it
   * could not write). Nothing is read or written any more; who opens the store again sees what is there.
   */
  #break(why: string): void {
    const error = storeUnavailable('make changes durable any more; the server must be started again', why);
    this.#broken = error;
    const refused = [
      ...this.#applied.splice(0).map(({ pending }) => pending),
      ...this.#posted.splice(0).flat(),
      ...this.#pending.splice(0),
    ];
    this.stats.failures += refused.length;
    const waiting: Pick<Waiter, 'reject'>[] = [...refused, ...this.#readers.splice(0), ...this.#idle.splice(0)];
    if (this.#compaction) waiting.push(this.#compaction);
    for (const { reject } of waiting) reject(error);
    this.#options.onBroken(error);
  }

  #valueBefore(id: number): string {
    const value = this.#options.reads.valueOf(id);
    // Compacted away since: who asks so late lists again.
    if (value === undefined) throw slowWatcher(DEFAULT_RETENTION.minRevisions);
    return value;
  }
}
