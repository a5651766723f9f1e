/**
 * Instance. The main flow is the list below, first match wins:
 *
 *   gone → nothing · being deleted → delete · undoing → go back · doing → go forward · failed with the same inputs, and not come right → rest
 *   · nothing to do → settle · drift that is only to be reported → report · else → plan, begin, go forward
 *
 * What cannot be carried out, now or for good, leaves the instance held at what ran before (`hold.ts`).
 */
import { type Instance, PlumbError, terminal } from '@plumb/schemas';
import type { Journaled } from '../../flow/journal.ts';
import type { Cached } from '../../runtime/cache.ts';
import { nameOfKey } from '../../store/keys.ts';
import type { Again, Context, Controller } from '../controller.ts';
import { guarded } from '../guarded.ts';
import { unfitError } from '../restriction.ts';
import { isApplied } from './applied.ts';
import { beginFlow } from './begin.ts';
import { deleteInstance } from './delete.ts';
import { RepairPacing, reportDrift } from './drift.ts';
import { goOnElsewhere, leftBehind } from './evacuate.ts';
import { goBack, goForward, mustGoForward, rest, turnBack } from './go.ts';
import { hasDomain, whereItLives } from './held.ts';
import { holdingFormer } from './hold.ts';
import { doubtedHosts } from './image-doubts.ts';
import { awaitReturn } from './place.ts';
import { planInstance } from './planning.ts';
import { type ResolvedInstance, resolveInstance } from './references.ts';
import { endFlow } from './release.ts';
import { growsLive, isSettled, reportHostLost, settle } from './settle.ts';

export function instanceController(context: Context): Controller {
  const pacing = new RepairPacing(context.ambient.clock);
  return {
    name: 'instance',
    concurrency: 4096,
    async reconcile(key: string): Promise<Again | undefined> {
      const cached = context.read.get<Instance>(key);
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

/** What is under way for the instance is not known, so nothing else is begun: it may only be deleted. */
function requireReadableFlow(context: Context, { key, object }: Cached<Instance>): void {
  const { uid, deletionTimestamp } = object.metadata;
  const what = deletionTimestamp === undefined ? context.journal.unreadable(uid) : undefined;
  if (what === undefined) return;
  throw terminal(
    'FlowUnreadable',
    `the record of what is under way for it cannot be read: ${what}. It is left as it is. To drop the record and make the instance as declared from what lives: plumb flows abandon instance/${nameOfKey(key)}`,
  );
}

async function reconcile(context: Context, cached: Cached<Instance>, pacing: RepairPacing): Promise<Again | undefined> {
  const { metadata, status } = cached.object;
  let flow = context.journal.get(metadata.uid);
  if (metadata.deletionTimestamp) return deleteInstance(context, cached, flow);
  const off = leftBehind(context, cached.object, flow);
  if (off !== undefined) return goOnElsewhere(context, cached, off, flow);
  if (flow?.record.direction === 'back') return goBack(context, cached, flow);
  const goesOn = flow && (flow.record.generation === metadata.generation || mustGoForward(context, flow.record));
  let forward = flow?.record.direction === 'forward' && goesOn ? flow : undefined;
  // guard: instance of a restored store made on a second host
  if (forward && isMadeElsewhere(context, cached.object, forward)) forward = undefined;
  if (forward && mustLeave(context, cached.object, forward)) forward = undefined;
  if (forward) return goForward(context, cached, forward);

  const resolved = resolveInstance(context, cached, status?.host === undefined);
  if (flow?.record.direction === 'failed' && flow.record.inputs === resolved.inputs) {
    if (!isOver(context, cached, resolved, flow)) return rest(flow);
    await endFlow(context, metadata.uid);
    flow = undefined;
  }
  if (status?.host === undefined && !flow)
    return goForward(context, cached, await beginFlow(context, cached, resolved, 'create'));
  // guard: double start after a false host-down
  if (status?.host !== undefined && !context.liveness.connected(status.host)) return reportHostLost(context, cached);

  const planned = planInstance(context, cached, resolved, context.index);
  if (planned.steps.length === 0 && isSettled(cached.object, planned.target) && !flow)
    return settle(context, cached, resolved.references.offering);

  const drifted = !flow && isApplied(cached.object) && !growsLive(context, cached.object, planned.target);
  if (drifted && cached.object.spec.driftPolicy === 'Report') return reportDrift(context, cached, planned.steps);
  if (drifted) {
    const waitMs = pacing.waitMs(metadata.uid);
    if (waitMs > 0) return { requeueAfterMs: waitMs };
  }
  const begun = await beginFlow(context, cached, resolved, drifted ? 'repair' : status?.host ? 'update' : 'create');
  return goForward(context, cached, begun);
}

/**
 * Whether what a repair failed on for good has come right without it: the planner needs that step no more. Then nothing keeps the
 * instance from being looked after as any other.
 */
function isOver(
  context: Context,
  cached: Cached<Instance>,
  resolved: ResolvedInstance,
  { record }: Journaled,
): boolean {
  const { host } = cached.object.status ?? {};
  if (record.purpose !== 'repair' || host === undefined || !context.liveness.connected(host)) return false;
  const { steps } = planInstance(context, cached, resolved, context.index);
  return steps.every(({ id }) => id !== record.failure?.step);
}

/** Whether what never ran is made on a host that is on its way out, is off, or does not answer. */
function mustLeave(context: Context, instance: Instance, { record }: Journaled): boolean {
  if (instance.status?.host !== undefined || record.purpose === 'delete' || record.target === undefined) return false;
  if (hasDomain(context, instance, record.target.host)) return false;
  const { host } = record.target;
  const isUnfit = unfitError(context, host) !== undefined || doubtedHosts(context, instance).has(host);
  return isUnfit && !mustGoForward(context, record);
}

/**
 * A declaration that changed into an impossible one while a flow was under way: what the flow has made is taken back,
 * since it belongs to no declaration any more.
 */
async function undoIfHopeless(
  context: Context,
  cached: Cached<Instance>,
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
function isMadeElsewhere(context: Context, instance: Instance, { record }: Journaled): boolean {
  if (record.purpose !== 'create' || !context.journal.isResumed(record.uid)) return false;
  awaitReturn(context, instance);
  const host = whereItLives(context, instance);
  return host !== undefined && host !== record.target?.host;
}
