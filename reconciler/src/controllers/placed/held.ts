/** What a placed object holds, as it is written or as what lives says, and where it may have run. */
import type { LiveResource, PlumbObject } from '@plumb/schemas';
import type { Held } from '../../plan/holding.ts';
import { isOff } from '../restriction.ts';
import type { PlacedContext } from './placed-kind.ts';

/** What its status says that the object holds. */
export function settledHolding({ placed }: PlacedContext, { status }: Pick<PlumbObject, 'status'>): Held | undefined {
  return placed.holding.settled(status);
}

/** Everything the object may hold now: by status, and by the flow that is under way. */
export function allHeld(context: PlacedContext, object: PlumbObject): Held[] {
  const { uid } = object.metadata;
  const flow = context.journal.get(uid)?.record;
  const held = [settledHolding(context, object), ...(flow?.held ?? []), flow?.target].filter((a) => a !== undefined);
  if (held.length > 0 || !context.strays.has(uid)) return held;
  const lived = context.placed.heldByLife?.(context, object);
  return lived ? [lived] : [];
}

/**
 * The host that has something that binds it although nothing is written of it: the store was put back to an earlier time.
 * There its data is, and only there it may run.
 */
export function whereItLives(context: PlacedContext, { metadata }: PlumbObject): string | undefined {
  for (const { host, resource } of context.fleet.ownedBy(metadata.uid))
    if (bondOf(context, resource) !== undefined && !isOff(context, host)) return host;
  return undefined;
}

/** Whether it may have run there. */
export function hasRun(context: PlacedContext, { metadata }: PlumbObject, on: string): boolean {
  for (const { host, resource } of context.fleet.ownedBy(metadata.uid))
    if (host === on && bondOf(context, resource) === 'runs') return true;
  return false;
}

function bondOf({ placed }: PlacedContext, resource: LiveResource): 'runs' | 'data' | undefined {
  return placed.bond ? placed.bond(resource) : 'runs';
}

/** Whether its host is off, as a person said, and what it has there may be given up. */
export function mayGoOnElsewhere(context: PlacedContext, object: PlumbObject, host: string): boolean {
  return context.placed.whyWait?.(object) === undefined && isOff(context, host);
}
