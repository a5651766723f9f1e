import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Entry } from '@plumb/reconciler/store/store.ts';

/** Bytes of a file with a bare table of the same keys and values: no revisions, no history, nothing free. */
export function bareTableBytes(folder: string, entries: readonly Entry[]): number {
  const path = join(folder, 'bare.db');
  rmSync(path, { force: true });
  const db = new DatabaseSync(path);
  try {
    db.exec('CREATE TABLE entries (key TEXT PRIMARY KEY, value TEXT NOT NULL); BEGIN');
    const put = db.prepare('INSERT INTO entries (key, value) VALUES (?, ?)');
    for (const { key, value } of entries) put.run(key, value);
    db.exec('COMMIT; VACUUM');
    return bytesInUse(db);
  } finally {
    db.close();
  }
}

/** Bytes of the pages that hold something. */
export function bytesInUse(db: DatabaseSync): number {
  const pragma = (name: string) => Number(Object.values(db.prepare(`PRAGMA ${name}`).get()!)[0]);
  return (pragma('page_count') - pragma('freelist_count')) * pragma('page_size');
}
