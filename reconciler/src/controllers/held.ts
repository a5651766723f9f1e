/** What each placed object holds, by its status and its flow: {@link Holdings} follows both, whoever writes them. */
import type { PlumbObject } from '@plumb/schemas';
import type { Holdings } from '../allocation/holdings.ts';
import type { Journal } from '../flow/journal.ts';
import { everHeld, type FlowRecord } from '../flow/record.ts';
import type { Held, HoldingType, HoldingTypes } from '../plan/holding.ts';
import { equal } from '../plan/plan.ts';
import type { ObjectCache } from '../runtime/cache.ts';
import type { SetAside } from '../runtime/poisoned.ts';
import type { StoreFeed } from '../runtime/store-feed.ts';

/** Everything that the object holds, each once. */
export function heldBy(
  type: HoldingType,
  { status }: Pick<PlumbObject, 'status'>,
  flow: FlowRecord | undefined,
): Held[] {
  const settled = type.settled(status);
  const held = flow ? everHeld(flow) : [];
  if (settled === undefined || held.some((one) => equal(one, settled))) return held;
  return [settled, ...held];
}

/** Keeps `holdings` as the objects and the flows say. To be called before they are loaded. */
export function followHeld(parts: {
  cache: ObjectCache;
  journal: Journal;
  holdings: Holdings;
  feed: StoreFeed;
  types: HoldingTypes;
}): void {
  const { cache, journal, holdings, feed, types } = parts;
  /** uids of objects of which something changed in the commit that is being given. */
  const changed = new Set<string>();
  const look = (uid: string) => {
    const cached = cache.byUid(uid);
    const aside = cached ? undefined : cache.poisoned.byUid(uid);
    const known = cached ?? aside;
    const type = known && types.get(known.kind.kind);
    if (type) lookAt(type, (cached?.object ?? aside?.rest)!, aside);
    else if (!known) holdings.forget(uid);
  };
  /** What it held it holds, as long as it cannot be understood what that is. */
  const lookAt = (type: HoldingType, object: PlumbObject, aside: SetAside | undefined) => {
    const { uid } = object.metadata;
    if (aside?.hasStatus === false && holdings.hostsOf(uid).size > 0) return;
    holdings.set(uid, heldBy(type, object, journal.get(uid)?.record), type);
  };
  holdings.lookAt = look;
  cache.onChange(({ kind, before, after, aside, wasAside }) => {
    const type = types.get(kind.kind);
    if (type === undefined) return;
    const now = after ? after.object.metadata.uid : aside?.uid;
    // While very many are read, each is looked at when it is unpacked anyway.
    if (now !== undefined && feed.isGiving) changed.add(now);
    else if (now !== undefined) lookAt(type, (after?.object ?? aside?.rest)!, aside);
    if (aside && now === undefined) return;
    for (const uid of [before?.object.metadata.uid, wasAside?.uid])
      if (uid !== undefined && uid !== now) changed.add(uid);
  }, 'what is held');
  journal.onChange(({ uid }) => {
    if (feed.isGiving) changed.add(uid);
    else look(uid);
  });
  feed.onReached(() => {
    for (const uid of changed) look(uid);
    changed.clear();
  });
}
