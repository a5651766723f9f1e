/**
 * The term: which start of the control plane speaks. Hosts obey the highest that they have heard of, so that a control
 * plane whose time is over cannot command them any more.
 *
 * A term is the time of the start in seconds, shifted by 20 random bits, or a random step above the term that the store
 * keeps when that is higher. So a store that was put back to an earlier time begins above every term of its later life
 * without asking a host, two starts do not collide, and a host that claims a term of the future can be told from an honest one.
 */
import type { Ambient } from '@plumb/schemas';
import { PlumbError } from '@plumb/schemas';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import { ConflictError } from '../store/errors.ts';
import { keys } from '../store/keys.ts';
import { parsedRecord } from '../store/parsed.ts';
import { putBackOp } from '../store/put-back.ts';
import type { Op, Store } from '../store/store.ts';

const KEY = keys.control('term');

/** Terms of one second: the random part. */
const STEP = 2 ** 20;

/** No time gives a higher term, so that a term stays an exact number after billions of further starts. */
const MOST = 2 ** 52;

/** The term of this start, higher than every one before. Durable when it resolves: only then may it be used. */
export function nextTerm(store: Store, { clock, random }: Pick<Ambient, 'clock' | 'random'>): Promise<number> {
  const step = Math.floor(random.next() * STEP);
  const now = termAt(clock.now());
  return raise(store, (kept) => {
    let term = Math.max(kept + 1, now);
    term += step; // guard: a restored store does not use a term again that hosts have obeyed
    return term;
  });
}

/**
 * A term above `heard`, which a host has obeyed: the store was put back to a time before it, or begun anew, while the
 * clock stood behind. Throws PlumbError `TermOutOfRange` (retry) when no control plane can have said `heard` by now: the
 * host alone is refused, and the term stays.
 */
export async function termAbove(
  store: Store,
  heard: number,
  now: number,
  { termAheadSeconds }: Pick<ServerLimits, 'termAheadSeconds'>,
): Promise<number> {
  // guard: no host pushes the term further than the clock
  if (!Number.isSafeInteger(heard) || heard > termAt(now + termAheadSeconds * 1000))
    throw new PlumbError({
      reason: 'TermOutOfRange',
      message: `its agent says that it has obeyed term ${heard}, which no control plane can have had by now: look after the clock of this server and that host. If a server's clock was ahead once, allow for it with termAheadSeconds in the limits file`,
      retry: 'retry',
    });
  // In the commit of the new term: once a host has obeyed that, nothing tells of the old one any more.
  return raise(
    store,
    (kept) => (kept > heard ? kept : heard + 1),
    (term) => [putBackOp({ term, at: now })],
  );
}

/** The lowest term of a control plane that starts at that time, in milliseconds since the epoch. */
export function termAt(now: number): number {
  return Math.min(MOST, Math.max(0, Math.floor(now / 1000)) * STEP);
}

/** Of a record that cannot be read the time of the start takes the place: every term that was is below it. */
function termOf(value: string): number {
  const term = value.trim() === '' ? Number.NaN : Number(value);
  return Number.isSafeInteger(term) && term >= 0 ? term : 0;
}

const ISSUED = keys.control('terms');
/** Of so many starts it is known under which terms they were. */
const MOST_ISSUED = 256;

/** The terms of this store's last starts, in order; none where that cannot be read. */
export async function issuedTerms(store: Pick<Store, 'get'>): Promise<number[]> {
  const terms = parsedRecord<number[]>(NUMBERS, (await store.get(ISSUED))?.value ?? '[]') ?? [];
  return terms.filter((term) => Number.isSafeInteger(term));
}

const NUMBERS = { type: 'array', items: { type: 'integer' } };

/** Whether a host can have obeyed the term only from a later life of this store, which was put back since. */
export function isOfLostTime(issued: readonly number[], heard: number): boolean {
  const [oldest] = issued;
  return oldest !== undefined && heard > oldest && !issued.includes(heard);
}

async function raise(
  store: Store,
  next: (kept: number) => number,
  beside: (term: number) => Op[] = () => [],
): Promise<number> {
  for (;;) {
    const entry = await store.get(KEY);
    const kept = entry === undefined ? 0 : termOf(entry.value);
    const term = next(kept);
    if (term === kept) return term;
    const before = await issuedTerms(store);
    const issued = [...(before.length === 0 && kept > 0 ? [kept] : before), term];
    try {
      await store.commit({
        preconditions: [{ key: KEY, revision: entry?.revision ?? 0 }],
        ops: [
          { type: 'put', key: KEY, value: String(term) },
          { type: 'put', key: ISSUED, value: JSON.stringify(issued.slice(-MOST_ISSUED)) },
          ...beside(term),
        ],
      });
      return term;
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
    }
  }
}
