/**
 * What a start finds in the store: what instances hold, which wait, and what is to be looked at now. What waits for its
 * host is looked at when the host comes back or counts as lost: until then nothing can be said of it, and there may be a
 * hundred thousand of it.
 */
import { type Host, type Instance, kinds } from '@plumb/schemas';
import { everHeld } from '../flow/record.ts';
import { heldAllocation } from '../plan/allocation.ts';
import type { Cached } from '../runtime/cache.ts';
import { findCondition } from '../runtime/conditions.ts';
import type { Context } from './controller.ts';
import { DISCONNECT_GRACE_MS } from './host/liveness.ts';

export interface Found {
  /** uids of instances that had no place and no flow. */
  unplaced: Set<string>;
  /** Keys of instances that wait for what others free or bring; cf. {@link isWaiting}. */
  waiting: Set<string>;
  /** Keys that are to be looked at now. */
  now: string[];
}

/** Reads every object once, and tells `holdings` what instances hold. */
export function survey({ cache, journal, holdings, fleet }: Omit<Context, 'enqueue' | 'unplaced'>): Found {
  const found: Found = { unplaced: new Set(), waiting: new Set(), now: [] };
  const isAway = (host: string) => !fleet.host(host)?.connected;
  for (const { plural } of kinds)
    for (const cached of cache.list(plural)) {
      const { object, key } = cached;
      const { uid, name, deletionTimestamp } = object.metadata;
      let later = false;
      if (plural === 'instances') {
        const { status } = object as Instance;
        const flow = journal.get(uid)?.record;
        const held = [heldAllocation(status), ...(flow ? everHeld(flow) : [])];
        holdings.set(
          uid,
          held.filter((a) => a !== undefined),
        );
        if (status?.host === undefined && !flow) found.unplaced.add(uid);
        if (isWaiting(cached)) found.waiting.add(key);
        later = status?.host !== undefined && !flow && isAway(status.host);
      } else if (plural === 'hosts') later = (object as Host).status?.driver !== undefined && isAway(name);
      if (!later || deletionTimestamp) found.now.push(key);
    }
  return found;
}

/** Instances that hold nothing yet, or failed: what others free or bring may be what they wait for. */
export function isWaiting({ object }: Cached): boolean {
  return (object as Instance).status?.host === undefined || findCondition(object, 'Stalled')?.status === 'True';
}

/**
 * Has what {@link survey} put off looked at when the grace is over in which hosts come back, unless they came. Returns a
 * function that ends it.
 */
export function lookWhenLost({ cache, holdings, liveness, ambient, enqueue }: Context): () => void {
  return ambient.clock.after(DISCONNECT_GRACE_MS, () => {
    for (const host of holdings.hosts())
      if (!liveness.connected(host))
        for (const uid of holdings.on(host)) {
          const held = cache.byUid(uid);
          if (held) enqueue(held.key);
        }
    for (const { key, object } of cache.list('hosts')) if (!liveness.connected(object.metadata.name)) enqueue(key);
  });
}
