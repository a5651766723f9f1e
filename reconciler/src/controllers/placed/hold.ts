/**
 * An object whose declaration cannot be carried out is held at what ran before: what crashed is started again,
 * and what was broken or taken from it is repaired, while its condition goes on saying why the declaration failed.
 *
 * What ran before is what lives on its host, each resource as it was last made, and what the failed flow noted when it had
 * been undone (`former`): from that a resource is made again that is gone as a whole. Nothing is removed here, and nothing
 * is allocated, so no flow is needed: after a crash the same is found again by looking.
 */
import {
  type HostResource,
  type LiveResource,
  objectName,
  PlumbError,
  type PlumbObject,
  resourceKey,
} from '@plumb/schemas';
import { execute } from '../../flow/execute.ts';
import { asResource, diffHost, type PlanStep } from '../../plan/plan.ts';
import type { Cached } from '../../runtime/cache.ts';
import { type ConditionInput, findCondition } from '../../runtime/conditions.ts';
import type { Again } from '../controller.ts';
import { conditionsTo, failedStatus, writeStatus } from '../status.ts';
import { driftSentence, isReportOnly, type RepairPacing } from './drift.ts';
import { noteSteps } from './go.ts';
import { settledHolding } from './held.ts';
import type { PlacedContext } from './placed-kind.ts';

/** Does the work; when that cannot be done for now or for good, holds the object at what ran before. */
export async function holdingFormer(
  context: PlacedContext,
  cached: Cached,
  pacing: RepairPacing,
  work: () => Promise<Again | undefined>,
): Promise<Again | undefined> {
  try {
    return await work();
  } catch (thrown) {
    const error = PlumbError.from(thrown, cached.key);
    const lasts = error.retry === 'terminal' || error.reason.startsWith('Reference');
    const latest = context.read.get(cached.key) ?? cached;
    const host = restingOn(context, latest.object);
    if (!lasts || host === undefined) throw error;
    const { drifted, again } = await hold(context, latest, host, pacing);
    await writeHeld(context, latest, host, error, drifted);
    if (error.retry === 'retry') throw error;
    return again;
  }
}

/** The host on which the object is settled, while no flow works on it and the host can be asked. */
function restingOn(context: PlacedContext, object: PlumbObject): string | undefined {
  const { metadata } = object;
  const direction = context.journal.get(metadata.uid)?.record.direction;
  const host = settledHolding(context, object)?.host;
  if (metadata.deletionTimestamp || host === undefined || (direction !== undefined && direction !== 'failed'))
    return undefined;
  return context.liveness.connected(host) ? host : undefined;
}

/** What is to be said of its drift, and when to look again. */
interface Held {
  drifted?: ConditionInput;
  again?: Again | undefined;
}

async function hold(context: PlacedContext, cached: Cached, host: string, pacing: RepairPacing): Promise<Held> {
  const { object } = cached;
  const { uid } = object.metadata;
  const steps = repairs(context, object, host);
  const says = (status: 'True' | 'False', reason: string, message: string): Held => ({
    drifted: { type: 'Drifted', status, reason, message },
  });
  if (steps.length === 0) {
    const drift = context.placed.observed?.(context, object, host).drift;
    if (drift) return { drifted: drift };
    const before = findCondition(object, 'Drifted');
    return before?.status === 'True' ? says('False', 'Equal', 'it is as it was before') : {};
  }
  const found = driftSentence(steps);
  if (isReportOnly(object)) return says('True', 'Found', `${found}; driftPolicy is Report, so nothing is done`);
  const waitMs = pacing.waitMs(uid);
  if (waitMs > 0) return { again: { requeueAfterMs: waitMs } };
  const tell = (type: 'Normal' | 'Warning', reason: string, message: string) =>
    context.events.record({ object, type, reason, message: `${objectName(object.metadata)} ${message}` });
  tell('Warning', 'Drifted', `differs from what ran before: ${found}; it is repaired`);
  const failure = await repair(context, cached, steps);
  if (failure === undefined) {
    tell('Normal', 'Repaired', 'is again as it was before');
    return says('False', 'Repaired', `was repaired; what was found: ${found}`);
  }
  const again = failure.retry === 'retry' ? { requeueAfterMs: Math.max(1, pacing.waitMs(uid)) } : undefined;
  return { ...says('True', 'RepairFailed', `${found}; ${failure.reason}: ${failure.message}`), again };
}

/** The steps from what lives to what ran before. */
function repairs(context: PlacedContext, object: PlumbObject, host: string): PlanStep[] {
  const { placed } = context;
  const { uid } = object.metadata;
  const live: LiveResource[] = [];
  const former = new Map<string, HostResource>();
  for (const owned of context.fleet.ownedBy(uid)) {
    if (owned.host !== host) continue;
    live.push(placed.respected?.(object, owned.resource) ?? owned.resource);
    former.set(resourceKey(owned.resource), asResource(owned.resource));
  }
  for (const resource of context.journal.get(uid)?.record.former ?? [])
    if (!former.has(resourceKey(resource))) former.set(resourceKey(resource), resource);
  // What is at risk is left alone: its host would refuse.
  const observed = placed.observed?.(context, object, host);
  return diffHost(host, uid, [...former.values()], live).filter(({ resource }) => !observed?.leaves?.(resource));
}

async function repair(
  context: PlacedContext,
  cached: Cached,
  steps: readonly PlanStep[],
): Promise<PlumbError | undefined> {
  const { uid } = cached.object.metadata;
  const record = context.journal.get(uid);
  try {
    const result = await execute(steps, {
      fleet: context.fleet,
      owner: uid,
      // Both are later than the last turn of any flow of the object.
      fence: Math.max(cached.revision, record?.revision ?? 0),
      ...(record ? { onStep: noteSteps(context, uid) } : {}),
    });
    return result.outcome === 'failed' ? result.error : undefined;
  } catch (thrown) {
    return PlumbError.from(thrown, cached.key);
  }
}

/** The failure stays what it is said to be; beside it stands what was found and whether the guest runs. */
async function writeHeld(
  context: PlacedContext,
  cached: Cached,
  host: string,
  error: PlumbError,
  drifted: ConditionInput | undefined,
): Promise<void> {
  await writeStatus(context, cached, (status, object) => {
    const seen = context.placed.observed?.(context, object, host).status;
    const failed = failedStatus(context, { ...status, ...seen }, object, error);
    return drifted ? conditionsTo(context, failed, object, [drifted], []) : failed;
  });
}
