import { isBuiltin, type PlumbObject } from '@plumb/schemas';
import { isProtected, protectedError } from '@plumb/schemas/meta/protection.ts';
import { ConflictError } from '../../store/errors.ts';
import { markedText } from '../../store/examine.ts';
import { encodeObject, objectText, removalOps } from '../../store/object-codec.ts';
import type { ApiContext, Call } from '../call.ts';
import { timestamp } from '../core/event-entries.ts';
import { conflict, notFound } from '../failure.ts';
import { ATTEMPTS, expectSame } from '../modify.ts';
import { type DeleteOptions, deleteOptions } from '../options.ts';
import { readable, storedObject } from '../readable.ts';
import { JSON_TYPE, json, type Reply } from '../reply.ts';
import { keyOf, type WritableResource } from '../resource.ts';

/**
 * `DELETE /…/instances/web-0`. An object with finalizers is marked and goes when they are gone; one without goes at
 * once, and its deletion record comes in the same batch.
 */
export async function remove(context: ApiContext, resource: WritableResource, call: Call): Promise<Reply> {
  const { dryRun, preconditions } = await optionsOf(call);
  const key = keyOf(resource, call.namespace, call.name);
  for (let attempt = 1; ; attempt++) {
    const entry = await resource.store.get(key);
    if (!entry) throw notFound(resource.plural, resource.group, call.name);
    const { object: current, poison } = storedObject(resource, entry);
    expectSame(resource, current, preconditions);
    const now = context.ambient.clock.now();
    const shown = (value: string, revision: number): Reply => {
      const body = objectText(readable(context.wrongs, resource, { key, value, revision }, entry.revision));
      return { status: 200, type: JSON_TYPE, body };
    };
    // What cannot be understood is finished by its controller in any case, if it has one: something may live for it.
    const finalized = (!poison || isBuiltin(resource.definition)) && !current.metadata.finalizers?.length;
    if (finalized && dryRun) return deleted(resource, current);
    if (isProtected(current)) throw protectedError([current]);
    if (!finalized && current.metadata.deletionTimestamp) return shown(entry.value, entry.revision);
    const value = poison ? markedText(entry, poison, timestamp(now)) : markedObject(current, timestamp(now));
    if (dryRun) return shown(value, entry.revision);
    try {
      const { revision } = await resource.store.commit({
        preconditions: [{ key, revision: entry.revision }],
        ops: finalized ? removalOps(key, current, now) : [{ type: 'put', key, value }],
      });
      if (finalized) return deleted(resource, current);
      return shown(value, revision);
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      if (attempt === ATTEMPTS) {
        throw conflict(
          resource.plural,
          resource.group,
          call.name,
          `others changed it ${ATTEMPTS} times meanwhile; try again`,
        );
      }
    }
  }
}

function markedObject(object: PlumbObject, deletionTimestamp: string): string {
  return encodeObject({ ...object, metadata: { ...object.metadata, deletionTimestamp } });
}

/** propagationPolicy and gracePeriodSeconds are checked and without effect: references decide when an object goes. */
export async function optionsOf({ request }: Pick<Call, 'request'>): Promise<DeleteOptions> {
  const options = deleteOptions(request.query, await request.json());
  if (options.dryRun) request.wrote = false;
  return options;
}

/** What is said of an object that is gone. */
export function deleted(resource: WritableResource, object: PlumbObject): Reply {
  const { name, uid } = object.metadata;
  return json(200, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name, ...(resource.group ? { group: resource.group } : {}), kind: resource.plural, uid },
  });
}
