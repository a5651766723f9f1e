/**
 * Whether the store was put back to an earlier time: then states are older than what Terraform has made since, and each waits until a
 * person has said that it is good. Noted by the fleet, which knows it from hosts (`fleet/term.ts`).
 */
import { keys } from './keys.ts';
import { parsedRecord } from './parsed.ts';
import type { Op, Store } from './store.ts';

export interface PutBack {
  /** Term of the control plane that found it out; higher each time. */
  term: number;
  /** When that was. Milliseconds since the epoch. */
  at: number;
}

const KEY = keys.control('put-back');
const count = { type: 'integer', minimum: 0 };
const SCHEMA = { type: 'object', required: ['term', 'at'], properties: { term: count, at: count } };

/** No term is higher: of a note that cannot be read it is only known that there is one. */
const UNKNOWN: PutBack = { term: 2 ** 52, at: 8.64e15 };

/** Undefined: it never was, as far as is known. */
export async function readPutBack(store: Pick<Store, 'get'>): Promise<PutBack | undefined> {
  const entry = await store.get(KEY);
  return entry && (parsedRecord<PutBack>(SCHEMA, entry.value) ?? UNKNOWN);
}

/**
 * Notes that a host has obeyed `heard`, which this store does not know, although it went on as `term` only later. Those whose terms are
 * of the same lost time say nothing new.
 */
export async function notePutBack(store: Store, heard: number, found: PutBack): Promise<void> {
  const entry = await store.get(KEY);
  const before = await readPutBack(store);
  if (before && heard < before.term) return;
  await store.commit({ preconditions: [{ key: KEY, revision: entry?.revision ?? 0 }], ops: [putBackOp(found)] });
}

/** The write that notes it. */
export function putBackOp(found: PutBack): Op {
  return { type: 'put', key: KEY, value: JSON.stringify(found) };
}
