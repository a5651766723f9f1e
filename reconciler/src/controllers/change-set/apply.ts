/** Writing all objects of a change set, or writing all of them back: one commit each. */

import { type ChangeSet, objectName, type PlumbObject, retryable } from '@plumb/schemas';
import { timestamp } from '@plumb/schemas/meta/timestamp.ts';
import { equal } from '../../plan/plan.ts';
import type { Cached } from '../../runtime/cache.ts';
import { isReady } from '../../runtime/conditions.ts';
import { kindOfKey } from '../../runtime/object-table.ts';
import { examine } from '../../store/examine.ts';
import { keys } from '../../store/keys.ts';
import { encodeObject, isBeingDeleted, markedForDeletion } from '../../store/object-codec.ts';
import type { Batch, Entry, Precondition } from '../../store/store.ts';
import { type Wrote, writtenName } from '../audit.ts';
import type { Context } from '../controller.ts';
import { admitAll, type Declared } from './admit.ts';
import type { ChangeSetRecord, KeptRecord, Member } from './record.ts';

/** Puts every object as declared, with the record of how to get back. Throws terminal `Invalid`. */
export async function applyForward(context: Context, cached: Cached<ChangeSet>): Promise<void> {
  const { object: changeSet } = cached;
  const declared = admitAll(changeSet, context.limits, (key) => context.read.get(key)?.object);
  const now = context.ambient.clock.now();
  const batch: Batch = { preconditions: [{ key: cached.key, revision: cached.revision }], ops: [] };
  batch.preconditions.push(...(await namespacesStay(context, declared)));
  const members: Member[] = [];
  for (const one of declared) {
    const entry = await context.store.get(one.key);
    batch.preconditions.push({ key: one.key, revision: entry?.revision ?? 0 });
    const before = entry && understood(one, entry);
    if (before?.metadata.deletionTimestamp)
      throw retryable('ReferenceDeleting', `${one.key} is being deleted; the change set waits until that is over`);
    const after = before ? changed(before, one) : created(context, one, now);
    members.push({
      key: one.key,
      uid: after.metadata.uid,
      generation: after.metadata.generation,
      ...(before
        ? {
            previous: {
              spec: before.spec,
              labels: before.metadata.labels,
              annotations: before.metadata.annotations,
              ready: isReady(before),
            },
          }
        : {}),
    });
    batch.ops.push({ type: 'put', key: one.key, value: encodeObject(after) });
  }
  const record: ChangeSetRecord = {
    direction: 'forward',
    deadlineAt: now + changeSet.spec.deadlineSeconds * 1000,
    members,
  };
  const recordKey = keys.changeSet(changeSet.metadata.uid);
  batch.preconditions.push({ key: recordKey, revision: 0 });
  batch.ops.push({ type: 'put', key: recordKey, value: JSON.stringify(record) });
  const { revision } = await context.store.commit(batch);
  for (const { key, previous } of members) told(context, changeSet.metadata, previous ? 'update' : 'create', key);
  await context.cache.shows(revision);
}

function told(
  { audit }: Context,
  changeSet: { namespace?: string; name: string } | undefined,
  verb: Wrote['verb'],
  key: string,
): void {
  const user = `changeset:${changeSet ? objectName(changeSet) : 'deleted'}`;
  audit?.({ user, verb, object: writtenName(key), code: verb === 'create' ? 201 : 200 });
}

/** Holds the projects of the objects to what they are now, so that none goes while objects come. */
async function namespacesStay(context: Context, declared: readonly Declared[]): Promise<Precondition[]> {
  const names = new Set(declared.map(({ object }) => object.metadata.namespace).filter((name) => name !== undefined));
  const preconditions: Precondition[] = [];
  for (const name of names) {
    const key = keys.object('namespaces', undefined, name);
    const entry = await context.store.get(key);
    if (!entry || isBeingDeleted(entry))
      throw retryable(
        'ReferenceNotFound',
        `namespace ${name} ${entry ? 'is being deleted' : 'is not there'}: create it; the change set waits for it until its deadline`,
      );
    preconditions.push({ key, revision: entry.revision });
  }
  return preconditions;
}

/** Throws retryable `ReferencePoisoned`: what nobody understands cannot be put back to what it was. */
function understood({ kind, key }: Declared, entry: Entry): PlumbObject {
  const { object, poison } = examine(kind, entry);
  if (object) return object;
  const [{ field, message } = { field: '', message: '' }] = poison.problems;
  throw retryable(
    'ReferencePoisoned',
    `${key.replace('/objects/', '')} cannot be understood: ${field} ${message}; the change set waits until it is mended`,
  );
}

function created(context: Context, { object, kind }: Declared, now: number): PlumbObject {
  return {
    ...object,
    metadata: {
      ...object.metadata,
      uid: context.ambient.ids.uid(),
      resourceVersion: '',
      generation: 1,
      creationTimestamp: timestamp(now),
      finalizers: [`plumb.dev/${kind.kind.toLowerCase()}`],
    },
  };
}

function changed(before: PlumbObject, { object }: Declared): PlumbObject {
  const { labels, annotations } = object.metadata;
  return {
    ...before,
    metadata: {
      ...before.metadata,
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations } : {}),
      generation: before.metadata.generation + (equal(before.spec, object.spec) ? 0 : 1),
    },
    spec: object.spec,
  };
}

/**
 * Puts every object back as it was; what was created is deleted. What someone else edited meanwhile is theirs now, and
 * stays. The failure is remembered in the same commit.
 */
export async function applyBack(
  context: Context,
  uid: string,
  { record, revision }: KeptRecord,
  failure: { reason: string; message: string },
): Promise<void> {
  const recordKey = keys.changeSet(uid);
  const batch: Batch = { preconditions: [{ key: recordKey, revision }], ops: [] };
  const members: Member[] = [];
  for (const member of record.members) {
    const entry = await context.store.get(member.key);
    const kind = kindOfKey(member.key);
    const object = entry && kind && examine(kind, entry).object;
    if (!entry || !object || object.metadata.uid !== member.uid) continue;
    const { generation, deletionTimestamp } = object.metadata;
    if (generation !== member.generation || deletionTimestamp) continue;
    const restored = member.previous ? before(object, member.previous) : deleted(context, object);
    members.push({ ...member, generation: restored.metadata.generation });
    batch.preconditions.push({ key: member.key, revision: entry.revision });
    batch.ops.push({ type: 'put', key: member.key, value: encodeObject(restored) });
  }
  const back: ChangeSetRecord = { ...record, direction: 'back', members, failure };
  batch.ops.push({ type: 'put', key: recordKey, value: JSON.stringify(back) });
  const { revision: returned } = await context.store.commit(batch);
  const changeSet = context.read.byUid(uid)?.object.metadata;
  for (const { key, previous } of members) told(context, changeSet, previous ? 'update' : 'delete', key);
  // When everything is someone else's by now, no object was written, and the cache has nothing to show.
  if (members.length > 0) await context.cache.shows(returned);
}

function before(object: PlumbObject, previous: NonNullable<Member['previous']>): PlumbObject {
  const { labels: _l, annotations: _a, ...metadata } = object.metadata;
  return {
    ...object,
    metadata: {
      ...metadata,
      ...(previous.labels ? { labels: previous.labels } : {}),
      ...(previous.annotations ? { annotations: previous.annotations } : {}),
      generation: metadata.generation + (equal(object.spec, previous.spec) ? 0 : 1),
    },
    spec: previous.spec,
  };
}

function deleted(context: Context, object: PlumbObject): PlumbObject {
  const deletionTimestamp = timestamp(context.ambient.clock.now());
  return markedForDeletion(object, deletionTimestamp);
}
