/** Waiting for one object: until it is Ready, until it is gone. */
import { PlumbError, terminal } from '@plumb/schemas/meta/error.ts';
import type { PlumbObject } from '@plumb/schemas/meta/object.ts';
import type { Client } from './client.ts';
import type { Deadline } from './deadline.ts';
import { follow } from './follow.ts';
import { collectionOf, deleteObject, only, type Reference, title } from './objects.ts';
import { conditionOf, settled } from './settled.ts';

/**
 * Waits until the object is Ready at the generation that `changed` has. Throws the reason and the sentence of the object
 * when only a change of its inputs would help; on a timeout, a terminal `Timeout` that says what it waited for.
 */
export async function untilReady(
  client: Client,
  ref: Reference,
  changed: PlumbObject,
  limit: Deadline,
): Promise<PlumbObject> {
  const { uid, generation } = changed.metadata;
  let last: PlumbObject | undefined = changed;
  const look = (object: PlumbObject | undefined): PlumbObject | PlumbError | undefined => {
    last = object;
    if (!object) return terminal('Deleted', `${title(ref)} was deleted while it was waited for.`);
    const now = settled(object, generation);
    if (now.state === 'ready') return object;
    if (now.state !== 'failed') return undefined;
    const { reason, message, field } = now;
    return terminal(reason, message, field === undefined ? [] : [{ field, message }]);
  };
  const answer = await withSentence(
    async () => look(changed) ?? followOne(client, ref, uid, limit, look, changed.metadata.resourceVersion),
    () => `${title(ref)} is not Ready${because(last)}`,
  );
  if (answer instanceof PlumbError) throw answer;
  return answer;
}

/**
 * Deletes the object of that uid and waits until it is gone. Throws terminal `InUse` when something needs it that stays; on a timeout, the
 * error says what blocks it.
 */
export async function untilGone(client: Client, ref: Reference, uid: string, limit: Deadline): Promise<void> {
  if (await deleteObject(client, ref, uid, limit, true)) await untilAway(client, ref, uid, limit);
}

/** Waits until the object of that uid, which is marked for deletion, is gone. On a timeout, the error says what blocks it. */
export async function untilAway(client: Client, ref: Reference, uid: string, limit: Deadline): Promise<void> {
  let last: PlumbObject | undefined;
  const look = (object: PlumbObject | undefined): true | undefined => {
    last = object;
    return object ? undefined : true;
  };
  await withSentence(
    () => followOne(client, ref, uid, limit, look),
    () => `${title(ref)} is marked for deletion, but is still there${because(last)}`,
  );
}

/**
 * Waits until the object of that uid, which somebody is making, is gone or being deleted, or until `isDecided` says so. On a timeout, the
 * error says that it is still being made.
 */
export async function untilDecided(
  client: Client,
  ref: Reference,
  uid: string,
  isDecided: (object: PlumbObject) => boolean,
  limit: Deadline,
): Promise<void> {
  const look = (object: PlumbObject | undefined): true | undefined =>
    !object || object.metadata.deletionTimestamp !== undefined || isDecided(object) ? true : undefined;
  await withSentence(
    () => followOne(client, ref, uid, limit, look),
    () => `Another run is making ${title(ref)}, and has not said that it is done`,
  );
}

/**
 * Shows `look` each version of the object with that uid until it answers; after the revision `from`, where that is known. An
 * object of the same name with another uid counts as gone.
 */
function followOne<T>(
  client: Client,
  ref: Reference,
  uid: string,
  limit: Deadline,
  look: (object: PlumbObject | undefined) => T | undefined,
  from?: string,
): Promise<T> {
  const see = (name: string, object: PlumbObject | undefined) =>
    name === ref.name ? look(object?.metadata.uid === uid ? object : undefined) : undefined;
  const view = { path: collectionOf(ref), query: only(ref), from };
  return follow(client, { ...view, names: () => [ref.name], see }, limit.signal);
}

/** `: NoCapacity: no host has …`, or what is known instead. */
function because(object: PlumbObject | undefined): string {
  const ready = object && conditionOf(object, 'Ready');
  if (ready && ready.status !== 'True') return `: ${ready.reason}: ${ready.message.replace(/\.$/, '')}`;
  const finalizers = object?.metadata.deletionTimestamp ? (object.metadata.finalizers ?? []) : [];
  if (finalizers.length > 0) return `: it waits for ${finalizers.join(', ')}`;
  return ': no controller has said anything about it yet';
}

/** Puts the state of the object before the sentence of a deadline that ended. */
async function withSentence<T>(run: () => Promise<T>, sentence: () => string): Promise<T> {
  try {
    return await run();
  } catch (thrown) {
    const error = PlumbError.from(thrown, 'wait');
    if (error.reason !== 'Timeout' && error.reason !== 'Interrupted') throw error;
    throw terminal(error.reason, `${sentence()}. ${error.message}.`);
  }
}
