/** The last commit of a flow: what it took and did not keep is freed, and status says what is. */
import { type HostResource, type Instance, objectName } from '@plumb/schemas';
import type { Journaled } from '../../flow/journal.ts';
import { everHeld, type FlowRecord } from '../../flow/record.ts';
import { type Allocation, claimsOf, heldAllocation } from '../../plan/allocation.ts';
import { asResource } from '../../plan/plan.ts';
import { stepWords } from '../../plan/step-words.ts';
import type { Cached } from '../../runtime/cache.ts';
import type { Again, Context } from '../controller.ts';
import { conditionsTo, readFresh, readyStatus, retryOnConflict, type Status, statusBatch } from '../status.ts';
import { livePower } from './applied.ts';
import { driftSentence } from './drift.ts';
import { lookAtImages } from './images.ts';
import { asMade } from './planning.ts';
import { readyWords } from './settle.ts';

export async function finishForward(
  context: Context,
  cached: Cached<Instance>,
  flow: Journaled,
): Promise<Again | undefined> {
  const { record } = flow;
  const target = record.target!;
  const made = context.journal.isResumed(record.uid) ? undefined : asMadeNow(context, record, target);
  const revision = await retryOnConflict(async (attempt) => {
    const current = attempt === 0 ? latestOf(context, cached) : await readFresh(context, cached);
    if (!current) return undefined;
    const instance = current.object as Instance;
    const { revision } = await context.lane.submit((index) => {
      index.release(record.uid, everHeld(record).map(claimsOf), claimsOf(target));
      if (context.strays.has(record.uid)) index.releaseAll(record.uid, claimsOf(target));
      const power = made?.power ?? livePower(context, instance, target.host) ?? instance.spec.power;
      const batch = statusBatch(current, finishedStatus(context, instance, record, target, power));
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
  lookAtImages(context, record.held);
  tellEnd(context, cached, record);
  // Live changes are not listened to while a flow runs: unless none came since all was found as planned, look once more.
  return made && made.version === versionsOf(context, record, target) ? undefined : { requeueAfterMs: 0 };
}

/** The object as the cache has it, which is nearly always the newest: the commit would fail if it were not. */
function latestOf(context: Context, cached: Cached<Instance>): Cached | undefined {
  const latest = context.read.get(cached.key);
  return latest?.object.metadata.uid === cached.object.metadata.uid ? latest : undefined;
}

/** When a create has made just what lives now: whether that runs, and the version of it. */
function asMadeNow(
  context: Context,
  { uid, purpose, plan }: FlowRecord,
  { host }: Allocation,
): { power: 'Running' | 'Stopped'; version: string } | undefined {
  if (purpose !== 'create') return undefined;
  const own = plan.steps.filter(({ resource }) => resource.owner === uid).map(({ resource }) => resource);
  const domain = own.find((resource) => resource.kind === 'domain');
  if (domain?.kind !== 'domain' || !context.fleet.isExactly(uid, host, own.map(asMade))) return undefined;
  const resources = context.fleet.host(host)?.resources;
  const isThere = (key: string) => resources?.has(key) ?? false;
  for (const { kind, spec } of own)
    if (kind === 'port' && !(isThere(`bridge/${spec.bridge}`) && isThere(`subnet/${spec.subnet}`))) return undefined;
  return { power: domain.spec.power, version: versionsOf(context, { uid }, { host }) };
}

/** Another text after each change of what lives for the object, or of what its host has for many. */
function versionsOf(context: Context, { uid }: Pick<FlowRecord, 'uid'>, { host }: Pick<Allocation, 'host'>): string {
  return `${context.fleet.owned(uid)?.version} ${context.fleet.host(host)?.sharedVersion}`;
}

function tellEnd(context: Context, cached: Cached<Instance>, record: FlowRecord): void {
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
  context: Context,
  instance: Instance,
  record: FlowRecord,
  target: Allocation,
  power: 'Running' | 'Stopped',
): Status {
  const status: Status = {
    ...instance.status,
    host: target.host,
    power,
    cpus: target.cpus,
    memoryMiB: target.memoryMiB,
    interfaces: target.interfaces,
    rootDisk: target.rootDisk,
  };
  const { reason, message } = readyWords(power, target);
  const ready = readyStatus(context, status, instance, reason, message);
  const observed = { ...ready, observedGeneration: record.generation };
  if (record.purpose !== 'repair') return observed;
  const what = `was repaired; what was found: ${driftSentence(record.plan.steps)}`;
  return conditionsTo(
    context,
    ready,
    instance,
    [{ type: 'Drifted', status: 'False', reason: 'Repaired', message: what }],
    [],
  );
}

/** The flow is undone whole: what it took is freed, and the record stays so that the same is not tried again. */
export async function finishBack(context: Context, cached: Cached<Instance>, flow: Journaled): Promise<void> {
  const { record } = flow;
  const before = heldAllocation(cached.object.status);
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
    const kept = before && claimsOf(before);
    index.release(record.uid, everHeld(record).map(claimsOf), kept); // guard: address never freed after failed create
    return { ...context.journal.writing(failed), result: failed };
  });
  const { revision } = await context.journal.written(record.uid, submitted);
  await context.cache.shows(revision);
  lookAtImages(context, everHeld(record));
}

/** What the instance has on its host, each resource as it was last made; undone by now is what the flow had made. */
function formerResources(context: Context, uid: string, host: string): HostResource[] {
  return [...context.fleet.ownedBy(uid)]
    .filter((owned) => owned.host === host)
    .map(({ resource }) => asResource(resource));
}
