/** What a person may do about a flow that cannot go on: have it tried again at once, or end it as it is. */
import { type Instance, terminal } from '@plumb/schemas';
import type { Journaled } from '../../flow/journal.ts';
import type { Cached } from '../../runtime/cache.ts';
import type { Context } from '../controller.ts';
import { finishDelete } from './delete.ts';
import { finishBack } from './finish.ts';
import { allHeld } from './planning.ts';

/** A failed flow is forgotten, so that the same is planned again; one that is under way is tried at once. */
export async function retryFlow(context: Context, uid: string): Promise<void> {
  const { flow, cached } = find(context, uid);
  if (flow.record.direction === 'failed') {
    await context.store.commit(context.journal.ending(uid));
    context.journal.ended(uid);
  }
  context.enqueue(cached.key);
}

/**
 * Ends a stuck flow although a host has not confirmed. What it held is freed. What is left on the host still bears the
 * owner's uid: it is removed when the host obeys again. Throws terminal `NotStuck` for a flow that still moves.
 */
export async function abandonFlow(context: Context, uid: string): Promise<void> {
  const { flow, cached } = find(context, uid);
  if (!flow.record.stuck)
    throw terminal('NotStuck', `the flow of ${flow.record.key} is not stuck; only a stuck flow can be abandoned`);
  context.events.record({
    object: cached.object,
    type: 'Warning',
    reason: 'Abandoned',
    message: `a person ended its stuck flow: ${flow.record.stuck.message}`,
  });
  if (flow.record.purpose === 'delete') await finishDelete(context, cached, allHeld(context, cached.object));
  else await finishBack(context, cached, flow);
  context.enqueue(cached.key);
}

function find(context: Context, uid: string): { flow: Journaled; cached: Cached<Instance> } {
  const flow = context.journal.get(uid);
  const cached = context.cache.byUid(uid) as Cached<Instance> | undefined;
  if (!flow || !cached) throw terminal('NotFound', `there is no flow of an object with uid ${uid}`);
  return { flow, cached };
}
