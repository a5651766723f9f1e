import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const RECORD = 'x'.repeat(1024);

/**
 * Records of 1 KiB made durable, in a number of transactions that follow each other. The same library and the same
 * durability as the store's, and nothing else: no revisions, no preconditions, no history.
 */
export class Records {
  readonly #db: DatabaseSync;
  #next = 0;

  constructor(folder: string) {
    this.#db = new DatabaseSync(join(folder, 'floor.db'));
    this.#db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    this.#db.exec('CREATE TABLE records (key TEXT PRIMARY KEY, value TEXT NOT NULL)');
  }

  /** Milliseconds for `records` in all, dealt out evenly over `transactions`. */
  measure(records: number, transactions: number): number {
    const put = this.#db.prepare('INSERT INTO records (key, value) VALUES (?, ?)');
    const started = performance.now();
    for (let transaction = 1, done = 0; transaction <= transactions; transaction++) {
      this.#db.exec('BEGIN IMMEDIATE');
      for (; done < (records * transaction) / transactions; done++) put.run(`/records/${this.#next++}`, RECORD);
      this.#db.exec('COMMIT');
    }
    return performance.now() - started;
  }

  close(): void {
    this.#db.close();
  }
}
