import { type PlumbError, terminal } from '@plumb/schemas';
import { type Batch, MAX_BATCH_BYTES, MAX_BATCH_KEYS, MAX_BYTES_BESIDE_ONE, type Op } from './store.ts';

/** Keys are printable ASCII without space, so that every backend sorts them alike: UTF-16, UTF-8 and bytes agree. */
const KEY = /^[\x21-\x7e]+$/;
/** Longer than any that is made of names and uids; every one can stand in the path of a request. */
export const LONGEST_KEY = 1_024;

/** Greater than every key that begins with `prefix`, smaller than every other key that is greater than `prefix`. */
export function endOfPrefix(prefix: string): string {
  return `${prefix}\x7f`;
}

/**
 * Throws PlumbError `InvalidBatch` (terminal): the caller broke a rule of the store's interface; and `BatchTooLarge` (terminal) for more
 * bytes than one commit takes.
 */
export function checkBatch(batch: Batch): void {
  const { ops, preconditions } = batch;
  if (ops.length > MAX_BATCH_KEYS || preconditions.length > MAX_BATCH_KEYS) {
    throw invalid(
      `${ops.length} writes and ${preconditions.length} preconditions; at most ${MAX_BATCH_KEYS} of each fit one batch`,
    );
  }
  const seen = new Set<string>();
  for (const op of ops) {
    checkKey(op.key);
    if (seen.has(op.key)) throw invalid(`${op.key} is written twice`);
    seen.add(op.key);
    if (op.type === 'put' && (typeof op.value !== 'string' || !op.value.isWellFormed())) {
      throw invalid(`the value of ${op.key} is not well-formed Unicode text`);
    }
  }
  if (!fitsOneBatch(ops)) throw tooLarge(ops);
  for (const { key, revision } of preconditions) {
    checkKey(key);
    if (!Number.isSafeInteger(revision) || revision < 0) throw invalid(`${revision} is no revision (of ${key})`);
  }
}

/** Bytes of the key and the value. */
export function bytesOf(op: Op): number {
  return op.key.length + (op.type === 'put' ? Buffer.byteLength(op.value) : 0);
}

/** Whether one commit takes as many bytes. */
export function fitsOneBatch(ops: readonly Op[]): boolean {
  let atMost = 0;
  // A character has three bytes at most: nearly always that is proof enough.
  for (const op of ops) atMost += op.key.length + (op.type === 'put' ? 3 * op.value.length : 0);
  if (atMost <= MAX_BATCH_BYTES) return true;
  const sizes = ops.map(bytesOf);
  const bytes = sum(sizes);
  return bytes <= MAX_BATCH_BYTES || bytes - Math.max(...sizes) <= MAX_BYTES_BESIDE_ONE;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function tooLarge(ops: readonly Op[]): PlumbError {
  return terminal(
    'BatchTooLarge',
    `${ops.length} records of together ${sum(ops.map(bytesOf))} bytes are to be written at once, and one commit takes ${MAX_BATCH_BYTES}: nothing was written; make what is written together smaller, or fewer`,
  );
}

/** Whether a store takes it as a key. */
export function isKey(key: string): boolean {
  return typeof key === 'string' && key.length <= LONGEST_KEY && KEY.test(key);
}

function checkKey(key: string): void {
  if (!isKey(key)) {
    const shown = JSON.stringify(key.length > 100 ? `${key.slice(0, 100)}…` : key);
    throw invalid(`the key ${shown} is empty, too long, or has characters other than printable ASCII`);
  }
}

function invalid(what: string): PlumbError {
  return terminal('InvalidBatch', `the store cannot take this batch: ${what}`);
}
