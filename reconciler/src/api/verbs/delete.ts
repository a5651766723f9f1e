import { isDeepStrictEqual } from 'node:util';
import { isBuiltin, objectName, type PlumbObject, terminal } from '@plumb/schemas';
import { isProtected, protectedError } from '@plumb/schemas/meta/protection.ts';
import { timestamp } from '@plumb/schemas/meta/timestamp.ts';
import { FOREGROUND, ORPHAN } from '../../runtime/garbage.ts';
import { ConflictError } from '../../store/errors.ts';
import { markedText } from '../../store/examine.ts';
import { encodeObject, markedForDeletion, removalOps } from '../../store/object-codec.ts';
import type { Entry } from '../../store/store.ts';
import type { ApiContext, Call } from '../call.ts';
import { conflict, conflictOfKind, notFound } from '../failure.ts';
import { ATTEMPTS } from '../modify.ts';
import { type DeleteOptions, deleteOptions } from '../options.ts';
import { type Presentation, presentationOf } from '../presentation.ts';
import { readable, storedObject } from '../readable.ts';
import { JSON_TYPE, json, type Reply } from '../reply.ts';
import { keyOf, type WritableResource } from '../resource.ts';

/**
 * `DELETE /…/instances/web-0`. An object with finalizers is marked and goes when they are gone; one without goes at
 * once, and its deletion record comes in the same batch.
 */
export async function remove(context: ApiContext, resource: WritableResource, call: Call): Promise<Reply> {
  const present = presentationOf(call.request, resource, context.ambient.clock);
  const key = keyOf(resource, call.namespace, call.name);
  return removeOne(context, resource, present, key, call.name, await optionsOf(call));
}

/** Throws PlumbError `NotFound` when there is no such object. */
export async function removeOne(
  context: ApiContext,
  resource: WritableResource,
  present: Pick<Presentation, 'one'>,
  key: string,
  name: string,
  { dryRun, preconditions, propagation, accepted }: DeleteOptions,
): Promise<Reply> {
  for (let attempt = 1; ; attempt++) {
    const entry = await resource.store.get(key);
    if (!entry) throw notFound(resource.plural, resource.group, name);
    const { object: current, poison } = storedObject(resource, entry);
    expectPreconditions(resource, current, preconditions);
    const now = context.ambient.clock.now();
    const shown = (value: string, revision: number): Reply => {
      const body = present.one(readable(context.wrongs, resource, { key, value, revision }, entry.revision));
      return { status: accepted ? 202 : 200, type: JSON_TYPE, body };
    };
    const going = forCollection(current, propagation);
    // What cannot be understood is finished by its controller in any case, if it has one: something may live for it.
    const finalized = (!poison || isBuiltin(resource.definition)) && !going.metadata.finalizers?.length;
    if (isProtected(current)) throw protectedError([current]);
    if (preconditions.unreferenced) await expectUnreferenced(context, resource, entry, current);
    const gone = (revision: number) =>
      resource.definition.givesDeleted ? shown(entry.value, revision) : deleted(resource, current);
    if (finalized && dryRun) return gone(entry.revision);
    if (!finalized && current.metadata.deletionTimestamp && going === current)
      return shown(entry.value, entry.revision);
    const value = poison
      ? markedText(entry, poison, timestamp(now))
      : encodeObject(markedForDeletion(going, timestamp(now)));
    if (dryRun) return shown(value, entry.revision);
    try {
      const { revision } = await resource.store.commit({
        preconditions: [{ key, revision: entry.revision }],
        ops: finalized ? removalOps(key, current, now) : [{ type: 'put', key, value }],
      });
      if (finalized) return gone(revision);
      return shown(value, revision);
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      if (attempt === ATTEMPTS) {
        throw conflict(
          resource.plural,
          resource.group,
          name,
          `others changed it ${ATTEMPTS} times meanwhile; try again`,
        );
      }
    }
  }
}

/** With the finalizer of the policy, and without that of another one; as it is where nothing is said. */
function forCollection(object: PlumbObject, propagation: DeleteOptions['propagation']): PlumbObject {
  if (propagation === undefined) return object;
  const { finalizers: before = [], ...metadata } = object.metadata;
  const wanted = { Foreground: FOREGROUND, Orphan: ORPHAN, Background: undefined }[propagation];
  const kept = before.filter((one) => one === wanted || (one !== FOREGROUND && one !== ORPHAN));
  const finalizers = wanted !== undefined && !kept.includes(wanted) ? [...kept, wanted] : kept;
  if (isDeepStrictEqual(finalizers, before)) return object;
  return { ...object, metadata: { ...metadata, ...(finalizers.length > 0 ? { finalizers } : {}) } };
}

/** Throws PlumbError `Conflict`, in the words of Kubernetes, when it is not the object, or not the version, that is meant. */
function expectPreconditions(
  { kind, group }: WritableResource,
  { metadata: { name, uid, resourceVersion } }: PlumbObject,
  wanted: DeleteOptions['preconditions'],
): void {
  if (wanted.uid !== undefined && wanted.uid !== uid) {
    const why = `the UID in the precondition (${wanted.uid.slice(0, 80)}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`;
    throw conflictOfKind(kind, group, name, why);
  }
  if (wanted.resourceVersion !== undefined && wanted.resourceVersion !== resourceVersion) {
    const why = `the ResourceVersion in the precondition (${wanted.resourceVersion.slice(0, 80)}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`;
    throw conflictOfKind(kind, group, name, why);
  }
}

/** Referrers that are named in a sentence. */
const NAMED = 5;

/** Throws terminal PlumbError `InUse` before anything is marked: what refers to it by name would keep it, doomed, for as long as it is there. */
async function expectUnreferenced(
  { referrers }: ApiContext,
  { store, kind }: WritableResource,
  { key }: Entry,
  { metadata }: PlumbObject,
): Promise<void> {
  if (!referrers || metadata.deletionTimestamp !== undefined) return;
  const names = await referrers(key, store.revision());
  if (names.length === 0) return;
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  throw terminal(
    'InUse',
    `${kind} ${objectName(metadata)} is not marked for deletion: it is still needed by ${names.slice(0, NAMED).join(', ')}${more}; delete these, or declare them without it, first`,
  );
}

/** propagationPolicy and gracePeriodSeconds are checked and without effect: references decide when an object goes. */
export async function optionsOf({ request }: Pick<Call, 'request'>): Promise<DeleteOptions> {
  const options = deleteOptions(request.query, await request.json());
  if (options.dryRun) request.wrote = false;
  return options;
}

/** What is said of an object that is gone. */
function deleted(resource: WritableResource, object: PlumbObject): Reply {
  const { name, uid } = object.metadata;
  return json(200, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name, ...(resource.group ? { group: resource.group } : {}), kind: resource.plural, uid },
  });
}
