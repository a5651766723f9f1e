/** What a person may do about a flow that cannot go on: have it tried again at once, or end it as it is. */
import { terminal } from '@plumb/schemas';
import type { Journaled } from '../../flow/journal.ts';
import type { Cached } from '../../runtime/cache.ts';
import type { Context } from '../controller.ts';
import { finishDelete } from './delete.ts';
import { finishBack } from './finish.ts';
import { allHeld } from './held.ts';
import { type PlacedContext, placedContext, placedOf } from './placed-kind.ts';
import { calledInCommands } from './words.ts';

/** A failed flow is forgotten, so that the same is planned again; one that is under way is tried at once. */
export async function retryFlow(context: Context, uid: string): Promise<void> {
  requireReadable(context, uid);
  const { flow, cached } = find(context, uid);
  if (flow.record.direction === 'failed') {
    await endFlow(context, uid);
  }
  context.enqueue(cached.key);
}

/**
 * Ends a flow that is stuck, or that removes what is on a lost host, although a host has not confirmed. What it held is
 * freed. What is left on the host still bears the owner's uid: it is removed when the host obeys again. Throws terminal
 * `NotStuck` for a flow that still moves.
 */
export async function abandonFlow(context: Context, uid: string): Promise<void> {
  if (context.journal.unreadable(uid) !== undefined) {
    await forgetFlow(context, uid);
    if (!context.read.byUid(uid) && !context.cache.poisoned.byUid(uid)) return;
  }
  if (!context.journal.get(uid) && (await isLetGo(context, uid))) return;
  const { flow, cached, work } = find(context, uid);
  const obstacle = flow.record.stuck?.message ?? lostHost(context, flow);
  if (obstacle === undefined)
    throw terminal(
      'NotStuck',
      `the flow of ${calledInCommands(flow.record.key)} is not stuck, nor does it remove anything from a host that is lost; only then can it be abandoned`,
    );
  context.events.record({
    object: cached.object,
    type: 'Warning',
    reason: 'Abandoned',
    message: `a person ended its flow: ${obstacle}`,
  });
  if (flow.record.purpose === 'delete') await finishDelete(work, cached, allHeld(work, cached.object));
  else await finishBack(work, cached, flow);
  context.enqueue(cached.key);
}

/** The record of the flow goes, and with it what keeps the same from being tried again. */
export async function endFlow({ store, journal, cache }: Context, uid: string): Promise<void> {
  const { revision } = await store.commit(journal.ending(uid));
  await cache.shows(revision);
}

/** Nobody knows what the flow did: the next plan is made from what lives. */
async function forgetFlow(context: Context, uid: string): Promise<void> {
  await endFlow(context, uid);
  context.strays.add(uid);
  const cached = context.read.byUid(uid);
  if (cached) context.enqueue(cached.key);
}

/** Ends a deletion that waits for hosts because it is not known where the object is. Whether there was something to end. */
async function isLetGo(context: Context, uid: string): Promise<boolean> {
  const aside = context.cache.poisoned.byUid(uid);
  const found = aside ? { ...aside, object: aside.rest } : context.read.byUid(uid);
  const placed = found && placedOf(context, found.kind);
  if (!placed || !(aside || context.strays.has(uid))) return false;
  const work = placedContext(context, placed);
  if (found.object.metadata.deletionTimestamp !== undefined)
    await finishDelete(work, found, allHeld(work, found.object));
  return true;
}

function requireReadable(context: Context, uid: string): void {
  const what = context.journal.unreadable(uid);
  if (what !== undefined)
    throw terminal('FlowUnreadable', `the flow of ${uid} cannot be read: ${what}; it can only be abandoned`);
}

/** Says which host that the flow removes from is lost; undefined when none is, or the flow may still end as declared. */
function lostHost(context: Context, { record }: Journaled): string | undefined {
  if (record.purpose !== 'delete' && record.direction !== 'back') return undefined;
  const step = record.plan.steps.find(({ host }) => context.liveness.graceLeftMs(host) === 0);
  return step && `host ${step.host} is not connected`;
}

function find(context: Context, uid: string): { flow: Journaled; cached: Cached; work: PlacedContext } {
  const flow = context.journal.get(uid);
  const aside = context.cache.poisoned.byUid(uid);
  const cached = (aside ? { ...aside, object: aside.rest } : context.read.byUid(uid)) as Cached | undefined;
  const placed = cached && placedOf(context, cached.kind);
  if (!flow || !cached || !placed) throw terminal('NotFound', `there is no flow of an object with uid ${uid}`);
  return { flow, cached, work: placedContext(context, placed) };
}
