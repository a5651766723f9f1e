import { closeSync, fdatasync, fdatasyncSync, fstatSync, openSync, statSync } from 'node:fs';
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
 *
 * A file that somebody moved, removed or replaced goes on taking what is written, and no later start would find it there:
 * after each wait it is looked whether the files are those that are open.
 */
export class SqliteLog implements DurableLog {
  readonly #fd: number;
  /** What lies where, since it was opened. */
  readonly #files: readonly { path: string; dev: number; ino: number }[];

  /** `db` is in WAL mode and was read from: the log is there, and stays as long as `db` is open. */
  constructor(db: DatabaseSync) {
    const path = db.location()!;
    this.#fd = openSync(`${path}-wal`, 'r');
    this.#files = [
      { path, ...statSync(path) },
      { path: `${path}-wal`, ...fstatSync(this.#fd) },
    ].map(({ path, dev, ino }) => ({ path, dev, ino }));
  }

  sync(done: (error: Error | null) => void): void {
    fdatasync(this.#fd, (error) => done(error ?? this.#moved()));
  }

  syncNow(): void {
    fdatasyncSync(this.#fd);
    const moved = this.#moved();
    if (moved) throw moved;
  }

  #moved(): Error | null {
    const moved = this.#files.find(({ path, dev, ino }) => {
      const found = statSync(path, { throwIfNoEntry: false });
      return found?.ino !== ino || found.dev !== dev;
    });
    if (!moved) return null;
    return new Error(
      `${moved.path} was moved, removed or replaced while the server runs, and what is written now would be lost. Stop the server before its files are touched`,
    );
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
