/**
 * What the store and its writer say to each other, made so that it is cheap to copy from thread to thread: batches and
 * their outcomes are flat lists. Requests are carried out, and answered, in order.
 */
import type { Batch } from './store.ts';

export type WriterRequest =
  | {
      what: 'write';
      /** Of each batch: number of preconditions, their keys and revisions; number of writes, their keys and values. */
      cells: Cell[];
      /** Keys and values together, for the bounds of a transaction. */
      records: number;
      chars: number;
    }
  | { what: 'compact'; revision: number };

/** A number, a key, a value, or null where a key is deleted. */
export type Cell = string | number | null;

export type WriterAnswer =
  /** So many `write`s are one transaction, and readers can see it. `outcomes` of their batches: see {@link UNCHANGED}. */
  | { what: 'applied'; writes: number; outcomes: number[] }
  /** What was applied last is durable. `waits`: how often the disk was waited for, in so many seconds of work and waiting. */
  | { what: 'durable'; waits: number; seconds: number; records: number; bytes: number }
  /** Nothing of so many `write`s was made. */
  | { what: 'refused'; writes: number; why: string }
  /** The oldest revision that can be read. */
  | { what: 'compacted'; oldest: number }
  | { what: 'notCompacted'; why: string }
  /** The disk did not confirm: nobody knows what it holds. The last answer. */
  | { what: 'broken'; why: string };

/**
 * The outcome of a batch is its revision, followed for each of its writes by the id of the version before, or CREATED, or
 * UNCHANGED for a deletion of what was not there. Or it is minus the number of preconditions that did not hold, followed
 * by their positions.
 */
export const UNCHANGED = -1;
export const CREATED = 0;

/** Adds the batch to `cells`. Returns how many characters of text it has. */
export function encodeBatch(cells: Cell[], { preconditions, ops }: Batch): number {
  let chars = 0;
  cells.push(preconditions.length);
  for (const { key, revision } of preconditions) cells.push(key, revision);
  cells.push(ops.length);
  for (const op of ops) {
    const value = op.type === 'put' ? op.value : null;
    cells.push(op.key, value);
    chars += op.key.length + (value?.length ?? 0);
  }
  return chars;
}
