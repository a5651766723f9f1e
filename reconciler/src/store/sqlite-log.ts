import { closeSync, fdatasync, fdatasyncSync, openSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';

/** What makes commits durable. */
export interface DurableLog {
  /** Makes durable what was committed until now, and tells when it is. Called again only after it was told. */
  sync(done: (error: Error | null) => void): void;
  /** The same, waiting for it. Throws what the disk says. */
  syncNow(): void;
  close(): void;
}

/**
 * SQLite's write-ahead log. SQLite appends to it and leaves it to us to wait for the disk (`synchronous = NORMAL`: it
 * waits by itself only where it folds the log into the file, and before it begins the log anew). Here the disk is waited
 * for on a thread of the pool, while this one goes on.
 */
export class SqliteLog implements DurableLog {
  readonly #fd: number;

  /** `db` is in WAL mode and was read from: the log is there, and stays as long as `db` is open. */
  constructor(db: DatabaseSync) {
    this.#fd = openSync(`${db.location()}-wal`, 'r');
  }

  sync(done: (error: Error | null) => void): void {
    fdatasync(this.#fd, done);
  }

  syncNow(): void {
    fdatasyncSync(this.#fd);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** The same for a thread that has nothing else to do: it waits itself. */
export class BlockingLog extends SqliteLog {
  override sync(done: (error: Error | null) => void): void {
    let failure: Error | null = null;
    try {
      this.syncNow();
    } catch (error) {
      failure = error as Error;
    }
    done(failure);
  }
}
