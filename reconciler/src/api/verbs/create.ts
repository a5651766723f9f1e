import type { PlumbObject } from '@plumb/schemas';
import type { ManagedFieldsEntry } from '@plumb/schemas/apply/managed-fields.ts';
import { ConflictError } from '../../store/errors.ts';
import { keys } from '../../store/keys.ts';
import { isBeingDeleted } from '../../store/object-codec.ts';
import type { Precondition } from '../../store/store.ts';
import { admitNew, storedText } from '../admission.ts';
import { authorize, NamespaceTerminating } from '../authorize.ts';
import type { Json } from '../body/json.ts';
import type { ApiContext, Call } from '../call.ts';
import { alreadyExists, badRequest, beingDeleted, notFound } from '../failure.ts';
import { markedNew } from '../marks.ts';
import { warningHeader } from '../modify.ts';
import { type WriteOptions, writeOptions } from '../options.ts';
import { ownedAfterCreate, sentManaged, withOwners } from '../owners.ts';
import { presentationOf } from '../presentation.ts';
import { strictSentences } from '../read-object.ts';
import { JSON_TYPE, type Reply } from '../reply.ts';
import { keyOf, type WritableResource } from '../resource.ts';
import { mayWrite } from '../rights/writes.ts';

/** Namespaces change seldom, generated names collide seldom: this many times in a row is a fault. */
const ATTEMPTS = 8;

/** `POST /…/instances`. One batch: the object, if its name is free and its namespace is there and stays. */
export async function create(context: ApiContext, resource: WritableResource, call: Call): Promise<Reply> {
  const { request, namespace } = call;
  if (resource.scope === 'Namespaced' && namespace === undefined) {
    throw badRequest(`${resource.plural} are created in a namespace: POST to …/namespaces/<name>/${resource.plural}`);
  }
  const options = writeOptions(request.query, 'CreateOptions');
  const { value: sent, duplicates: twice } = await request.parsed();
  const found = strictSentences(twice);
  call.name = nameOf(sent);
  const owned = ownedAfterCreate(context, resource, call, options);
  return createAs(context, resource, call, { sent, options, found, owned });
}

/** What is to be created. */
export interface Creation {
  /** It is taken over. */
  sent: Json | undefined;
  options: Pick<WriteOptions, 'dryRun' | 'level' | 'hints'>;
  /** What is wrong with the fields of what was sent: see strictSentences. */
  found: readonly string[];
  /** Who owns what of the new object; `sent`: what the client sent as managedFields. */
  owned(object: PlumbObject, sent: unknown): ManagedFieldsEntry[] | undefined;
}

/** Creates it, with the name of the call, or a name that is made where that is empty. Throws PlumbError `AlreadyExists`. */
export async function createAs(
  context: ApiContext,
  resource: WritableResource,
  call: Call,
  { sent, options: { dryRun, level, hints }, found, owned }: Creation,
): Promise<Reply> {
  const { request, namespace } = call;
  const present = presentationOf(request, resource, context.ambient.clock);
  if (dryRun) request.wrote = false;
  // What creates by another verb needs both rights.
  if (request.method !== 'POST') {
    const { group, plural } = resource;
    const asked = {
      verb: 'create',
      group,
      resource: plural,
      subresource: '',
      namespace: namespace ?? '',
      name: call.name,
    };
    authorize(context.access, request.user!, asked);
  }
  const managed = sentManaged(sent);
  const forget = generatedName(sent);
  for (let attempt = 1; ; attempt++) {
    const { object: asked, warnings } = admitNew(
      resource,
      sent,
      namespace,
      { level, hints, found, limits: context.limits },
      context.ambient,
    );
    const admitted = markedNew(resource, asked, request.user!.name);
    const object = withOwners(undefined, admitted, owned(admitted, managed));
    await mayWrite({ ...context, store: resource.store }, request.user!, {
      ...{ definition: resource.definition, group: resource.group, before: undefined, after: object },
      named: request.method === 'POST' ? '' : call.name,
    });
    const key = keyOf(resource, namespace, object.metadata.name);
    const preconditions = [{ key, revision: 0 }, ...(await namespaceStays(resource, namespace, object.metadata.name))];
    if (request.method === 'POST') expectNoVersion(sent);
    const value = storedText(object, context);
    let revision = 0;
    try {
      if (!dryRun) {
        ({ revision } = await resource.store.commit({
          preconditions,
          ops: [{ type: 'put', key, value }, ...(resource.beside?.(object, context.ambient) ?? [])],
        }));
      } else if (await resource.store.get(key)) {
        throw new ConflictError([key]);
      }
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      const taken = error.keys.includes(key);
      const there = taken && call.name !== '' ? await resource.store.get(key) : undefined;
      if (there && isBeingDeleted(there)) throw beingDeleted(resource.plural, resource.group, object.metadata.name);
      if (taken && call.name !== '') throw alreadyExists(resource.plural, resource.group, object.metadata.name);
      if (attempt === ATTEMPTS) throw error;
      forget();
      continue;
    }
    call.name = object.metadata.name;
    return {
      status: 201,
      type: JSON_TYPE,
      body: present.one({ value, revision }),
      ...(warnings.length > 0 ? { headers: { warning: warningHeader(warnings) } } : {}),
    };
  }
}

/** Holds the namespace to what it was when it was looked at, so that it cannot go while an object comes. */
async function namespaceStays(
  resource: WritableResource,
  namespace: string | undefined,
  name: string,
): Promise<Precondition[]> {
  if (resource.scope === 'Cluster') return [];
  const key = keys.object('namespaces', undefined, namespace!);
  const entry = await resource.store.get(key);
  if (!entry) {
    throw Object.assign(notFound('namespaces', '', namespace!), { about: { plural: 'namespaces', name: namespace! } });
  }
  if (isBeingDeleted(entry)) throw new NamespaceTerminating(resource, namespace!, name);
  return [{ key, revision: entry.revision }];
}

/** What comes has not been there before: who names a version of it means another object. Throws PlumbError `BadRequest`. */
function expectNoVersion(sent: unknown): void {
  const { resourceVersion } = (sent as { metadata: { resourceVersion?: string } }).metadata;
  if (resourceVersion !== undefined && /^\d{1,20}$/.test(resourceVersion) && Number(resourceVersion) > 0)
    throw badRequest('resourceVersion should not be set on objects to be created');
}

/** Takes away the name that was made, so that the next attempt makes another one. */
function generatedName(sent: unknown): () => void {
  const metadata = () => (sent as { metadata?: { name?: unknown } | null } | null | undefined)?.metadata;
  const made = nameOf(sent) === '' && typeof (metadata()?.name ?? '') === 'string';
  return () => {
    if (made) delete metadata()?.name;
  };
}

/** The name that the client chose; empty when it wants one made. */
function nameOf(sent: unknown): string {
  const name = (sent as { metadata?: { name?: unknown } | null } | null | undefined)?.metadata?.name;
  return typeof name === 'string' ? name : '';
}
