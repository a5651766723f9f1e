/** The last commit of a flow: what it took and did not keep is freed, and status says what is. */
import { type Instance, objectName, type Thing } from '@plumb/schemas';
import type { Journaled } from '../../flow/journal.ts';
import { everHeld, type FlowRecord } from '../../flow/record.ts';
import { type Allocation, heldAllocation } from '../../plan/allocation.ts';
import { asThing } from '../../plan/plan.ts';
import type { Cached } from '../../runtime/cache.ts';
import type { Again, Context } from '../controller.ts';
import { conditionsTo, readFresh, readyStatus, retryOnConflict, type Status, statusBatch } from '../status.ts';
import { livePower } from './applied.ts';
import { driftSentence } from './drift.ts';
import { readyWords } from './settle.ts';

export async function finishForward(
  context: Context,
  cached: Cached<Instance>,
  flow: Journaled,
): Promise<Again | undefined> {
  const { record } = flow;
  const target = record.target!;
  const revision = await retryOnConflict(async () => {
    const current = (await readFresh(context, cached)) as Cached<Instance> | undefined;
    if (!current) return undefined;
    const { revision } = await context.lane.submit((index) => {
      index.release(everHeld(record), target);
      const batch = statusBatch(current, finishedStatus(context, current.object, record, target));
      const ending = context.journal.ending(record.uid);
      return {
        preconditions: [...batch.preconditions, ...ending.preconditions],
        ops: [...batch.ops, ...ending.ops],
        result: undefined,
      };
    });
    return revision;
  });
  context.journal.ended(record.uid);
  context.holdings.set(record.uid, [target]);
  if (revision !== undefined) await context.cache.shows(revision);
  tellEnd(context, cached, record);
  return { requeueAfterMs: 0 }; // live changes are not listened to while a flow runs: look once more
}

function tellEnd(context: Context, cached: Cached<Instance>, record: FlowRecord): void {
  const seconds = ((context.ambient.clock.now() - record.startedAt) / 1000).toFixed(1);
  const [reason, words] = {
    create: ['Created', `was made on host ${record.target?.host} in ${seconds} s`],
    update: ['Updated', `was changed as declared in ${seconds} s`],
    repair: ['Repaired', `is as declared again after ${seconds} s`],
    delete: ['Deleted', 'is gone'],
  }[record.purpose];
  const message = `${objectName(cached.object.metadata)} ${words}: ${record.plan.steps.map((s) => s.id).join(', ')}`;
  context.events.record({ object: cached.object, type: 'Normal', reason: reason!, message });
}

function finishedStatus(context: Context, instance: Instance, record: FlowRecord, target: Allocation): Status {
  const power = livePower(context, instance, target.host) ?? instance.spec.power;
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
    former: before && formerThings(context, record.uid, before.host),
  };
  const { revision } = await context.lane.submit((index) => {
    index.release(everHeld(record), before); // guard: address never freed after failed create
    return { ...context.journal.writing(failed), result: undefined };
  });
  context.journal.written(failed, revision);
  context.holdings.set(record.uid, before ? [before] : []);
}

/** What the instance has on its host, each thing as it was last made; undone by now is what the flow had made. */
function formerThings(context: Context, uid: string, host: string): Thing[] {
  return [...context.fleet.ownedBy(uid)].filter((owned) => owned.host === host).map(({ thing }) => asThing(thing));
}
