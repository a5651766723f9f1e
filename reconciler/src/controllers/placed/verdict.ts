/** Whether an object is as declared, found without doing anything: what a scan asks of each. */
import { PlumbError } from '@plumb/schemas';
import type { Cached } from '../../runtime/cache.ts';
import { settledOn } from './applied.ts';
import type { PlacedContext, Resolved } from './placed-kind.ts';
import { planObject } from './planner.ts';
import { isSettled } from './settle.ts';

/**
 * `same`: the planner has no step for it. `differs`: it has, or finds that the declaration cannot be carried out.
 * `unknown`: its host does not tell. `underWay`: it has no place yet, is being deleted, or has a flow that sees to it.
 */
export type Verdict = 'same' | 'differs' | 'unknown' | 'underWay';

export interface Judged {
  verdict: Verdict;
  /** What the planner was given; undefined when it did not get so far. */
  resolved?: Resolved;
}

export function judge(context: PlacedContext, cached: Cached): Judged {
  const { placed } = context;
  const { metadata } = cached.object;
  const host = settledOn(cached.object);
  if (metadata.deletionTimestamp || host === undefined || context.journal.knows(metadata.uid))
    return { verdict: 'underWay' };
  if (!context.liveness.connected(host)) return { verdict: 'unknown' };
  if (placed.observed?.(context, cached.object, host).drift !== undefined) return { verdict: 'differs' };
  try {
    const resolved = placed.resolve(context, cached, false);
    const { steps, target } = planObject(context, cached, resolved, context.index);
    return { verdict: steps.length === 0 && isSettled(context, cached.object, target) ? 'same' : 'differs', resolved };
  } catch (error) {
    if (error instanceof PlumbError) return { verdict: 'differs' };
    throw error;
  }
}
