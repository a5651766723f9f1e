/**
 * The term: which start of the control plane speaks. Hosts obey the highest that they have heard of, so that a control
 * plane whose time is over cannot command them any more.
 */
import { terminal } from '@plumb/schemas';
import { ConflictError } from '../store/errors.ts';
import { keys } from '../store/keys.ts';
import type { Store } from '../store/store.ts';

const KEY = keys.control('term');

/** No host may push the term further than this, so that it stays an exact number for ever. */
const MOST = 2 ** 52;

/** The term of this start, one higher than every one before. Durable when it resolves: only then may it be used. */
export function nextTerm(store: Store): Promise<number> {
  return raise(store, (kept) => kept + 1);
}

/**
 * A term above `heard`, which a host has obeyed: the store was restored from a time before it, or begun anew.
 * Throws PlumbError `TermOutOfRange` (terminal) when no control plane can have said `heard`.
 */
export async function termAbove(store: Store, heard: number): Promise<number> {
  if (!Number.isSafeInteger(heard) || heard > MOST)
    throw terminal('TermOutOfRange', `the host says that it has obeyed term ${heard}, which no control plane has had`);
  return raise(store, (kept) => (kept > heard ? kept : heard + 1));
}

async function raise(store: Store, next: (kept: number) => number): Promise<number> {
  for (;;) {
    const entry = await store.get(KEY);
    const kept = entry === undefined ? 0 : Number(entry.value);
    const term = next(kept);
    if (term === kept) return term;
    try {
      await store.commit({
        preconditions: [{ key: KEY, revision: entry?.revision ?? 0 }],
        ops: [{ type: 'put', key: KEY, value: String(term) }],
      });
      return term;
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
    }
  }
}
