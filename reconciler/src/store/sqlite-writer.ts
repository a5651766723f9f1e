import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { DurableLog } from './sqlite-log.ts';
import type { WriterAnswer, WriterRequest } from './sqlite-messages.ts';
import { SqliteWrites } from './sqlite-writes.ts';

/** Bounds of one transaction. */
const RECORDS = 10_000;
const CHARS = 16_000_000;

/** A transaction that was made, and is not durable yet. */
interface Made {
  startedAt: number;
  records: number;
  bytes: number;
}

interface Write {
  what: 'write';
  cells: Extract<WriterRequest, { what: 'write' }>['cells'];
  records: number;
  chars: number;
}

/**
 * Writes to the store's file: what waits is one transaction, and waits once for the disk, together; batches fail alone.
 * What comes while the disk is waited for is the next one. Runs on the thread of sqlite-thread.ts, or on that of its user.
 */
export class SqliteWriter {
  readonly #db: DatabaseSync;
  readonly #log: DurableLog;
  readonly #answer: (answer: WriterAnswer) => void;
  readonly #writes: SqliteWrites;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #requests: WriterRequest[] = [];
  /** What the disk is waited for. */
  #waiting: Made | undefined;
  #working = false;
  #broken = false;

  /** The writer takes database and log over. `answer`: told of each request, in order; it throws nothing. */
  constructor(db: DatabaseSync, log: DurableLog, answer: (answer: WriterAnswer) => void) {
    this.#db = db;
    this.#log = log;
    this.#answer = answer;
    this.#writes = new SqliteWrites(db);
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#commit = db.prepare('COMMIT');
  }

  /** Notes the request: it is carried out by `work`. */
  take(request: WriterRequest): void {
    this.#requests.push(request);
  }

  /** Carries out what was taken, until there is nothing more or the disk is waited for: then it goes on by itself. */
  work(): void {
    if (this.#working) return;
    this.#working = true;
    while (this.#requests.length > 0 && !this.#waiting && !this.#broken) {
      const made = this.#next();
      if (!made) continue;
      this.#waiting = made;
      this.#log.sync((error) => {
        // A finish may have come before.
        if (this.#waiting !== made) return;
        this.#end(made, error);
        this.work();
      });
    }
    this.#working = false;
  }

  /** Carries out what was taken, and waits for the disk here. */
  finish(): void {
    if (this.#waiting) this.#waitHere(this.#waiting);
    while (this.#requests.length > 0 && !this.#broken) {
      const made = this.#next();
      if (made) this.#waitHere(made);
    }
  }

  /** Closes database and log; what was not carried out is not. */
  close(): void {
    this.#log.close();
    this.#db.close();
  }

  #waitHere(made: Made): void {
    let failure: Error | null = null;
    try {
      this.#log.syncNow();
    } catch (error) {
      failure = error as Error;
    }
    this.#end(made, failure);
  }

  /** Carries out the next request, or the next ones that fit one transaction. Returns what the disk is to confirm. */
  #next(): Made | undefined {
    const [first] = this.#requests;
    if (first?.what !== 'compact') return this.#apply(this.#takeWrites());
    this.#requests.shift();
    this.#compact(first.revision);
    return undefined;
  }

  #takeWrites(): Write[] {
    let records = 0;
    let chars = 0;
    let n = 0;
    for (const request of this.#requests) {
      if (request.what !== 'write') break;
      records += request.records;
      chars += request.chars;
      if (n > 0 && (records > RECORDS || chars > CHARS)) break;
      n++;
    }
    return this.#requests.splice(0, n) as Write[];
  }

  /** Makes the transaction of these; undefined when there is nothing of it to wait for. */
  #apply(writes: Write[]): Made | undefined {
    const before = this.#writes.revision;
    const outcomes: number[] = [];
    const made = { startedAt: performance.now(), records: 0, bytes: 0 };
    try {
      this.#transaction(() => {
        for (const { cells } of writes) this.#write(cells, outcomes, made);
      });
    } catch (error) {
      this.#answer({ what: 'refused', writes: writes.length, why: messageOf(error) });
      return undefined;
    }
    this.#answer({ what: 'applied', writes: writes.length, outcomes });
    if (this.#writes.revision > before) return made; // guard: acknowledged before it is durable
    this.#answer({ what: 'durable', waits: 0, seconds: 0, records: 0, bytes: 0 });
    return undefined;
  }

  /** Preconditions are read in the transaction, so they see the earlier batches of the group. */
  #write(cells: Write['cells'], outcomes: number[], made: Made): void {
    for (let at = 0; at < cells.length; ) {
      const preconditions = cells[at] as number;
      const wrong: number[] = [];
      for (let i = 0; i < preconditions; i++) {
        const key = cells[at + 1 + 2 * i] as string;
        if (this.#writes.revisionOf(key) !== cells[at + 2 + 2 * i]) wrong.push(i);
      }
      at += 1 + 2 * preconditions;
      const ops = cells[at] as number;
      at++;
      if (wrong.length > 0) {
        outcomes.push(-wrong.length, ...wrong);
      } else {
        const revisionAt = outcomes.push(0) - 1;
        this.#writes.write(cells, at, ops, outcomes, made);
        outcomes[revisionAt] = this.#writes.revision;
      }
      at += 2 * ops;
    }
  }

  /** The disk has the transaction, or has failed. */
  #end(made: Made, error: Error | null): void {
    this.#waiting = undefined;
    if (error) {
      this.#broken = true;
      this.#requests.length = 0;
      this.#answer({ what: 'broken', why: error.message });
      return;
    }
    const seconds = (performance.now() - made.startedAt) / 1000;
    this.#answer({ what: 'durable', waits: 1, seconds, records: made.records, bytes: made.bytes });
  }

  #compact(revision: number): void {
    try {
      this.#transaction(() => this.#writes.compactPart(revision));
      this.#answer({ what: 'compacted', oldest: this.#writes.oldest });
    } catch (error) {
      this.#answer({ what: 'notCompacted', why: messageOf(error) });
    }
  }

  /** Runs `work` in a transaction. When it throws, nothing of it is left: neither in the file nor in what is remembered. */
  #transaction(work: () => void): void {
    const { revision, oldest } = this.#writes;
    try {
      this.#begin.run();
      work();
      this.#commit.run(); // guard: lost acknowledged create
    } catch (error) {
      // A full disk ends the transaction by itself; other failures leave it open.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      this.#writes.reset(revision, oldest);
      throw error;
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
