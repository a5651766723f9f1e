/** What each instance holds, by its status and its flow: {@link Holdings} follows both, whoever writes them. */
import type { Instance } from '@plumb/schemas';
import type { Holdings } from '../allocation/holdings.ts';
import type { Journal } from '../flow/journal.ts';
import { everHeld, type FlowRecord } from '../flow/record.ts';
import { type Allocation, heldAllocation } from '../plan/allocation.ts';
import { equal } from '../plan/plan.ts';
import type { ObjectCache } from '../runtime/cache.ts';
import type { SetAside } from '../runtime/poisoned.ts';
import type { StoreFeed } from '../runtime/store-feed.ts';

/** Everything that the instance holds, each once. */
export function heldBy({ status }: Pick<Instance, 'status'>, flow: FlowRecord | undefined): Allocation[] {
  const settled = heldAllocation(status);
  const held = flow ? everHeld(flow) : [];
  if (settled === undefined || held.some((allocation) => equal(allocation, settled))) return held;
  return [settled, ...held];
}

/** Keeps `holdings` as the objects and the flows say. To be called before they are loaded. */
export function followHeld(parts: { cache: ObjectCache; journal: Journal; holdings: Holdings; feed: StoreFeed }): void {
  const { cache, journal, holdings, feed } = parts;
  /** uids of instances of which something changed in the commit that is being given. */
  const changed = new Set<string>();
  const look = (uid: string) => {
    const cached = cache.byUid(uid);
    const aside = cached ? undefined : cache.poisoned.byUid(uid);
    if ((cached ?? aside)?.kind.kind === 'Instance') lookAt((cached?.object ?? aside?.rest) as Instance, aside);
    else if (!cached && !aside) holdings.set(uid, []);
  };
  /** What it held it holds, as long as it cannot be understood what that is. */
  const lookAt = (instance: Instance, aside: SetAside | undefined) => {
    const { uid } = instance.metadata;
    if (aside?.hasStatus === false && holdings.hostsOf(uid).size > 0) return;
    holdings.set(uid, heldBy(instance, journal.get(uid)?.record));
  };
  holdings.lookAt = look;
  cache.onChange(({ kind, before, after, aside, wasAside }) => {
    if (kind.kind !== 'Instance') return;
    const now = after ? after.object.metadata.uid : aside?.uid;
    // While very many are read, each is looked at when it is unpacked anyway.
    if (now !== undefined && feed.isGiving) changed.add(now);
    else if (now !== undefined) lookAt((after?.object ?? aside?.rest) as Instance, aside);
    if (aside && now === undefined) return;
    for (const uid of [before?.object.metadata.uid, wasAside?.uid])
      if (uid !== undefined && uid !== now) changed.add(uid);
  }, 'what instances hold');
  journal.onChange(({ uid }) => {
    if (feed.isGiving) changed.add(uid);
    else look(uid);
  });
  feed.onReached(() => {
    for (const uid of changed) look(uid);
    changed.clear();
  });
}
