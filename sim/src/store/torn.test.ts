/**
 * The real files of the embedded store as a power failure may leave them inside a checkpoint, and where the log begins
 * anew: moments that end within one call of SQLite, so that no copy of the files can be taken there. They are put together
 * from the files before and after, by what SQLite writes and syncs in which order (sqlite.org/fileformat2.html section 4,
 * walformat.html; `sqlite3WalFrames` and `walCheckpoint` of wal.c), with `synchronous` at NORMAL or above:
 *
 * 1. A checkpoint syncs the log, then writes into the file the newest copy of each page that the log holds, then syncs the
 *    file. Until that last sync, any of these pages may have reached the disk, whole or in part, in any order; the log is
 *    there as it was, and is what is read.
 * 2. The log begins anew only behind a checkpoint that is complete and synced. Its header is written over the old one and
 *    synced; then frames are written over old frames. Of the header any part may be there; behind it any sectors.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteStore } from '@plumb/reconciler/store/sqlite.ts';
import { connect } from '@plumb/reconciler/store/sqlite-connection.ts';
import { openStoreFile, STORE_FILE } from '@plumb/reconciler/store/sqlite-file.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Dice } from '../core/dice.ts';

const PAGE_BYTES = 4096;
const SECTOR_BYTES = 512;
const LOG_HEADER_BYTES = 32;
const WRITES = 40;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plumb-torn-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Files {
  file: Buffer;
  log: Buffer;
  /** Writes that were acknowledged by then. */
  acknowledged: number;
}

const key = (n: number) => `/w/${String(n).padStart(4, '0')}`;

/** A store that folds its log into its file often, and its files after each write. */
async function written(): Promise<Files[]> {
  const dir = join(folder, 'store');
  const file = openStoreFile(dir);
  const writing = connect(file.path, 'writing');
  writing.exec('PRAGMA wal_autocheckpoint = 12');
  const store = new SqliteStore(file, { writing });
  const taken: Files[] = [];
  const path = join(dir, STORE_FILE);
  for (let n = 0; n < WRITES; n++) {
    const value = 'x'.repeat(200 + ((n * 977) % 3_000));
    const overwritten = { type: 'put' as const, key: '/newest', value: String(n) };
    await store.commit({ preconditions: [], ops: [{ type: 'put', key: key(n), value }, overwritten] });
    taken.push({ file: readFileSync(path), log: readFileSync(`${path}-wal`), acknowledged: n + 1 });
  }
  await store.close();
  return taken;
}

/** What opens from the two files: how many of the writes, which must be the first ones, and nothing of any other. */
async function opened(file: Buffer, log: Buffer): Promise<number> {
  const copy = join(folder, 'copy');
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy);
  writeFileSync(join(copy, STORE_FILE), file);
  writeFileSync(join(copy, `${STORE_FILE}-wal`), log);
  const copied = openStoreFile(copy);
  const store = new SqliteStore(copied, { writing: connect(copied.path, 'writing') });
  try {
    const { entries } = await store.list('/w/');
    expect(entries.map((e) => e.key)).toEqual(entries.map((_, i) => key(i)));
    expect(await store.get('/newest')).toMatchObject({ value: String(entries.length - 1) });
    return entries.length;
  } finally {
    await store.close();
  }
}

/** Numbers of the parts, `size` bytes each, in which the two differ. */
function differing(before: Buffer, after: Buffer, size: number): number[] {
  const found: number[] = [];
  for (let part = 0; part * size < Math.max(before.length, after.length); part++) {
    const [from, to] = [part * size, (part + 1) * size];
    if (!before.subarray(from, to).equals(after.subarray(from, to))) found.push(part);
  }
  return found;
}

/** `before`, with these parts of `after` written over it; of the last one only the first `bytes`. */
function overwritten(before: Buffer, after: Buffer, parts: readonly number[], size: number, bytes = size): Buffer {
  const end = Math.max(before.length, ...parts.map((part) => Math.min((part + 1) * size, after.length)));
  const result = Buffer.alloc(end);
  before.copy(result);
  for (const part of parts)
    after.copy(result, part * size, part * size, part * size + (part === parts.at(-1) ? bytes : size));
  return result;
}

/** Each alone, all but each, the first of them in order, and some by chance. */
function subsets(parts: readonly number[], dice: Dice): number[][] {
  const some = Array.from({ length: 6 }, () => parts.filter(() => dice.chance(0.5)));
  return [
    ...parts.map((part) => [part]),
    ...parts.map((part) => parts.filter((other) => other !== part)),
    ...parts.map((_, count) => parts.slice(0, count)),
    ...some,
  ];
}

const beginsWith = (log: Buffer, start: Buffer) => log.subarray(0, start.length).equals(start);

test('a power failure inside a checkpoint loses nothing, whichever pages it has written', {
  timeout: 120_000,
}, async () => {
  const dice = new Dice('checkpoint');
  const states = await written();
  let checkpoints = 0;
  let cuts = 0;
  for (const [i, before] of states.entries()) {
    const after = states[i + 1];
    // The call wrote its frames, and then folded the log into the file.
    if (!after || after.file.equals(before.file)) continue;
    checkpoints++;
    const pages = differing(before.file, after.file, PAGE_BYTES);
    for (const subset of subsets(pages, dice)) {
      cuts++;
      const bytes = dice.pick([PAGE_BYTES, PAGE_BYTES, SECTOR_BYTES * dice.between(1, 7)]);
      const file = overwritten(before.file, after.file, subset, PAGE_BYTES, bytes);
      expect(await opened(file, after.log), `pages ${subset}`).toBe(after.acknowledged);
    }
  }
  expect(checkpoints).toBeGreaterThan(3);
  expect(cuts).toBeGreaterThan(60);
});

test('a power failure where the log begins anew loses nothing, whichever part of it is there', {
  timeout: 120_000,
}, async () => {
  const dice = new Dice('log');
  const states = await written();
  let begun = 0;
  for (const [i, before] of states.entries()) {
    const after = states[i + 1];
    if (!after?.file.equals(before.file) || beginsWith(after.log, before.log.subarray(0, LOG_HEADER_BYTES))) continue;
    begun++;
    for (let bytes = 0; bytes < LOG_HEADER_BYTES; bytes++) {
      const log = overwritten(before.log, after.log, [0], LOG_HEADER_BYTES, bytes);
      expect(await opened(before.file, log), `${bytes} bytes of the header`).toBe(before.acknowledged);
    }
    const headed = overwritten(before.log, after.log, [0], LOG_HEADER_BYTES);
    for (const subset of subsets(differing(headed, after.log, SECTOR_BYTES), dice)) {
      const log = overwritten(headed, after.log, subset, SECTOR_BYTES);
      expect(await opened(before.file, log), `sectors ${subset}`).toBeGreaterThanOrEqual(before.acknowledged);
    }
  }
  expect(begun).toBeGreaterThan(3);
});
