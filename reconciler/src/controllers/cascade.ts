/** Deleting objects with all that refers to them: what is reached, and one commit that marks all of it. */

import { kinds, objectName, terminal } from '@plumb/schemas';
import { isProtected, protectedError } from '@plumb/schemas/meta/protection.ts';
import { timestamp } from '@plumb/schemas/meta/timestamp.ts';
import type { Cached } from '../runtime/cache.ts';
import { fitsOneBatch } from '../store/check.ts';
import { nameOfKey, pluralOf } from '../store/keys.ts';
import { encodeObject, markedForDeletion } from '../store/object-codec.ts';
import { MAX_BATCH_BYTES, MAX_BATCH_KEYS } from '../store/store.ts';
import type { Context } from './controller.ts';
import { retryOnConflict } from './status.ts';

export interface Reached {
  cached: Cached;
  /** Why it goes, or nothing when it was named. */
  because: string;
}

/** The objects at `roots` and, transitively, all that refer to them or run on them; who is referred to comes last. */
export function cascadeFrom(context: Context, roots: readonly string[]): Reached[] {
  const reached = new Map<string, Reached>();
  const queue: Reached[] = [];
  for (const key of roots) {
    const cached = context.read.get(key);
    if (!cached && context.cache.poisoned.get(key))
      throw terminal(
        'Poisoned',
        `${words(key)} cannot be understood, nor what depends on it: delete it by itself, without --cascade`,
      );
    if (!cached) throw terminal('NotFound', `there is no ${words(key)}`);
    queue.push({ cached, because: '' });
  }
  for (const one of queue) {
    if (reached.has(one.cached.key)) continue;
    reached.set(one.cached.key, one);
    const { object } = one.cached;
    for (const cached of dependents(context, one.cached))
      queue.push({ cached, because: `depends on ${object.kind} ${objectName(object.metadata)}` });
  }
  return [...reached.values()].reverse();
}

function dependents(context: Context, cached: Cached): Cached[] {
  const found = [...context.read.referrers(cached.key)];
  if (cached.kind.kind === 'Host')
    for (const uid of context.holdings.on(cached.object.metadata.name)) {
      const holder = context.read.byUid(uid);
      if (holder) found.push(holder);
    }
  return found;
}

/**
 * Marks all of them for deletion in one commit, so that no crash leaves half of a cascade marked; each then goes by its
 * own controller, in any order. `expect`: how many a person has agreed to. `judge`: throws when one of them must not be deleted.
 * Throws terminal `CascadeChanged`, `TooMany`.
 */
export async function deleteCascade(
  context: Context,
  roots: readonly string[],
  expect: number | undefined,
  judge: (reached: readonly Reached[]) => void,
): Promise<Reached[]> {
  return retryOnConflict(async () => {
    await catchUp(context, roots);
    await catchUp(
      context,
      cascadeFrom(context, roots).map(({ cached }) => cached.key),
    );
    return markAll(context, roots, expect, judge);
  });
}

/** Waits until the cache shows what was acknowledged: a person deletes what they have just made. */
async function catchUp(context: Context, keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    const entry = await context.store.get(key);
    if (entry) await context.cache.shows(entry.revision);
  }
}

async function markAll(
  context: Context,
  roots: readonly string[],
  expect: number | undefined,
  judge: (reached: readonly Reached[]) => void,
): Promise<Reached[]> {
  const reached = cascadeFrom(context, roots);
  judge(reached);
  if (expect !== undefined && reached.length !== expect)
    throw terminal(
      'CascadeChanged',
      `${expect} objects were agreed to, and it would be ${reached.length} now: look again`,
    );
  if (reached.length > MAX_BATCH_KEYS)
    throw terminal(
      'TooMany',
      `${reached.length} objects are more than the ${MAX_BATCH_KEYS} of one commit: delete some of them first`,
    );
  expectUnprotected(reached);
  const deletionTimestamp = timestamp(context.ambient.clock.now());
  const going = reached.filter(({ cached }) => cached.object.metadata.deletionTimestamp === undefined);
  const ops = going.map(({ cached: { key, object } }) => ({
    type: 'put' as const,
    key,
    value: encodeObject(markedForDeletion(object, deletionTimestamp)),
  }));
  if (!fitsOneBatch(ops))
    throw terminal(
      'TooMany',
      `${ops.length} objects have more than the ${MAX_BATCH_BYTES} bytes of one commit: delete some of them first`,
    );
  const preconditions = going.map(({ cached }) => ({ key: cached.key, revision: cached.revision }));
  const { revision } = await context.store.commit({ preconditions, ops });
  if (going.length > 0) await context.cache.shows(revision);
  return reached;
}

/** Throws terminal `Forbidden` when one of them is protected: then none of them goes. */
export function expectUnprotected(reached: readonly Reached[]): void {
  const kept = reached.map(({ cached }) => cached.object).filter(isProtected);
  if (kept.length > 0) throw protectedError(kept);
}

/** `Zone home` */
function words(key: string): string {
  return `${kinds.find(({ plural }) => plural === pluralOf(key))?.kind} ${nameOfKey(key)}`;
}
