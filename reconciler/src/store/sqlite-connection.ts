/** Connections to the store's file. Imports nothing: the writer's thread is to stay small. */
import { DatabaseSync } from 'node:sqlite';

/** What a connection may remember of the file's pages. Reading: emptied whenever something was written meanwhile. */
export const CACHE_KIB = { writing: 8_192, reading: 16_384 } as const;

/** How long a write waits for another program that looks into the file (milliseconds). None of ours writes beside it. */
const PATIENCE_MS = 5_000;

/** Opens the file at `path`, which is there, with a log in front of it. Several connections may be open at once. */
export function connect(path: string, use: keyof typeof CACHE_KIB): DatabaseSync {
  const db = new DatabaseSync(path, { enableForeignKeyConstraints: false });
  try {
    db.exec('PRAGMA journal_mode = WAL');
    // NORMAL: sqlite-log.ts waits for the disk before a commit is acknowledged; where the log is folded into the file,
    // SQLite does. fullfsync: on macOS too.
    db.exec('PRAGMA synchronous = NORMAL; PRAGMA fullfsync = ON; PRAGMA temp_store = MEMORY');
    db.exec(`PRAGMA cache_size = -${CACHE_KIB[use]}`);
    db.exec('PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864');
    if (use === 'writing') db.exec(`PRAGMA busy_timeout = ${PATIENCE_MS}`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
