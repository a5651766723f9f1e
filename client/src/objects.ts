/** The objects of one kind, over the API (Kubernetes API conventions). */
import { apiVersionOf, type KindDefinition } from '@plumb/schemas/kinds/define.ts';
import { PlumbError, retryable, terminal } from '@plumb/schemas/meta/error.ts';
import type { PlumbObject } from '@plumb/schemas/meta/object.ts';
import { PENDING, type Pending, pendingOf, pendingText } from '@plumb/schemas/meta/pending.ts';
import type { Client } from './client.ts';
import type { Deadline } from './deadline.ts';
import { ApiError } from './errors.ts';
import { collectionPath, objectPath as pathOfObject } from './paths.ts';
import type { Request } from './transport.ts';

export interface Reference {
  kind: KindDefinition;
  name: string;
  /** Of namespaced kinds. */
  namespace?: string;
}

/** An object as it is sent. */
export interface Draft {
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  /** Spec, or the fields of a built-in kind. */
  [field: string]: unknown;
}

const MERGE_PATCH = 'application/merge-patch+json';

/** `Instance default/web-0`, for messages. */
export function title({ kind, name, namespace }: Reference): string {
  return `${kind.kind} ${namespace ? `${namespace}/${name}` : name}`;
}

/** Path of its collection. */
export function collectionOf({ kind, namespace }: Omit<Reference, 'name'>): string {
  return collectionPath({ apiVersion: apiVersionOf(kind), plural: kind.plural }, namespace);
}

/** Path of the object. */
export function objectPath({ kind, name, namespace }: Reference): string {
  return pathOfObject({ apiVersion: apiVersionOf(kind), plural: kind.plural }, namespace, name);
}

const APPLY = 'application/apply-patch+yaml';

/** Path of an apply by `manager`; with `force` it takes what others own. */
function applyPath(ref: Reference, manager: string, force = true): string {
  return `${objectPath(ref)}?${new URLSearchParams({ fieldManager: manager, force: `${force}` })}`;
}

/** Who declares. */
export interface Declarer {
  manager: string;
  /** Name of its configuration, where a person has named it. */
  stack?: string;
}

/**
 * Creates the object as a declaration of `manager`, exactly once, with the mark of what is being made (cf. pending.ts). Throws `AlreadyExists`, `Invalid` with fields, or what ended the deadline. A request
 * that was sent is not taken back when the deadline ends, so that what it makes is known.
 */
export async function createObject(
  client: Client,
  ref: Reference,
  draft: Draft,
  { manager, stack }: Declarer,
  limit: Deadline,
): Promise<PlumbObject> {
  await client.contact();
  const mark: Pending = { request: client.ambient.ids.uid(), phase: 'making', ...(stack ? { stack } : {}) };
  const body = {
    apiVersion: apiVersionOf(ref.kind),
    kind: ref.kind.kind,
    ...draft,
    metadata: { ...draft.metadata, annotations: { ...draft.metadata.annotations, [PENDING]: pendingText(mark) } },
  };
  const request: Request = { method: 'PATCH', path: applyPath(ref, manager), body, type: APPLY, onlyNew: true };
  const never = new AbortController().signal;
  let lost = false;
  try {
    return await client.persist(async () => {
      try {
        return (await client.transport.json(request, never)) as PlumbObject;
      } catch (error) {
        lost ||= error instanceof PlumbError && error.retry === 'retry' && !(error instanceof ApiError && error.busy);
        throw error;
      }
    }, limit.signal);
  } catch (error) {
    if (!lost) throw error;
    // A request came to no clear end on the way here: perhaps it made the object.
    const found = await readAtLast(client, ref, PlumbError.from(error, title(ref)));
    if (found && pendingOf(found)?.request === mark.request) return found;
    throw error;
  }
}

/** How long it is asked for after all else has ended, in milliseconds. */
const LAST_READ_MS = 10_000;

async function readAtLast(client: Client, ref: Reference, error: PlumbError): Promise<PlumbObject | undefined> {
  const limit = client.deadlineDespiteStop(LAST_READ_MS);
  try {
    // Also where others wait no more: this must be known.
    return await found(() => client.persist(() => client.transport.json(readOf(ref), limit.signal), limit.signal));
  } catch (thrown) {
    const cause = PlumbError.from(thrown, title(ref));
    throw terminal(
      error.reason,
      `${error.message}. Whether ${title(ref)} was created is not known (${cause.message}): look for it before the next apply`,
    );
  } finally {
    limit.end();
  }
}

/** The object, or undefined when there is none of that name. */
export function readObject(client: Client, ref: Reference, limit: Deadline): Promise<PlumbObject | undefined> {
  return found(() => client.json(readOf(ref), limit));
}

function readOf(ref: Reference): Request {
  return { method: 'GET', path: objectPath(ref) };
}

async function found(read: () => Promise<unknown>): Promise<PlumbObject | undefined> {
  try {
    return (await read()) as PlumbObject;
  } catch (error) {
    if (error instanceof PlumbError && error.reason === 'NotFound') return undefined;
    throw error;
  }
}

/**
 * Declares the object of that uid anew, which is safe to send twice. What `manager` declared before and declares no more goes,
 * unless others own it. Undefined when the object is gone. Throws `Invalid` with fields, without force a `Conflict` with the fields that others
 * own, or what ended the deadline.
 */
export async function declareObject(
  client: Client,
  ref: Reference,
  uid: string,
  draft: Draft,
  { manager, force }: { manager: string; force: boolean },
  limit: Deadline,
): Promise<PlumbObject | undefined> {
  const { kind } = ref;
  const body = {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    ...draft,
    metadata: { ...draft.metadata, uid },
  };
  const request: Request = { method: 'PATCH', path: applyPath(ref, manager, force), body, type: APPLY };
  await client.contact();
  return (await ofUid(client, ref, uid, request, limit)) as PlumbObject | undefined;
}

/**
 * Writes who owns what of an object, as long as it is as it was read. False when it has changed meanwhile, or is gone.
 */
export async function writeOwners(
  client: Client,
  ref: Reference,
  { metadata: { uid, resourceVersion } }: PlumbObject,
  managedFields: object[],
  manager: string,
  limit: Deadline,
): Promise<boolean> {
  const body = { metadata: { uid, resourceVersion, managedFields } };
  const path = `${objectPath(ref)}?${new URLSearchParams({ fieldManager: manager })}`;
  try {
    await client.json({ method: 'PATCH', path, body, type: MERGE_PATCH }, limit);
    return true;
  } catch (error) {
    if (error instanceof PlumbError && (error.reason === 'Conflict' || error.reason === 'NotFound')) return false;
    throw error;
  }
}

/**
 * Asks for deletion of the object of that uid. False when it is gone already. `unreferenced`: throws terminal `InUse`, and nothing is marked,
 * while something refers to it that is not being deleted, too.
 */
export async function deleteObject(
  client: Client,
  ref: Reference,
  uid: string,
  limit: Deadline,
  unreferenced = false,
): Promise<boolean> {
  const preconditions = { uid, ...(unreferenced ? { unreferenced } : {}) };
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions };
  await client.firstContact();
  return (await ofUid(client, ref, uid, { method: 'DELETE', path: objectPath(ref), body }, limit)) !== undefined;
}

/** The answer to a request that is for that uid alone; undefined when there is no object of that uid any more. */
async function ofUid(client: Client, ref: Reference, uid: string, request: Request, limit: Deadline): Promise<unknown> {
  return client.persist(async () => {
    try {
      return await client.transport.json(request, limit.signal);
    } catch (error) {
      if (!(error instanceof PlumbError) || !isOfAnother(error)) throw error;
      // A conflict may mean another uid, or that others changed the object at the same time.
      const found = await readObject(client, ref, limit);
      if (found?.metadata.uid !== uid) return undefined;
      throw retryable(error.reason, error.message, error);
    }
  }, limit.signal);
}

/** Whether the object of that uid may be gone: another one bears its name, or none. */
function isOfAnother({ reason, fields }: PlumbError): boolean {
  if (reason === 'Invalid') return fields.some(({ field }) => field === 'metadata.uid');
  // That others own fields says nothing of the uid.
  return reason === 'NotFound' || (reason === 'Conflict' && fields.length === 0);
}

/** The query that selects the object from its collection. */
export function only(ref: Reference): string {
  return new URLSearchParams({ fieldSelector: `metadata.name=${ref.name}` }).toString();
}
