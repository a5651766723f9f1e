/**
 * The one planner. A kind says as data what an object claims and which resources it wants on its host; this chooses the host, adds what
 * those stand on, puts all in order and takes the difference from what lives there.
 */
import { type LiveResource, type PlumbObject, resourceKey } from '@plumb/schemas';
import type { AllocationIndex } from '../../allocation/allocation-index.ts';
import type { Held } from '../../plan/holding.ts';
import { asMade, diffHost, type PlanStep } from '../../plan/plan.ts';
import type { Cached } from '../../runtime/cache.ts';
import { isOff } from '../restriction.ts';
import { isApplied } from './applied.ts';
import { allHeld, settledHolding } from './held.ts';
import type { PlacedContext, PlacedPlan, Resolved } from './placed-kind.ts';
import { removals } from './removals.ts';
import { resourcesOf } from './resources.ts';
import { requireEveryHost } from './returning.ts';
import { type Live, missingShared } from './shared.ts';
import { hostFor } from './where.ts';

const NOTHING: Live = new Map();

/**
 * Decides everything. Reads the index, reserves nothing. Throws conditions: no room, a duplicate address, a host that is
 * not connected …
 */
export function planObject(
  context: PlacedContext,
  cached: Cached,
  resolved: Resolved,
  index: AllocationIndex,
): PlacedPlan {
  const { placed } = context;
  const { object } = cached;
  const held = allHeld(context, object);
  if (held.length === 0 && context.strays.has(object.metadata.uid)) requireEveryHost(context, cached.key);
  const host = hostFor(context, object, held, () => placed.asks(context, object, resolved));
  const target = placed.claim(context, object, { resolved, host, held, index });
  return {
    target,
    steps: [...fromElsewhere(context, object, held, target), ...stepsOn(context, object, resolved, target)],
  };
}

/** The steps from live state to the target. Of an object that never settled, all own resources are made anew. */
function stepsOn(context: PlacedContext, object: PlumbObject, resolved: Resolved, target: Held): PlanStep[] {
  const { placed, fleet } = context;
  const { uid } = object.metadata;
  const { host } = target;
  const live: Live = fleet.host(host)?.resources ?? NOTHING;
  const isSettled = settledHolding(context, object)?.host === host;
  const { own, used } = resourcesOf(context, object, target, resolved, isSettled ? live : NOTHING);
  const shared = missingShared(context, host, own, live, used);
  // guard: agent restart touching running guests
  if (isSettled && shared.length === 0 && fleet.isExactly(uid, host, own.map(asMade))) return [];
  const relevant: LiveResource[] = [];
  for (const resource of shared) {
    const there = live.get(resourceKey(resource));
    if (there) relevant.push(there);
  }
  const isWanted = ({ kind, id }: LiveResource) => own.some((resource) => resource.kind === kind && resource.id === id);
  for (const { host: on, resource } of fleet.ownedBy(uid))
    if (on === host && (isSettled || !isWanted(resource))) relevant.push(respected(context, object, resource));
  const steps = diffHost(host, uid, [...shared, ...own], relevant);
  placed.refuse?.(steps, live);
  return steps;
}

/** What rests by itself is respected as long as the declaration is the same. */
function respected({ placed }: PlacedContext, object: PlumbObject, resource: LiveResource): LiveResource {
  return (isApplied(object) && placed.respected?.(object, resource)) || resource;
}

/**
 * What flows of it may have begun on other hosts goes first. It never ran there, so nothing is lost by it. What a host says that it
 * has although the object holds nothing there is for the host's own controller: it is a claim. Of a host that is off what is to go
 * is removed when it is back.
 */
function fromElsewhere(context: PlacedContext, object: PlumbObject, held: readonly Held[], target: Held): PlanStep[] {
  const begun = held.filter(({ host }) => host !== target.host && !isOff(context, host));
  const manner = { undo: 'shared', disruption: 'none', why: `belongs on host ${target.host}` } as const;
  return removals(context, object.metadata.uid, begun, manner);
}
