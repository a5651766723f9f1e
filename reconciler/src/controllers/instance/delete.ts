/** Deleting an instance: everything it may have made goes, then what it held is freed, then the object goes. */
import { type Instance, PlumbError, type Thing, thingKey, thingOrder } from '@plumb/schemas';
import { execute } from '../../flow/execute.ts';
import type { Journaled } from '../../flow/journal.ts';
import type { FlowRecord } from '../../flow/record.ts';
import { type Allocation, heldAllocation } from '../../plan/allocation.ts';
import { thingIds } from '../../plan/instance-things.ts';
import { PLAN_VERSION, type PlanStep } from '../../plan/plan.ts';
import type { Cached } from '../../runtime/cache.ts';
import type { Again, Context } from '../controller.ts';
import { departure, readFresh, retryOnConflict, type Status } from '../status.ts';
import { describe, noteSteps, stuck } from './go.ts';
import { lookAtImages } from './images.ts';
import { requireEveryHost } from './place.ts';
import { allHeld } from './planning.ts';

export async function deleteInstance(
  context: Context,
  cached: Cached<Instance>,
  flow: Journaled | undefined,
): Promise<Again | undefined> {
  const { uid } = cached.object.metadata;
  const held = allHeld(context, cached.object);
  if (isUnclear(context, cached)) requireEveryHost(context, uid);
  const steps = removals(context, uid, held);
  if (steps.length > 0) {
    const deleting =
      flow?.record.purpose === 'delete' ? flow : await context.journal.turn(record(context, cached, held, steps));
    const result = await execute(steps, {
      fence: deleting.revision,
      fleet: context.fleet,
      owner: uid,
      onStep: noteSteps(context, uid),
    }).catch((thrown) => {
      throw tellWayOut(thrown, uid);
    });
    // guard: address freed while still in use
    if (result.outcome === 'failed') return stuck(context, deleting.record, describe(result.step, result.error));
  }
  await finishDelete(context, cached, held);
  return undefined;
}

/** A host that never comes back confirms nothing: only a person can say so. */
function tellWayOut(thrown: unknown, uid: string): unknown {
  if (!(thrown instanceof PlumbError) || thrown.reason !== 'HostNotConnected') return thrown;
  const { reason, retry } = thrown;
  const message = `cannot be removed yet: ${thrown.message}; if the host is gone for good, say so: plumb flows abandon ${uid}`;
  return new PlumbError({ reason, message, retry, cause: thrown });
}

/**
 * The removal of everything that any plan of the instance can have made, live or not: a command of an earlier flow may
 * still be at work on the host, and this one runs after it.
 */
function removals(context: Context, uid: string, held: readonly Allocation[]): PlanStep[] {
  const steps = new Map<string, PlanStep>();
  const add = (host: string, thing: Thing) =>
    steps.set(`${host} ${thingKey(thing)}`, {
      id: `remove ${thingKey(thing)}`,
      host,
      verb: 'remove',
      thing,
      undo: 'pivot',
      disruption: 'dataLoss',
      why: `${thing.kind} is to go with its instance`,
    });
  for (const { host, interfaces, rootDisk } of held) {
    for (const { name } of interfaces) add(host, unspecified('port', thingIds.port(uid, name), uid));
    add(host, unspecified('domain', thingIds.domain(uid), uid));
    add(host, unspecified('seed', thingIds.seed(uid), uid));
    add(host, unspecified('disk', rootDisk.id, uid));
  }
  for (const { host, thing } of context.fleet.ownedBy(uid)) add(host, unspecified(thing.kind, thing.id, uid));
  return [...steps.values()].sort(
    (a, b) => (a.host < b.host ? -1 : a.host > b.host ? 1 : 0) || thingOrder(b.thing.kind) - thingOrder(a.thing.kind),
  );
}

/** Removing needs the identity of a thing only. */
function unspecified(kind: Thing['kind'], id: string, owner: string): Thing {
  return { kind, id, owner, spec: {} } as unknown as Thing;
}

function record(
  context: Context,
  cached: Cached<Instance>,
  held: readonly Allocation[],
  steps: readonly PlanStep[],
): FlowRecord {
  return {
    key: cached.key,
    uid: cached.object.metadata.uid,
    purpose: 'delete',
    generation: cached.object.metadata.generation,
    direction: 'forward',
    plan: { version: PLAN_VERSION, steps: [...steps] },
    held: [...held],
    inputs: '',
    startedAt: context.ambient.clock.now(),
  };
}

/** Addresses are free for others from here on, because the hosts have confirmed the removal. */
export async function finishDelete(
  context: Context,
  cached: Cached<Instance>,
  held: readonly Allocation[],
): Promise<void> {
  const { uid } = cached.object.metadata;
  const revision = await retryOnConflict(async () => {
    const aside = context.cache.poisoned.get(cached.key);
    const current = aside
      ? { ...cached, object: aside.rest, revision: aside.revision }
      : await readFresh(context, cached);
    if (!current) return undefined;
    if (isFinished(context, current, held)) return undefined;
    const { revision } = await context.lane.submit((index) => {
      index.release(uid, held, undefined);
      if (aside || context.strays.has(uid) || context.journal.unreadable(uid)) index.releaseAll(uid);
      const batch = departure(current, context.ambient.clock.now(), emptied);
      const ending = context.journal.ending(uid);
      return {
        preconditions: [...batch.preconditions, ...ending.preconditions],
        ops: [...batch.ops, ...ending.ops],
        result: undefined,
      };
    });
    return revision;
  });
  context.journal.ended(uid);
  context.strays.delete(uid);
  context.holdings.set(uid, []);
  lookAtImages(context, held);
  if (revision !== undefined) await context.cache.shows(revision);
}

/** Whether it is not known on which host it is: its status or its flow cannot be read, and neither says. */
function isUnclear(context: Context, { key, object }: Cached<Instance>): boolean {
  const { metadata, status } = object;
  const hasStatus = context.cache.poisoned.get(key)?.hasStatus ?? true;
  const hasFlow = context.journal.unreadable(metadata.uid) === undefined;
  return !(hasStatus && hasFlow) && heldAllocation(status) === undefined;
}

/** A guest that is gone runs nowhere, and what it had may be another's by now. */
function emptied(status: Status): Status {
  const { host: _h, cpus: _c, memoryMiB: _m, rootDisk: _r, interfaces: _i, ...kept } = status;
  return { ...kept, power: 'Stopped' };
}

/** Whether all of this was done before: only finalizers of others keep the object. */
function isFinished(context: Context, current: Cached, held: readonly Allocation[]): boolean {
  if (held.length > 0 || context.journal.get(current.object.metadata.uid)) return false;
  return departure(current, context.ambient.clock.now(), emptied).ops.length === 0;
}
