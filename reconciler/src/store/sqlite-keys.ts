/**
 * Keys that no server writes, because another program wrote into the store's file: what cannot be printed, bytes that are no
 * text, names without end. No client could name such a record, nor could a commit. They are given a name when the file is opened,
 * at the same place, so that the record is listed, read and deleted like any other that is wrong.
 */
import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { LONGEST_KEY } from './check.ts';

/** Characters that are kept of a key. */
const KEPT = 160;

/** GLOB looks no further than the first NUL, which is where characters and bytes are counted differently, as in what is not ASCII. */
const IS_ODD = `(typeof(key) <> 'text' OR length(key) <> length(CAST(key AS BLOB)) OR length(key) NOT BETWEEN 1 AND ${LONGEST_KEY}
  OR key GLOB '*[^!-~]*')`;

/** Keys that are looked at together: one text of many costs a tenth of as many rows. */
const PART = 20_000;
const PRINTABLE = /^[\x21-\x7e]*$/;

/** Inside a transaction. History before the newest version of a key keeps the key that it was written under. */
export function nameOddKeys(db: DatabaseSync): void {
  if (!hasOddKeys(db)) return;
  db.function('printable_key', { deterministic: true }, (bytes) => printableKey(bytes as Uint8Array));
  const named = 'printable_key(CAST(key AS BLOB))';
  db.exec(`UPDATE versions SET key = ${named} WHERE ${IS_ODD} AND id IN (SELECT id FROM entries WHERE ${IS_ODD})`);
  db.exec(`UPDATE OR REPLACE entries SET key = ${named} WHERE ${IS_ODD}`);
}

function hasOddKeys(db: DatabaseSync): boolean {
  const part = (where: string) =>
    db.prepare(
      `SELECT group_concat(key, ',') AS text, min(length(key)) AS shortest, max(length(key)) AS longest,
         total(typeof(key) <> 'text') AS others, max(key) AS last, count(*) AS count
       FROM (SELECT key FROM entries ${where} ORDER BY key LIMIT ${PART})`,
    );
  const next = part('WHERE key > ?');
  const partOf = (row: unknown) => row as Part;
  for (let found = partOf(part('').get()); found.count > 0; found = partOf(next.get(found.last))) {
    const { text, shortest, longest, others } = found;
    if (others > 0 || shortest === 0 || longest > LONGEST_KEY || !PRINTABLE.test(text)) return true;
    if (found.count < PART) break;
  }
  return false;
}

interface Part {
  text: string;
  shortest: number;
  longest: number;
  /** Keys that are no texts. */
  others: number;
  last: string;
  count: number;
}

/** Bytes that cannot be printed as `%01`, and behind them a part of the checksum of all: no other key gets the same name. */
export function printableKey(bytes: Uint8Array): string {
  let name = '';
  for (const byte of bytes) {
    if (name.length >= KEPT) break;
    name += byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0')}`;
  }
  return `${name}~${createHash('sha256').update(bytes).digest('hex').slice(0, 12)}`;
}
