import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const RECORD = 'x'.repeat(1024);

/**
 * 3N records of 1 KiB made durable, in three transactions that follow each other: a create needs three, since its
 * object is acknowledged before it is planned and planned before it has an effect. The same library and the same
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

  /** Milliseconds for `n` creates. */
  measure(n: number): number {
    const put = this.#db.prepare('INSERT INTO records (key, value) VALUES (?, ?)');
    const started = performance.now();
    for (let transaction = 0; transaction < 3; transaction++) {
      this.#db.exec('BEGIN IMMEDIATE');
      for (let i = 0; i < n; i++) put.run(`/records/${this.#next++}`, RECORD);
      this.#db.exec('COMMIT');
    }
    return performance.now() - started;
  }

  close(): void {
    this.#db.close();
  }
}
