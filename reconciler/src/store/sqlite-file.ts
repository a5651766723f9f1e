import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { PlumbError } from '@plumb/schemas';
import { dataFolderDamaged, dataFolderInUse, storeUnavailable } from './errors.ts';

/** Name of the store's file in the data folder. */
export const STORE_FILE = 'store.db';

/** "plmb": tells our files from other SQLite files. */
const APPLICATION_ID = 0x706c6d62;
/** Of the tables below. */
const FORMAT = 1;

/**
 * `versions` holds every value that a key ever had, in the order of writing: id = revision * 128 + position in the
 * batch. A deletion is a version without value. `entries` says which version of a key is the newest, so that a put
 * appends one row and changes one small row, and each value is stored once.
 */
const TABLES = `
  CREATE TABLE versions (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    previous INTEGER,
    value TEXT
  );
  CREATE TABLE entries (
    key TEXT PRIMARY KEY,
    id INTEGER NOT NULL,
    live INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE horizon (oldest INTEGER NOT NULL);
  INSERT INTO horizon VALUES (0);
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${FORMAT};
`;

/**
 * Opens the store's file in `folder`, making both if they are not there, and holds it for this process alone until it
 * is closed or the process ends, however it ends. The hold is a POSIX lock on the file: nothing in this process may
 * open and close the file by other means, or the lock is gone.
 *
 * Throws PlumbError `DataFolderInUse` or `DataFolderDamaged` (terminal), or `StoreUnavailable` (retry).
 */
export function openStoreFile(folder: string): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    const path = makeFile(resolve(folder));
    db = new DatabaseSync(path, { enableForeignKeyConstraints: false });
    // Exclusive before the first access: the lock is taken once and kept, and no shared memory file is needed.
    db.exec('PRAGMA locking_mode = EXCLUSIVE');
    db.exec('PRAGMA journal_mode = WAL');
    // NORMAL: sqlite-log.ts waits for the disk before a commit is acknowledged; where the log is folded into the file,
    // SQLite does. fullfsync: on macOS too.
    db.exec(
      'PRAGMA synchronous = NORMAL; PRAGMA fullfsync = ON; PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY',
    );
    db.exec('PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864');
    db.exec('BEGIN IMMEDIATE');
    prepareTables(db, folder);
    db.exec('COMMIT');
    return db;
  } catch (error) {
    db?.close();
    throw openError(folder, error);
  }
}

/** Makes folder and file readable for this user only, and their names durable. Returns the path of the file. */
function makeFile(folder: string): string {
  const path = join(folder, STORE_FILE);
  const made = mkdirSync(folder, { recursive: true, mode: 0o700 });
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return path;
    throw error;
  }
  for (let at = folder; ; at = dirname(at)) {
    syncFolder(at);
    if (!made || at.length < made.length || at === dirname(at)) break;
  }
  return path;
}

function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function prepareTables(db: DatabaseSync, folder: string): void {
  const format = pragma(db, 'user_version');
  const application = pragma(db, 'application_id');
  if (format === 0 && application === 0) {
    const tables = db.prepare('SELECT count(*) AS n FROM sqlite_schema').get() as { n: number };
    if (tables.n > 0) throw dataFolderDamaged(folder, `${STORE_FILE} is a database of another program`);
    db.exec(TABLES);
    return;
  }
  if (application !== APPLICATION_ID) throw dataFolderDamaged(folder, `${STORE_FILE} is a database of another program`);
  if (format !== FORMAT) {
    throw dataFolderDamaged(folder, `it has format ${format}, and this version of Plumb reads format ${FORMAT}`);
  }
}

function pragma(db: DatabaseSync, name: 'user_version' | 'application_id'): number {
  const row = db.prepare(`PRAGMA ${name}`).get() as Record<string, number>;
  return row[name] ?? 0;
}

/** Primary result codes of SQLite (https://sqlite.org/rescode.html). */
const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

function openError(folder: string, error: unknown): PlumbError {
  if ((error as Error)?.name === 'PlumbError') return error as PlumbError;
  const code = ((error as { errcode?: number }).errcode ?? 0) & 0xff;
  if (code === SQLITE_BUSY) return dataFolderInUse(folder);
  if (code === SQLITE_CORRUPT || code === SQLITE_NOTADB) return dataFolderDamaged(folder, (error as Error).message);
  return storeUnavailable(`open its data folder ${folder}`, error);
}
