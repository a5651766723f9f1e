/** Deleting an object: everything it may have made goes, then what it held is freed, then the object goes. */
import { PlumbError } from '@plumb/schemas';
import { execute } from '../../flow/execute.ts';
import type { Journaled } from '../../flow/journal.ts';
import type { FlowRecord } from '../../flow/record.ts';
import type { Held } from '../../plan/holding.ts';
import { PLAN_VERSION, type PlanStep } from '../../plan/plan.ts';
import type { Cached } from '../../runtime/cache.ts';
import type { Again } from '../controller.ts';
import { leftBehindOn } from '../left-behind.ts';
import { departure, readFresh, retryOnConflict, type Status } from '../status.ts';
import { describe, noteSteps, stuck } from './go.ts';
import { allHeld, settledHolding } from './held.ts';
import type { PlacedContext } from './placed-kind.ts';
import { type RemovalManner, removals, strayRemovals } from './removals.ts';
import { requireEveryHost } from './returning.ts';
import { calledInCommands } from './words.ts';

export async function deleteObject(
  context: PlacedContext,
  cached: Cached,
  flow: Journaled | undefined,
): Promise<Again | undefined> {
  const { uid } = cached.object.metadata;
  const held = allHeld(context, cached.object);
  if (isUnclear(context, cached)) requireEveryHost(context, cached.key);
  const steps = removals(context, uid, held, goes(cached));
  if (steps.length > 0) {
    const deleting =
      flow?.record.purpose === 'delete' ? flow : await context.journal.turn(record(context, cached, held, steps));
    const result = await execute(steps, {
      fence: deleting.revision,
      fleet: context.fleet,
      owner: uid,
      onStep: noteSteps(context, uid),
    }).catch((thrown) => {
      throw tellWayOut(thrown, cached.key, steps.find(({ host }) => !context.liveness.connected(host))?.host);
    });
    // guard: address freed while still in use
    if (result.outcome === 'failed')
      return stuck(context, deleting.record, describe(result.step, result.error, deleting.record.plan.steps));
  }
  await removeStrays(context, cached, held);
  await finishDelete(context, cached, held);
  return undefined;
}

/** How everything of an object goes with it. */
export function goes({ kind }: Pick<Cached, 'kind'>): RemovalManner {
  return { undo: 'pivot', disruption: 'dataLoss', why: `is to go with its ${kind.singular}` };
}

/**
 * What hosts say that they have of it although it holds nothing there: of a restored store that may be so. They are asked, and not
 * waited for beyond that: once it is deleted, what is left of it may be removed at any time.
 */
async function removeStrays(context: PlacedContext, cached: Cached, held: readonly Held[]): Promise<void> {
  const { uid } = cached.object.metadata;
  const byHost = Map.groupBy(strayRemovals(context, uid, held, goes(cached)), ({ host }) => host);
  const fence = context.journal.get(uid)?.revision ?? cached.revision;
  await Promise.all(
    [...byHost.values()].map((steps) =>
      execute(steps, { fence, fleet: context.fleet, owner: uid }).catch(() => undefined),
    ),
  );
}

/** A host that never comes back confirms nothing: only a person can say so. */
function tellWayOut(thrown: unknown, key: string, host = 'NAME'): unknown {
  if (!(thrown instanceof PlumbError) || thrown.reason !== 'HostNotConnected') return thrown;
  const { reason, retry } = thrown;
  const message = `cannot be removed yet: ${thrown.message}; if the host is off: plumb host fence ${host} --confirmed-off; to end this removal alone: plumb flows abandon ${calledInCommands(key)}`;
  return new PlumbError({ reason, message, retry, cause: thrown });
}

function record(context: PlacedContext, cached: Cached, held: readonly Held[], steps: readonly PlanStep[]): FlowRecord {
  return {
    key: cached.key,
    kind: context.placed.holding.kind,
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
export async function finishDelete(context: PlacedContext, cached: Cached, held: readonly Held[]): Promise<void> {
  const { uid } = cached.object.metadata;
  const { claims } = context.placed.holding;
  const emptied = (status: Status) => context.placed.emptied?.(status) ?? withoutHost(status);
  const revision = await retryOnConflict(async () => {
    const aside = context.cache.poisoned.get(cached.key);
    const current = aside
      ? { ...cached, object: aside.rest, revision: aside.revision }
      : await readFresh(context, cached);
    if (!current) return undefined;
    if (isFinished(context, current, held, emptied)) return undefined;
    const { revision } = await context.lane.submit((index) => {
      index.release(uid, held.map(claims), undefined);
      if (aside || context.strays.has(uid) || context.journal.unreadable(uid)) index.releaseAll(uid);
      const left = leftBehindOn(
        context,
        uid,
        held.map(({ host }) => host),
      );
      const batch = departure(current, context.ambient.clock.now(), emptied, left);
      const ending = context.journal.ending(uid);
      return {
        preconditions: [...batch.preconditions, ...ending.preconditions],
        ops: [...batch.ops, ...ending.ops],
        result: undefined,
      };
    });
    return revision;
  });
  if (revision !== undefined) await context.cache.shows(revision);
  context.strays.delete(uid);
  context.placed.letGo?.(context, held);
}

/** Whether it is not known on which host it is: its status or its flow cannot be read, and neither says. */
function isUnclear(context: PlacedContext, { key, object }: Cached): boolean {
  const { metadata } = object;
  const hasStatus = context.cache.poisoned.get(key)?.hasStatus ?? true;
  const hasFlow = context.journal.unreadable(metadata.uid) === undefined;
  return !(hasStatus && hasFlow) && settledHolding(context, object) === undefined;
}

function withoutHost(status: Status): Status {
  const { host: _host, applied: _applied, ...kept } = status;
  return kept;
}

/** Whether all of this was done before: only finalizers of others keep the object. */
function isFinished(
  context: PlacedContext,
  current: Cached,
  held: readonly Held[],
  emptied: (status: Status) => Status,
): boolean {
  if (held.length > 0 || context.journal.get(current.object.metadata.uid)) return false;
  return departure(current, context.ambient.clock.now(), emptied).ops.length === 0;
}
