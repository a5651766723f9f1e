/**
 * Objects that are made on a host that is chosen for them. The main flow is the list below, first match wins:
 *
 *   gone → nothing · being deleted → delete · undoing → go back · doing → go forward · failed with the same inputs, and not come right → rest
 *   · nothing to do → settle · drift that is only to be reported → report · else → plan, begin, go forward
 *
 * What cannot be carried out, now or for good, leaves the object held at what ran before (`hold.ts`).
 */
import { PlumbError, type PlumbObject, terminal } from '@plumb/schemas';
import type { Journaled } from '../../flow/journal.ts';
import type { Cached } from '../../runtime/cache.ts';
import type { Again, Context, Controller } from '../controller.ts';
import { guarded } from '../guarded.ts';
import { unfitError } from '../restriction.ts';
import { settledOn } from './applied.ts';
import { beginFlow } from './begin.ts';
import { deleteObject } from './delete.ts';
import { isReportOnly, RepairPacing, reportDrift } from './drift.ts';
import { goOnElsewhere, leftBehind } from './evacuate.ts';
import { goBack, goForward, mustGoForward, rest, turnBack } from './go.ts';
import { hasRun, whereItLives } from './held.ts';
import { holdingFormer } from './hold.ts';
import { isDrift, isMadeFrom } from './inputs.ts';
import { type PlacedContext, type PlacedKind, placedContext, type Resolved } from './placed-kind.ts';
import { planObject } from './planner.ts';
import { endFlow } from './release.ts';
import { awaitReturn } from './returning.ts';
import { isSettled, reportHostLost, settle } from './settle.ts';
import { calledInCommands } from './words.ts';

export interface PlacedOptions {
  /** As queues and metrics have it. */
  name: string;
  concurrency: number;
}

export function placedController({ name, concurrency }: PlacedOptions, whole: Context, placed: PlacedKind): Controller {
  const context = placedContext(whole, placed);
  const pacing = new RepairPacing(context.ambient.clock);
  return {
    name,
    concurrency,
    async reconcile(key: string): Promise<Again | undefined> {
      const cached = context.read.get(key);
      if (!cached) return undefined;
      return guarded(context, cached, async () => {
        requireReadableFlow(context, cached);
        return holdingFormer(context, cached, pacing, () =>
          undoIfHopeless(context, cached, () => reconcile(context, cached, pacing)),
        );
      });
    },
  };
}

/** What is under way for the object is not known, so nothing else is begun: it may only be deleted. */
function requireReadableFlow(context: PlacedContext, { key, kind, object }: Cached): void {
  const { uid, deletionTimestamp } = object.metadata;
  const what = deletionTimestamp === undefined ? context.journal.unreadable(uid) : undefined;
  if (what === undefined) return;
  throw terminal(
    'FlowUnreadable',
    `the record of what is under way for it cannot be read: ${what}. It is left as it is. To drop the record and make the ${kind.singular} as declared from what lives: plumb flows abandon ${calledInCommands(key)}`,
  );
}

async function reconcile(context: PlacedContext, cached: Cached, pacing: RepairPacing): Promise<Again | undefined> {
  const { metadata } = cached.object;
  const host = settledOn(cached.object);
  let flow = context.journal.get(metadata.uid);
  if (metadata.deletionTimestamp) return deleteObject(context, cached, flow);
  const off = leftBehind(context, cached.object, flow);
  if (off !== undefined) return goOnElsewhere(context, cached, off, flow);
  if (flow?.record.direction === 'back') return goBack(context, cached, flow);
  const goesOn = flow && (flow.record.generation === metadata.generation || mustGoForward(context, flow.record));
  let forward = flow?.record.direction === 'forward' && goesOn ? flow : undefined;
  // guard: instance of a restored store made on a second host
  if (forward && isMadeElsewhere(context, cached.object, forward)) forward = undefined;
  if (forward && mustLeave(context, cached.object, forward)) forward = undefined;
  if (forward) return goForward(context, cached, forward);

  const resolved = context.placed.resolve(context, cached, host === undefined);
  if (flow?.record.direction === 'failed' && isMadeFrom(context, flow.record, cached.object, resolved)) {
    if (!isOver(context, cached, resolved, flow)) return rest(flow);
    await endFlow(context, metadata.uid);
    flow = undefined;
  }
  if (host === undefined && !flow)
    return goForward(context, cached, await beginFlow(context, cached, resolved, 'create'));
  // guard: double start after a false host-down
  if (host !== undefined && !context.liveness.connected(host)) return reportHostLost(context, cached);

  const planned = planObject(context, cached, resolved, context.index);
  if (planned.steps.length === 0 && isSettled(context, cached.object, planned.target) && !flow)
    return settle(context, cached, resolved);

  const drifted = !flow && isDrift(context, cached.object, resolved, planned.target);
  if (drifted && isReportOnly(cached.object)) return reportDrift(context, cached, planned.steps);
  if (drifted) {
    const waitMs = pacing.waitMs(metadata.uid);
    if (waitMs > 0) return { requeueAfterMs: waitMs };
  }
  const begun = await beginFlow(context, cached, resolved, drifted ? 'repair' : host ? 'update' : 'create');
  return goForward(context, cached, begun);
}

/**
 * Whether what a repair failed on for good has come right without it: the planner needs that step no more. Then nothing keeps the
 * object from being looked after as any other.
 */
function isOver(context: PlacedContext, cached: Cached, resolved: Resolved, { record }: Journaled): boolean {
  const host = settledOn(cached.object);
  if (record.purpose !== 'repair' || host === undefined || !context.liveness.connected(host)) return false;
  const { steps } = planObject(context, cached, resolved, context.index);
  return steps.every(({ id }) => id !== record.failure?.step);
}

/** Whether what never ran is made on a host that is on its way out, is off, or does not answer. */
function mustLeave(context: PlacedContext, object: PlumbObject, { record }: Journaled): boolean {
  if (settledOn(object) !== undefined || record.purpose === 'delete' || record.target === undefined) return false;
  const { host } = record.target;
  if (hasRun(context, object, host)) return false;
  const isUnfit = unfitError(context, host) !== undefined || context.placed.avoids?.(context, object).has(host);
  return isUnfit === true && !mustGoForward(context, record);
}

/**
 * A declaration that changed into an impossible one while a flow was under way: what the flow has made is taken back,
 * since it belongs to no declaration any more.
 */
async function undoIfHopeless(
  context: PlacedContext,
  cached: Cached,
  work: () => Promise<Again | undefined>,
): Promise<Again | undefined> {
  try {
    return await work();
  } catch (thrown) {
    const error = PlumbError.from(thrown, cached.key);
    const record = context.journal.get(cached.object.metadata.uid)?.record;
    const hopeless = error.retry === 'terminal' && record?.direction === 'forward' && record.purpose !== 'delete';
    if (!hopeless) throw error;
    const failure = { reason: error.reason, message: error.message };
    return turnBack(context, cached, record, failure);
  }
}

/**
 * Whether what a create is to make on one host lives on another: the store was put back to a time at which it was still
 * being made. Throws while hosts are coming back that may have it.
 */
function isMadeElsewhere(context: PlacedContext, object: PlumbObject, { record }: Journaled): boolean {
  if (record.purpose !== 'create' || !context.journal.isResumed(record.uid)) return false;
  awaitReturn(context, object);
  const host = whereItLives(context, object);
  return host !== undefined && host !== record.target?.host;
}
