/** On which host an object is made: what is somewhere goes on there, and only what is nowhere is placed. */
import { type PlumbObject, retryable } from '@plumb/schemas';
import type { Held } from '../../plan/holding.ts';
import type { PlacementRequest } from '../../plan/placement.ts';
import { typesFor } from '../contributor.ts';
import { unfitError } from '../restriction.ts';
import { candidates } from './candidates.ts';
import { hasRun, mayGoOnElsewhere, settledHolding, whereItLives } from './held.ts';
import type { PlacedContext } from './placed-kind.ts';
import { awaitReturn } from './returning.ts';

/** What an object asks of its host. */
export interface HostRequest {
  readonly request: PlacementRequest;
  /** Host → how many objects of its group are there. */
  readonly group?: ReadonlyMap<string, number> | undefined;
}

/**
 * What has data somewhere goes on there, unless a person said that the host is off. `held`: all that it holds; `asks`: asked of what
 * is nowhere yet. Throws why there is no host, or it cannot be reached.
 */
export function hostFor(
  context: PlacedContext,
  object: PlumbObject,
  held: readonly Held[],
  asks: () => HostRequest,
): string {
  const host = chosen(context, object, held) ?? placeAnew(context, object, asks);
  if (!context.liveness.connected(host))
    throw retryable('HostNotConnected', `the agent of host ${host}, on which it is placed, is not connected`);
  return host;
}

function chosen(context: PlacedContext, object: PlumbObject, held: readonly Held[]): string | undefined {
  const settled = settledHolding(context, object)?.host;
  if (settled !== undefined && !mayGoOnElsewhere(context, object, settled)) return settled; // guard: double start after a false host-down
  const lives = whereItLives(context, object);
  const doubted = context.placed.avoids?.(context, object);
  const isUnfit = (host: string) => unfitError(context, host) !== undefined || doubted?.has(host) === true;
  const isOurs = held.some(({ host }) => host === lives);
  // What a flow of ours has begun there never ran, unless it got to its end: it goes before it is made elsewhere.
  const goes = isOurs && lives !== undefined && !hasRun(context, object, lives) && isUnfit(lives);
  if (lives !== undefined && !goes) return lives; // guard: double start after a false host-down
  return held.find(({ host }) => host !== settled && !isUnfit(host))?.host; // guard: double start after a false host-down
}

function placeAnew(context: PlacedContext, object: PlumbObject, asks: () => HostRequest): string {
  awaitReturn(context, object); // guard: double start after a restored store
  const { request, group } = asks();
  const lacking = context.own(candidates).lacking(typesFor(context, object));
  return context.own(candidates).place({ ...request, notOn: notOn(context, object, request), lacking }, group);
}

function notOn(context: PlacedContext, object: PlumbObject, { notOn }: PlacementRequest): ReadonlySet<string> {
  const avoided = context.placed.avoids?.(context, object);
  if (avoided === undefined || notOn === undefined) return avoided ?? notOn ?? new Set();
  return new Set([...avoided, ...notOn]);
}
