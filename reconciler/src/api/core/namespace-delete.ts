/**
 * Deleting a namespace. Who asks for it by name deletes all that is in it; what tidies up by itself deletes one only when nothing is in
 * it: it is marked first, which refuses new objects, then looked through, and if something is there, the mark is taken back.
 */
import { everyKind, PlumbError, type PlumbObject } from '@plumb/schemas';
import { CONTENT_FINALIZER } from '@plumb/schemas/kinds/builtin/namespace.ts';
import { timestamp } from '@plumb/schemas/meta/timestamp.ts';
import { ConflictError } from '../../store/errors.ts';
import { keys } from '../../store/keys.ts';
import { encodeObject, isBeingDeleted, isHeld, markedForDeletion, removalOps } from '../../store/object-codec.ts';
import type { Entry, Store } from '../../store/store.ts';
import { Forbidden } from '../authorize.ts';
import type { ApiContext, Call } from '../call.ts';
import { conflict, notFound } from '../failure.ts';
import { ATTEMPTS } from '../modify.ts';
import type { DeleteOptions } from '../options.ts';
import { presentationOf } from '../presentation.ts';
import { readable, storedObject } from '../readable.ts';
import { JSON_TYPE, type Reply } from '../reply.ts';
import type { WritableResource } from '../resource.ts';
import { optionsOf } from '../verbs/delete.ts';
import { defaultServiceAccountKey } from './default-service-account.ts';
import { DEFAULT_NAMESPACE } from './namespace.ts';

type Preconditions = DeleteOptions['preconditions'];

/** Objects that are named when a namespace cannot go. */
const NAMED = 5;

/**
 * `DELETE /api/v1/namespaces/lab`: marks it, and nothing new comes in. What is in it goes in the background (namespace-deletions.ts),
 * and then it goes. Throws PlumbError `Forbidden` for `default`.
 */
export async function deleteNamespace(context: ApiContext, resource: WritableResource, call: Call): Promise<Reply> {
  const { store } = resource;
  const { name } = call;
  const { dryRun, preconditions, accepted } = await optionsOf(call);
  if (name === DEFAULT_NAMESPACE) {
    const { kind, plural, group } = resource;
    throw new Forbidden({ kind, plural, group, name }, 'this namespace may not be deleted');
  }
  const present = presentationOf(call.request, resource, context.ambient.clock);
  const key = keys.object(resource.plural, undefined, name);
  for (let attempt = 1; ; attempt++) {
    const entry = await store.get(key);
    if (!entry) throw notFound(resource.plural, '', name);
    const { object: current } = storedObject(resource, entry);
    expectMeant(resource, current, preconditions);
    const asItIs = (shown: Entry): Reply => ({
      status: accepted ? 202 : 200,
      type: JSON_TYPE,
      body: present.one(readable(context.wrongs, resource, shown, shown.revision)),
    });
    const isMarked = current.metadata.deletionTimestamp !== undefined;
    if (isMarked && isHeld(current)) return asItIs(entry);
    const marked = markedForDeletion(current, timestamp(context.ambient.clock.now()));
    // Kubernetes knows no such period of namespaces.
    const { deletionGracePeriodSeconds: _, ...metadata } = marked.metadata;
    const object: PlumbObject = {
      ...marked,
      metadata,
      // Namespaces of before there was such a finalizer lack it.
      spec: { ...marked.spec, finalizers: [CONTENT_FINALIZER] },
      status: { ...marked.status, phase: 'Terminating' },
    };
    const value = encodeObject(object);
    if (dryRun) return asItIs({ key, value, revision: entry.revision });
    try {
      const { revision } = await store.commit({
        preconditions: [{ key, revision: entry.revision }],
        ops: [{ type: 'put', key, value }],
      });
      return asItIs({ key, value, revision });
    } catch (error) {
      if (!(error instanceof ConflictError) || attempt === ATTEMPTS) throw error;
    }
  }
}

/** Throws PlumbError `Conflict`, in the words that Kubernetes has for namespaces. */
function expectMeant(resource: WritableResource, { metadata }: PlumbObject, wanted: Preconditions): void {
  const { name, uid, resourceVersion } = metadata;
  const refuse = (what: string, meant: string, is: string) =>
    conflict(
      resource.plural,
      '',
      name,
      `Precondition failed: ${what} in precondition: ${meant.slice(0, 80)}, ${what} in object meta: ${is}`,
    );
  if (wanted.uid !== undefined && wanted.uid !== uid) throw refuse('UID', wanted.uid, uid);
  if (wanted.resourceVersion !== undefined && wanted.resourceVersion !== resourceVersion)
    throw refuse('ResourceVersion', wanted.resourceVersion, resourceVersion);
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
  // Without the finalizer nothing in it is deleted meanwhile.
  const { finalizers: _, ...spec } = current.spec;
  const marked: PlumbObject = { ...current, metadata, spec, status: { phase: 'Terminating' } };
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

/**
 * Ends deletions that a crash has cut off: what is empty goes, what is not stays as it was. Called before anything is
 * served, while no deletion can be under way.
 */
export async function finishNamespaceDeletions(context: ApiContext, resource: WritableResource): Promise<void> {
  const { store, plural } = resource;
  for (const entry of (await store.list(keys.kind(plural))).entries)
    if (isBeingDeleted(entry) && !holdsContent(entry)) await endDeletion(context, resource, entry);
}

/** Whether what is in it is being deleted. */
function holdsContent({ value }: Entry): boolean {
  const { finalizers } = (JSON.parse(value) as PlumbObject).spec as { finalizers?: unknown };
  return Array.isArray(finalizers) && finalizers.length > 0;
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
  const spec = { ...current.spec, finalizers: [CONTENT_FINALIZER] };
  const restored: PlumbObject = { ...current, metadata: kept, spec, status: { phase: 'Active' } };
  const problem = await expectEmpty(resource, kept.name).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (isUnavailable(problem)) throw problem;
  if (!problem && (current.metadata.finalizers ?? []).length > 0) return undefined;
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
