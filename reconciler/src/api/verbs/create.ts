import { type PlumbObject, terminal } from '@plumb/schemas';
import type { ManagedFieldsEntry } from '@plumb/schemas/apply/managed-fields.ts';
import { ConflictError } from '../../store/errors.ts';
import { keys } from '../../store/keys.ts';
import { isBeingDeleted } from '../../store/object-codec.ts';
import type { Precondition } from '../../store/store.ts';
import { admitNew, heedDuplicates, storedText } from '../admission.ts';
import { authorize, NamespaceTerminating } from '../authorize.ts';
import type { Json } from '../body/json.ts';
import type { ApiContext, Call } from '../call.ts';
import { alreadyExists, badRequest, beingDeleted, notFound } from '../failure.ts';
import { markedNew } from '../marks.ts';
import { warningHeader } from '../modify.ts';
import { type WriteOptions, writeOptions } from '../options.ts';
import { ownedAfterCreate, sentManaged, withOwners } from '../owners.ts';
import { presentationOf } from '../presentation.ts';
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
  const warnings = heedDuplicates(twice, options.level, resource, request.method);
  call.name = nameOf(sent);
  const owned = ownedAfterCreate(context, resource, call, options);
  return createAs(context, resource, call, { sent, options, warnings, owned });
}

/** What is to be created. */
export interface Creation {
  /** It is taken over. */
  sent: Json | undefined;
  options: Pick<WriteOptions, 'dryRun' | 'level'>;
  /** Sentences for the Warning header. */
  warnings: readonly string[];
  /** Who owns what of the new object; `sent`: what the client sent as managedFields. */
  owned(object: PlumbObject, sent: unknown): ManagedFieldsEntry[] | undefined;
}

/** Creates it, with the name of the call, or a name that is made where that is empty. Throws PlumbError `AlreadyExists`. */
export async function createAs(
  context: ApiContext,
  resource: WritableResource,
  call: Call,
  { sent, options: { dryRun, level }, warnings: before, owned }: Creation,
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
    const { object: asked, warnings: ours } = admitNew(
      resource,
      sent,
      namespace,
      { level, limits: context.limits },
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
    const value = storedText(object, context);
    const warnings = [...before, ...ours];
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
    const missing = notFound('namespaces', '', namespace!);
    throw terminal(missing.reason, `${missing.message}: create it first, or use the namespace default`);
  }
  if (isBeingDeleted(entry)) throw new NamespaceTerminating(resource, namespace!, name);
  return [{ key, revision: entry.revision }];
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
