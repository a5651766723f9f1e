import { DatabaseSync } from 'node:sqlite';

/**
 * Holds what is at `path`, an empty file, for this process alone until it is closed or the process ends, however it ends:
 * a lock of SQLite on a database that nobody writes. It is a POSIX lock: nothing in this process may open and close the
 * file by other means, or the lock is gone. Throws SQLite's `SQLITE_BUSY` when somebody else has it.
 */
export function hold(path: string): DatabaseSync {
  const db = new DatabaseSync(path);
  try {
    db.exec('BEGIN EXCLUSIVE');
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
