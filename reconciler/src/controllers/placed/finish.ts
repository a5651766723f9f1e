/** The last commit of a flow: what it took and did not keep is freed, and status says what is. */
import { type HostResource, objectName, type PlumbObject, resourceKey, resourceTypes } from '@plumb/schemas';
import type { Journaled } from '../../flow/journal.ts';
import { everHeld, type FlowRecord } from '../../flow/record.ts';
import type { Held } from '../../plan/holding.ts';
import { asMade, asResource } from '../../plan/plan.ts';
import { stepWords } from '../../plan/step-words.ts';
import type { Cached } from '../../runtime/cache.ts';
import type { Again } from '../controller.ts';
import { conditionsTo, readFresh, readyStatus, retryOnConflict, type Status, statusBatch } from '../status.ts';
import { driftSentence } from './drift.ts';
import { settledHolding } from './held.ts';
import type { PlacedContext } from './placed-kind.ts';

export async function finishForward(
  context: PlacedContext,
  cached: Cached,
  flow: Journaled,
): Promise<Again | undefined> {
  const { record } = flow;
  const target = record.target!;
  const { claims } = context.placed.holding;
  const made = context.journal.isResumed(record.uid) ? undefined : asMadeNow(context, record, target);
  const revision = await retryOnConflict(async (attempt) => {
    const current = attempt === 0 ? latestOf(context, cached) : await readFresh(context, cached);
    if (!current) return undefined;
    const { revision } = await context.lane.submit((index) => {
      index.release(record.uid, everHeld(record).map(claims), claims(target));
      if (context.strays.has(record.uid)) index.releaseAll(record.uid, claims(target));
      const batch = statusBatch(current, finishedStatus(context, current.object, record, target, made?.own));
      const ending = context.journal.ending(record.uid);
      return {
        preconditions: [...batch.preconditions, ...ending.preconditions],
        ops: [...batch.ops, ...ending.ops],
        result: undefined,
      };
    });
    return revision;
  });
  if (revision !== undefined) await context.cache.shows(revision);
  context.strays.delete(record.uid);
  context.placed.letGo?.(context, record.held);
  tellEnd(context, cached, record);
  // Live changes are not listened to while a flow runs: unless none came since all was found as planned, look once more.
  return made && made.version === versionsOf(context, record, target) ? undefined : { requeueAfterMs: 0 };
}

/** The object as the cache has it, which is nearly always the newest: the commit would fail if it were not. */
function latestOf(context: PlacedContext, cached: Cached): Cached | undefined {
  const latest = context.read.get(cached.key);
  return latest?.object.metadata.uid === cached.object.metadata.uid ? latest : undefined;
}

/** When a create has made just what lives now: what that is, and the version of it. */
function asMadeNow(
  context: PlacedContext,
  { uid, purpose, plan }: FlowRecord,
  { host }: Held,
): { own: HostResource[]; version: string } | undefined {
  if (purpose !== 'create') return undefined;
  const own = plan.steps.filter(({ resource }) => resource.owner === uid).map(({ resource }) => resource);
  if (own.length === 0 || !context.fleet.isExactly(uid, host, own.map(asMade))) return undefined;
  const resources = context.fleet.host(host)?.resources;
  for (const resource of own)
    for (const needed of resourceTypes.requirements(resource))
      if (!resources?.has(resourceKey(needed as HostResource))) return undefined;
  return { own, version: versionsOf(context, { uid }, { host }) };
}

/** Another text after each change of what lives for the object, or of what its host has for many. */
function versionsOf(context: PlacedContext, { uid }: Pick<FlowRecord, 'uid'>, { host }: Held): string {
  return `${context.fleet.owned(uid)?.version} ${context.fleet.host(host)?.sharedVersion}`;
}

function tellEnd(context: PlacedContext, cached: Cached, record: FlowRecord): void {
  const seconds = ((context.ambient.clock.now() - record.startedAt) / 1000).toFixed(1);
  const [reason, words] = {
    create: ['Created', `was made on host ${record.target?.host} in ${seconds} s`],
    update: ['Updated', `was changed as declared in ${seconds} s`],
    repair: ['Repaired', `is as declared again after ${seconds} s`],
    delete: ['Deleted', 'is gone'],
  }[record.purpose];
  const message = `${objectName(cached.object.metadata)} ${words}: ${record.plan.steps.map(stepWords).join(', ')}`;
  context.events.record({ object: cached.object, type: 'Normal', reason: reason!, message });
}

function finishedStatus(
  context: PlacedContext,
  object: PlumbObject,
  record: FlowRecord,
  target: Held,
  made: readonly HostResource[] | undefined,
): Status {
  const { status: held, reason, message } = context.placed.ready(context, object, target, made);
  const { applied } = record;
  const status: Status = { ...object.status, ...held, ...(applied === undefined ? {} : { applied }) };
  const ready = readyStatus(context, status, object, reason, message);
  const observed = { ...ready, observedGeneration: record.generation };
  if (record.purpose !== 'repair') return observed;
  const what = `was repaired; what was found: ${driftSentence(record.plan.steps)}`;
  return conditionsTo(
    context,
    ready,
    object,
    [{ type: 'Drifted', status: 'False', reason: 'Repaired', message: what }],
    [],
  );
}

/** The flow is undone whole: what it took is freed, and the record stays so that the same is not tried again. */
export async function finishBack(context: PlacedContext, cached: Cached, flow: Journaled): Promise<void> {
  const { record } = flow;
  const before = settledHolding(context, cached.object);
  const { claims } = context.placed.holding;
  const failed: FlowRecord = {
    ...record,
    direction: 'failed',
    carried: undefined,
    plan: { ...record.plan, steps: [] },
    target: undefined,
    held: [],
    stuck: undefined,
    former: before && formerResources(context, record.uid, before.host),
  };
  const submitted = context.lane.submit((index) => {
    const kept = before && claims(before);
    index.release(record.uid, everHeld(record).map(claims), kept); // guard: address never freed after failed create
    return { ...context.journal.writing(failed), result: failed };
  });
  const { revision } = await context.journal.written(record.uid, submitted);
  await context.cache.shows(revision);
  context.placed.letGo?.(context, everHeld(record));
}

/** What the object has on its host, each resource as it was last made; undone by now is what the flow had made. */
function formerResources(context: PlacedContext, uid: string, host: string): HostResource[] {
  return [...context.fleet.ownedBy(uid)]
    .filter((owned) => owned.host === host)
    .map(({ resource }) => asResource(resource));
}
