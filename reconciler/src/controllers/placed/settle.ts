/** An object with nothing to do: status says what is, and is written only when that changed. */
import { type PlumbObject, retryable } from '@plumb/schemas';
import type { Held } from '../../plan/holding.ts';
import { equal } from '../../plan/plan.ts';
import type { Cached } from '../../runtime/cache.ts';
import { findCondition } from '../../runtime/conditions.ts';
import type { Again } from '../controller.ts';
import { conditionsTo, failedStatus, readyStatus, writeStatus } from '../status.ts';
import { isApplied, settledOn } from './applied.ts';
import { settledHolding } from './held.ts';
import type { PlacedContext, Resolved } from './placed-kind.ts';

/** True when the object holds exactly the target. */
export function isSettled(context: PlacedContext, object: PlumbObject, target: Held): boolean {
  return equal(settledHolding(context, object), target);
}

export async function settle(context: PlacedContext, cached: Cached, resolved: Resolved): Promise<Again | undefined> {
  const { placed } = context;
  if (placed.settle) {
    await placed.settle(context, cached, resolved);
    return undefined;
  }
  const held = settledHolding(context, cached.object)!;
  await writeStatus(context, cached, (status, object) => {
    const ready = placed.ready(context, object, held);
    const observed = placed.observed?.(context, object, held.host);
    const seen = { ...status, ...ready.status, ...observed?.status };
    const whole = readyStatus(context, seen, object, ready.reason, ready.message);
    const drift = observed?.drift ?? equalAgain(object);
    return drift ? conditionsTo(context, whole, object, [drift], []) : whole;
  });
  return undefined;
}

/** What is to be said of one that was found otherwise than declared, and is as declared now; undefined when it was not. */
export function equalAgain(
  object: PlumbObject,
): { type: string; status: 'False'; reason: string; message: string } | undefined {
  if (findCondition(object, 'Drifted')?.status !== 'True') return undefined;
  return { type: 'Drifted', status: 'False', reason: 'Equal', message: 'it is as declared' };
}

/** After the grace, nobody knows how an object on a host without its agent is. */
export async function reportHostLost(context: PlacedContext, cached: Cached): Promise<Again | undefined> {
  const host = settledOn(cached.object)!;
  const graceLeftMs = context.liveness.graceLeftMs(host) ?? 0;
  if (graceLeftMs > 0) return { requeueAfterMs: graceLeftMs };
  const error = retryable('HostNotConnected', `the agent of host ${host} is not connected, so nobody knows how it is`);
  const applied = isApplied(cached.object);
  await writeStatus(context, cached, (status, object) => {
    const failed = failedStatus(context, status, object, error);
    if (!applied) return failed;
    const unknown = { type: 'Ready', status: 'Unknown' as const, reason: error.reason, message: error.message };
    return conditionsTo(context, failed, object, [unknown], []);
  });
  return undefined;
}
