/** How revisions stand in the rows of the tables of sqlite-file.ts. */
import type { DatabaseSync } from 'node:sqlite';

/** Ids of versions that each revision has: part of the format of the file. No batch writes more keys. */
export const IDS_PER_REVISION = 128;

/** Rows of history that are read, or compacted, at a time. */
export const PART_ROWS = 2_000;

/** The revision of a version's id. */
export function revisionOf(id: number): number {
  return Math.floor(id / IDS_PER_REVISION);
}

/** The smallest id of a version that is newer than the revision. */
export function idsAfter(revision: number): number {
  return (revision + 1) * IDS_PER_REVISION;
}

/** Reads the revision of the last commit, and the oldest one that can be read. */
export function readHorizon(db: DatabaseSync): () => { revision: number; oldest: number } {
  const statement = db.prepare('SELECT oldest, (SELECT max(id) FROM versions) FROM horizon');
  statement.setReturnArrays(true);
  return () => {
    const [oldest, last] = statement.get() as unknown as [number, number | null];
    // A deletion that was compacted away may have been the last commit.
    return { revision: Math.max(oldest, revisionOf(last ?? 0)), oldest };
  };
}
