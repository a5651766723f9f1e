/**
 * Deleting a namespace: only when nothing is in it. It is marked first, which refuses new objects, then looked
 * through; if something is there, the mark is taken back and the client is told what.
 */
import { everyKind, PlumbError, type PlumbObject, terminal } from '@plumb/schemas';
import { timestamp } from '@plumb/schemas/meta/timestamp.ts';
import { keys } from '../../store/keys.ts';
import { encodeObject, isBeingDeleted, objectText, removalOps } from '../../store/object-codec.ts';
import type { Entry, Store } from '../../store/store.ts';
import type { ApiContext, Call } from '../call.ts';
import { conflict, notFound } from '../failure.ts';
import { expectSame } from '../modify.ts';
import { readable, storedObject } from '../readable.ts';
import { JSON_TYPE, type Reply } from '../reply.ts';
import type { WritableResource } from '../resource.ts';
import { deleted, optionsOf } from '../verbs/delete.ts';
import { defaultServiceAccountKey } from './default-service-account.ts';
import { DEFAULT_NAMESPACE } from './namespace.ts';

/** Objects that are named when a namespace cannot go. */
const NAMED = 5;

/** `DELETE /api/v1/namespaces/lab`. Throws PlumbError `Conflict` when objects are in it, `Forbidden` for `default`. */
export async function deleteNamespace(context: ApiContext, resource: WritableResource, call: Call): Promise<Reply> {
  const { store } = resource;
  const { name } = call;
  if (name === DEFAULT_NAMESPACE) {
    throw terminal('Forbidden', `namespace "${name}" is always there and cannot be deleted`);
  }
  const { dryRun, preconditions } = await optionsOf(call);
  const key = keys.object(resource.plural, undefined, name);
  const entry = await store.get(key);
  if (!entry) throw notFound(resource.plural, '', name);
  const { object: current } = storedObject(resource, entry);
  expectSame(resource, current, preconditions);
  const asItIs = (shown: Entry): Reply => ({
    status: 200,
    type: JSON_TYPE,
    body: objectText(readable(context.wrongs, resource, shown, shown.revision)),
  });
  if (current.metadata.deletionTimestamp !== undefined && isHeld(current)) return asItIs(entry);
  if (dryRun) {
    await expectEmpty(resource, name);
    return asItIs(entry);
  }
  const { marked, revision } = await markAndEnd(context, resource, { ...entry, object: current });
  return isHeld(current) ? asItIs({ key, value: encodeObject(marked), revision }) : deleted(resource, current);
}

/** What ends by itself, if it must. */
type Ending = Pick<ApiContext, 'ambient' | 'ending'>;

/**
 * Marks the namespace, so that nothing new comes in, and removes it if it is empty; if it is not, it stays as it was. Throws
 * PlumbError `Conflict` with what is in it.
 */
export async function markAndEnd(
  context: Ending,
  resource: WritableResource,
  { key, revision: was, object: current }: Pick<Entry, 'key' | 'revision'> & { object: PlumbObject },
): Promise<{ marked: PlumbObject; revision: number }> {
  const metadata = { ...current.metadata, deletionTimestamp: timestamp(context.ambient.clock.now()) };
  const marked: PlumbObject = { ...current, metadata, status: { phase: 'Terminating' } };
  const { revision } = await resource.store.commit({
    preconditions: [{ key, revision: was }],
    ops: [{ type: 'put', key, value: encodeObject(marked) }],
  });
  try {
    const problem = await endDeletion(context, resource, { key, revision });
    if (problem) throw problem;
  } catch (error) {
    if (isUnavailable(error)) endLater(context, resource, { key, revision });
    throw error;
  }
  return { marked, revision };
}

/** Whether others must let go of it first: then it goes with its last finalizer, and refuses everything new until then. */
function isHeld({ metadata }: PlumbObject): boolean {
  return (metadata.finalizers ?? []).length > 0;
}

/**
 * Ends deletions that a crash has cut off: what is empty goes, what is not stays as it was. Called before anything is
 * served, while no deletion can be under way.
 */
export async function finishNamespaceDeletions(context: ApiContext, resource: WritableResource): Promise<void> {
  const { store, plural } = resource;
  for (const entry of (await store.list(keys.kind(plural))).entries)
    if (isBeingDeleted(entry)) await endDeletion(context, resource, entry);
}

/** One that is marked. */
interface Marked {
  key: string;
  revision: number;
}

/**
 * The second half: the namespace goes when it is empty and no finalizer holds it. When it is not empty its mark goes, and what
 * is in it is the answer.
 */
async function endDeletion(
  { ambient }: Ending,
  resource: WritableResource,
  { key, revision }: Marked,
): Promise<unknown> {
  const { store } = resource;
  const entry = await store.get(key);
  if (entry?.revision !== revision) return undefined;
  const { object: current } = storedObject(resource, entry);
  const { deletionTimestamp: _, ...kept } = current.metadata;
  const restored: PlumbObject = { ...current, metadata: kept, status: { phase: 'Active' } };
  const problem = await expectEmpty(resource, kept.name).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (isUnavailable(problem)) throw problem;
  if (!problem && isHeld(current)) return undefined;
  await store.commit({
    preconditions: [{ key, revision }],
    ops: problem
      ? [{ type: 'put', key, value: encodeObject(restored) }]
      : [
          ...removalOps(key, current, ambient.clock.now()),
          { type: 'delete', key: defaultServiceAccountKey(kept.name) },
        ],
  });
  return problem;
}

/** How long after the disk refused it is asked again. Milliseconds. */
const AGAIN_MS = 1_000;

/** A marked namespace refuses everything new: what the disk refused in the middle is ended when it takes it again. */
function endLater(context: Ending, resource: WritableResource, marked: Marked): void {
  const { ambient, ending } = context;
  if (ending?.aborted) return;
  const stop = ambient.clock.after(AGAIN_MS, () => {
    ending?.removeEventListener('abort', stop);
    endDeletion(context, resource, marked).catch((error) => {
      if (isUnavailable(error)) endLater(context, resource, marked);
    });
  });
  ending?.addEventListener('abort', stop, { once: true });
}

function isUnavailable(error: unknown): boolean {
  return error instanceof PlumbError && error.reason === 'StoreUnavailable';
}

async function expectEmpty(resource: WritableResource, namespace: string): Promise<void> {
  const held: string[] = [];
  for (const kind of everyKind.filter(({ scope }) => scope === 'Namespaced')) {
    held.push(...(await namesIn(resource.store, kind.plural, namespace, NAMED + 2 - held.length)));
    if (held.length > NAMED) break;
  }
  if (held.length === 0) return;
  const shown = held.slice(0, NAMED).join(', ') + (held.length > NAMED ? ' and more' : '');
  throw conflict(resource.plural, '', namespace, `it holds ${shown}: delete them first`);
}

async function namesIn(store: Store, plural: string, namespace: string, limit: number): Promise<string[]> {
  const prefix = keys.namespace(plural, namespace);
  const { entries } = await store.list(prefix, { limit });
  return entries
    .filter(({ key }) => key !== defaultServiceAccountKey(namespace))
    .map(({ key }) => `${plural}/${key.slice(prefix.length)}`);
}
