/** The one commit before the first effect: the plan, what it takes, and proof that nothing it was made from changed. */
import { objectName } from '@plumb/schemas';
import type { Journaled } from '../../flow/journal.ts';
import { everHeld, type FlowPurpose, type FlowRecord } from '../../flow/record.ts';
import { doneSteps } from '../../flow/undo.ts';
import { PLAN_VERSION } from '../../plan/plan.ts';
import type { Cached } from '../../runtime/cache.ts';
import { isOff } from '../restriction.ts';
import { driftSentence } from './drift.ts';
import { proofOfOff } from './evacuate.ts';
import { allHeld } from './held.ts';
import { inputsOf, wantedOf } from './inputs.ts';
import type { PlacedContext, Resolved } from './placed-kind.ts';
import { planObject } from './planner.ts';

/** Plans again inside the lane, where nobody else takes what is free, and makes the flow durable. */
export async function beginFlow(
  context: PlacedContext,
  cached: Cached,
  resolved: Resolved,
  purpose: FlowPurpose,
): Promise<Journaled> {
  const { uid, generation } = cached.object.metadata;
  const { holding } = context.placed;
  const before = allHeld(context, cached.object);
  const earlier = context.journal.get(uid)?.record;
  const done = earlier?.direction === 'forward' ? doneSteps(earlier) : undefined;
  // What was begun on a host that is off is removed when it is back.
  const carried = done?.filter(({ host }) => !isOff(context, host));
  const submitted = context.lane.submit((index) => {
    const { target, steps } = planObject(context, cached, resolved, index);
    const held = before;
    index.reserve(uid, holding.claims(target), held.map(holding.claims));
    const record: FlowRecord = {
      key: cached.key,
      kind: holding.kind,
      uid,
      purpose,
      generation,
      direction: 'forward',
      plan: { version: PLAN_VERSION, steps },
      carried, // guard: an update that took the place of a half done one returns to what was before both
      target,
      held,
      inputs: inputsOf(context, cached.object, resolved),
      applied: wantedOf(context, cached.object, resolved, target),
      startedAt: context.ambient.clock.now(),
    };
    const writing = context.journal.writing(record);
    context.holdings.set(uid, everHeld(record), holding); // at once: the next decision of the batch spreads by it
    return {
      preconditions: [
        { key: cached.key, revision: cached.revision },
        ...resolved.used.map(({ key, revision }) => ({ key, revision })),
        ...proofOfOff(context, cached.object),
        ...writing.preconditions,
      ],
      ops: writing.ops,
      result: record,
    };
  });
  const flow = await context.journal.written(uid, submitted).catch((error) => {
    context.holdings.lookAt(uid);
    throw error;
  });
  if (purpose === 'repair')
    context.events.record({
      object: cached.object,
      type: 'Warning',
      reason: 'Drifted',
      message: `${objectName(cached.object.metadata)} differs from its declaration: ${driftSentence(flow.record.plan.steps)}; it is repaired`,
    });
  return flow;
}
