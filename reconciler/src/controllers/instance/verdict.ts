/** Whether an instance is as declared, found without doing anything: what a scan asks of each. */
import { type Instance, PlumbError } from '@plumb/schemas';
import type { Cached } from '../../runtime/cache.ts';
import type { Context } from '../controller.ts';
import { planInstance } from './planning.ts';
import { type ResolvedInstance, resolveInstance } from './references.ts';
import { isSettled } from './settle.ts';
import { domainFacts, isOtherwise } from './standing.ts';

/**
 * `same`: the planner has no step for it. `differs`: it has, or finds that the declaration cannot be carried out.
 * `unknown`: its host does not tell. `underWay`: it has no place yet, is being deleted, or has a flow that sees to it.
 */
export type Verdict = 'same' | 'differs' | 'unknown' | 'underWay';

export interface Judged {
  verdict: Verdict;
  /** What the planner was given; undefined when it did not get so far. */
  resolved?: ResolvedInstance;
}

export function judge(context: Context, cached: Cached<Instance>): Judged {
  const { metadata, status } = cached.object;
  if (metadata.deletionTimestamp || status?.host === undefined || context.journal.knows(metadata.uid))
    return { verdict: 'underWay' };
  if (!context.liveness.connected(status.host)) return { verdict: 'unknown' };
  if (isOtherwise(domainFacts(context, cached.object, status.host))) return { verdict: 'differs' };
  try {
    const resolved = resolveInstance(context, cached, false);
    const { steps, target } = planInstance(context, cached, resolved, context.index);
    return { verdict: steps.length === 0 && isSettled(cached.object, target) ? 'same' : 'differs', resolved };
  } catch (error) {
    if (error instanceof PlumbError) return { verdict: 'differs' };
    throw error;
  }
}
