import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { PlumbError } from '@plumb/schemas';
import { hold } from '@plumb/schemas/files/hold.ts';
import { dataFolderDamaged, dataFolderInUse, storeUnavailable } from './errors.ts';
import { connect } from './sqlite-connection.ts';
import { nameOddKeys } from './sqlite-keys.ts';

/** Name of the store's file in the data folder. */
export const STORE_FILE = 'store.db';
/** Name of the file beside it whose lock says that the folder is in use. It stays empty. */
const LOCK_FILE = 'store.lock';

/** "plmb": tells our files from other SQLite files. */
const APPLICATION_ID = 0x706c6d62;
/** Of the tables below, and of what stands in them. */
const FORMAT = 2;
/** Values in full: they are read as they are, and what is written becomes the new format. */
const FORMAT_BEFORE = 1;

/**
 * `versions` holds every value that a key ever had, in the order of writing: id = revision * 128 + position in the
 * batch. A deletion is a version without value. `entries` says which version of a key is the newest, so that a put
 * appends one row and changes one small row, and each value is stored once. How values stand there: sqlite-words.ts.
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

/** The store's file, held for this process alone. */
export interface StoreFile {
  path: string;
  /** A connection that only reads. */
  reading: DatabaseSync;
  /** Gives the folder free. Who writes to the file has ended; `reading` is closed. */
  release(): void;
}

/**
 * Opens the store's file in `folder`, making both if they are not there, and holds it for this process alone until it
 * is released or the process ends, however it ends. Who writes to it opens a connection of its own (sqlite-connection.ts).
 *
 * Throws PlumbError `DataFolderInUse` or `DataFolderDamaged` (terminal), or `StoreUnavailable` (retry).
 */
export function openStoreFile(folder: string): StoreFile {
  let held: DatabaseSync | undefined;
  let db: DatabaseSync | undefined;
  try {
    const path = makeFiles(resolve(folder));
    held = hold(join(dirname(path), LOCK_FILE));
    db = connect(path, 'reading');
    db.exec('BEGIN IMMEDIATE');
    prepareTables(db, folder);
    nameOddKeys(db);
    db.exec('COMMIT');
    db.exec('PRAGMA query_only = ON');
    return { path, reading: db, release: () => held?.close() };
  } catch (error) {
    db?.close();
    held?.close();
    throw openError(folder, error);
  }
}

/** Makes folder and files readable for this user only, and the store's name durable. Returns the path of the store's file. */
function makeFiles(folder: string): string {
  const made = mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, STORE_FILE);
  makeFile(join(folder, LOCK_FILE)); // nobody misses it after a power failure
  if (!makeFile(path)) return path;
  for (let at = folder; ; at = dirname(at)) {
    syncFolder(at);
    if (!made || at.length < made.length || at === dirname(at)) break;
  }
  return path;
}

/** Whether the file was not there. */
function makeFile(path: string): boolean {
  try {
    closeSync(openSync(path, 'wx', 0o600));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
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
  if (format === FORMAT_BEFORE) db.exec(`PRAGMA user_version = ${FORMAT}`);
  else if (format !== FORMAT)
    throw dataFolderDamaged(folder, `it has format ${format}, and this version of Plumb reads format ${FORMAT}`);
}

function pragma(db: DatabaseSync, name: 'user_version' | 'application_id'): number {
  const row = db.prepare(`PRAGMA ${name}`).get() as Record<string, number>;
  return row[name] ?? 0;
}

/** Primary result codes of SQLite (https://sqlite.org/rescode.html). */
const SQLITE_BUSY = 5;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;

/** SQLite says no more than that it cannot open a file. */
const MUST_BE_WRITABLE =
  "Plumb's user must be able to write there: look whether the disk is mounted read-only or fails, and what lies beside store.db";

/** What `error`, thrown while the store in the folder was opened, means to a person. */
export function openError(folder: string, error: unknown): PlumbError {
  if ((error as Error)?.name === 'PlumbError') return error as PlumbError;
  const code = ((error as { errcode?: number }).errcode ?? 0) & 0xff;
  if (code === SQLITE_BUSY) return dataFolderInUse(folder);
  if (code === SQLITE_CORRUPT || code === SQLITE_NOTADB) return dataFolderDamaged(folder, (error as Error).message);
  const unwritable = code === SQLITE_CANTOPEN || code === SQLITE_READONLY || code === SQLITE_IOERR;
  const todo = unwritable ? new Error(`${(error as Error).message}. ${MUST_BE_WRITABLE}`, { cause: error }) : error;
  return storeUnavailable(`open its data folder ${folder}`, todo);
}
