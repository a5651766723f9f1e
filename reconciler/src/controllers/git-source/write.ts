/**
 * Writes a commit: what fits one batch of the store as one, together with the status that says so. More than that goes in parts; the
 * record of what everything was is durable before the first of them, and whatever ends it half-way, it is put back from there.
 */

import { PlumbError, type PlumbObject, retryable } from '@plumb/schemas';
import { timestamp } from '@plumb/schemas/meta/timestamp.ts';
import { equal } from '../../plan/plan.ts';
import type { Cached } from '../../runtime/cache.ts';
import { fitsOneBatch } from '../../store/check.ts';
import { ConflictError } from '../../store/errors.ts';
import { decodeObject, encodeObject, removalOps } from '../../store/object-codec.ts';
import type { Batch, Op, Precondition } from '../../store/store.ts';
import { writtenName } from '../audit.ts';
import type { Context } from '../controller.ts';
import type { GitWrite } from '../git-door.ts';
import { retryOnConflict, type Status } from '../status.ts';
import {
  type CommitHead,
  type CommitMember,
  digestOf,
  headKey,
  headOp,
  type KeptCommit,
  readMembers,
  removeParts,
  textOf,
  writeParts,
} from './record.ts';

export interface Writing {
  revision: string;
  writes: readonly GitWrite[];
  /** Kept until the objects are Ready, so that it can be put back; milliseconds since the epoch. */
  deadlineAt?: number;
  /** Judges one of them anew, when its object has changed meanwhile; undefined: nothing is to be written any more. */
  again(write: GitWrite): Promise<GitWrite | undefined>;
  /** What the source says in the commit that ends it. */
  status(status: Status, object: PlumbObject): Status;
}

/** Of writes and preconditions, one batch of the store has room for so many: those of the source itself and of projects are among them. */
const MOST_TOGETHER = 115;
const MOST_CONFLICTS = 8;

/** Throws what ends it: nothing of it is left then. */
export async function writeCommit(context: Context, cached: Cached, writing: Writing): Promise<void> {
  const { writes, deadlineAt } = writing;
  if (deadlineAt === undefined && writes.length <= context.limits.gitObjectsAtOnce) {
    const batch = await together(context, cached, writing);
    if (batch && writes.length === 0 && (await isStored(context, batch))) return;
    if (batch) {
      const { revision } = await context.store.commit(batch);
      told(context, cached, writes);
      await context.cache.shows(revision);
      return;
    }
  }
  await inParts(context, cached, writing);
}

/** All of it and the status as one batch; undefined when that has no room for it. */
async function together(context: Context, cached: Cached, { writes, status }: Writing): Promise<Batch | undefined> {
  const own = await sourceBatch(context, cached, status);
  const batch = batchOf([...writes, own]);
  return batch.preconditions.length <= MOST_TOGETHER && batch.ops.length <= MOST_TOGETHER && fitsOneBatch(batch.ops)
    ? batch
    : undefined;
}

/** Whether it would write what is there. */
async function isStored(context: Context, { ops: [op] }: Batch): Promise<boolean> {
  return op?.type === 'put' && (await context.store.get(op.key))?.value === op.value;
}

async function sourceBatch(context: Context, cached: Cached, change: Writing['status']): Promise<Batch> {
  const entry = await context.store.get(cached.key);
  const object = entry && decodeObject(entry);
  const { uid, generation } = cached.object.metadata;
  if (
    !object ||
    object.metadata.uid !== uid ||
    object.metadata.generation !== generation ||
    object.metadata.deletionTimestamp
  )
    throw retryable('Conflict', 'the GitSource was changed meanwhile: it is looked at anew');
  const value = encodeObject({ ...object, status: change(object.status ?? {}, object) });
  return {
    preconditions: [{ key: cached.key, revision: entry.revision }],
    ops: [{ type: 'put', key: cached.key, value }],
  };
}

function batchOf(parts: readonly Pick<GitWrite, 'preconditions' | 'ops'>[]): Batch {
  const preconditions = new Map<string, Precondition>();
  const ops = new Map<string, Op>();
  for (const part of parts) for (const one of part.preconditions) preconditions.set(one.key, one);
  // What is written beside an object (the account of a new project) gives way to what the commit declares.
  for (const part of parts) for (const op of part.ops.slice(1)) ops.set(op.key, op);
  for (const part of parts) for (const op of part.ops.slice(0, 1)) ops.set(op.key, op);
  return { preconditions: [...preconditions.values()], ops: [...ops.values()] };
}

async function inParts(context: Context, cached: Cached, writing: Writing): Promise<void> {
  const { uid } = cached.object.metadata;
  const { revision, writes, deadlineAt, status } = writing;
  const members: CommitMember[] = writes.map(({ key, before, after }) => ({
    key,
    uid: after.metadata.uid,
    written: digestOf(after),
    ...(before ? { before: textOf(before) } : {}),
  }));
  const parts = await writeParts(context, uid, members);
  const head: CommitHead = { phase: 'writing', revision, parts, ...(deadlineAt === undefined ? {} : { deadlineAt }) };
  const begun = await context.store.commit({
    preconditions: [{ key: headKey(uid), revision: 0 }],
    ops: [headOp(uid, head)],
  });
  try {
    for (const part of partsOf(writes, context.limits.gitObjectsAtOnce))
      await writePart(context, headKey(uid), begun.revision, part, writing);
    await retryOnConflict(async () => {
      const own = await sourceBatch(context, cached, status);
      const key = headKey(uid);
      const end: Op = deadlineAt === undefined ? { type: 'delete', key } : headOp(uid, { ...head, phase: 'written' });
      const { revision: at } = await context.store.commit({
        preconditions: [...own.preconditions, { key, revision: begun.revision }],
        ops: [...own.ops, end],
      });
      await context.cache.shows(at);
    });
  } catch (thrown) {
    const error = PlumbError.from(thrown, cached.key);
    await putBack(context, uid, { head, revision: begun.revision }, { reason: error.reason, message: error.message });
    await forget(context, uid);
    throw error;
  }
  told(context, cached, writes);
  if (deadlineAt === undefined) await removeParts(context, uid);
}

/** As many objects as a batch has room for, in their order. */
function* partsOf(writes: readonly GitWrite[], most: number): Generator<GitWrite[]> {
  let part: GitWrite[] = [];
  for (const write of writes) {
    const { ops, preconditions } = batchOf([...part, write]);
    const isFull = part.length === most || ops.length > MOST_TOGETHER || preconditions.length > MOST_TOGETHER;
    if (part.length > 0 && (isFull || !fitsOneBatch(ops))) {
      yield part;
      part = [];
    }
    part.push(write);
  }
  if (part.length > 0) yield part;
}

async function writePart(
  context: Context,
  head: string,
  headRevision: number,
  part: GitWrite[],
  { again }: Writing,
): Promise<void> {
  let writes = part;
  for (let attempt = 0; ; attempt++) {
    const { preconditions, ops } = batchOf(writes);
    try {
      if (writes.length > 0)
        await context.store.commit({ preconditions: [...preconditions, { key: head, revision: headRevision }], ops });
      return;
    } catch (error) {
      if (!(error instanceof ConflictError) || attempt >= MOST_CONFLICTS || error.keys.includes(head)) throw error;
      const changed = new Set(error.keys);
      const judged = await Promise.all(writes.map((one) => (changed.has(one.key) ? anew(one, again) : one)));
      writes = judged.filter((one) => one !== undefined);
    }
  }
}

/** The same write over a newer object, if nobody has declared that otherwise: controllers write statuses all the time. */
async function anew(write: GitWrite, again: Writing['again']): Promise<GitWrite | undefined> {
  const newer = await again(write);
  const isSame = newer?.before && write.before && digestOf(newer.before) === digestOf(write.before);
  if (!newer || !isSame || digestOf(newer.after) !== digestOf(write.after))
    throw retryable(
      'Conflict',
      `${write.key.replace('/objects/', '')} was changed by others while the commit was written`,
    );
  return newer;
}

/**
 * Makes everything what it was, part by part; what others have declared since stays as they say, and what was made is deleted. May be
 * called again at any time.
 */
export async function putBack(
  context: Context,
  uid: string,
  { head, revision }: KeptCommit,
  failure: { reason: string; message: string },
): Promise<CommitHead> {
  const back: CommitHead = { ...head, phase: 'back', failure: head.failure ?? failure };
  if (head.phase !== 'back')
    await context.store.commit({ preconditions: [{ key: headKey(uid), revision }], ops: [headOp(uid, back)] });
  const members = (await readMembers(context, uid, head)).reverse();
  for (let at = 0; at < members.length; at += MOST_BACK_AT_ONCE) {
    const some = members.slice(at, at + MOST_BACK_AT_ONCE);
    await retryOnConflict(async () => {
      const restored = (await Promise.all(some.map((member) => restoredOf(context, member)))).filter(
        (one) => one !== undefined,
      );
      if (restored.length === 0) return;
      const batch = batchOf(restored);
      const { revision: written } = await context.store.commit(batch);
      await context.cache.shows(written);
    });
  }
  return back;
}

/** With deletion records, two writes for an object. */
const MOST_BACK_AT_ONCE = 50;

export async function forget(context: Context, uid: string): Promise<void> {
  const entry = await context.store.get(headKey(uid));
  if (entry)
    await context.store.commit({
      preconditions: [{ key: entry.key, revision: entry.revision }],
      ops: [{ type: 'delete', key: entry.key }],
    });
  await removeParts(context, uid);
}

async function restoredOf(context: Context, { key, uid, written, before }: CommitMember): Promise<Batch | undefined> {
  const entry = await context.store.get(key);
  const current = entry && readOrNothing(entry);
  if (!entry || !current || current.metadata.uid !== uid || digestOf(current) !== written) return undefined;
  const preconditions = [{ key, revision: entry.revision }];
  const now = context.ambient.clock.now();
  if (before === undefined) {
    if (current.metadata.deletionTimestamp !== undefined) return undefined;
    if (!current.metadata.finalizers?.length) return { preconditions, ops: removalOps(key, current, now) };
    const deletionTimestamp = timestamp(now);
    const marked = { ...current, metadata: { ...current.metadata, deletionTimestamp } };
    return { preconditions, ops: [{ type: 'put', key, value: encodeObject(marked) }] };
  }
  const was = JSON.parse(before) as PlumbObject;
  const { generation } = current.metadata;
  const { deletionTimestamp, finalizers } = current.metadata;
  const { status: _, ...body } = was;
  const object: PlumbObject = {
    ...body,
    metadata: {
      ...was.metadata,
      ...(finalizers ? { finalizers } : {}),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
      ...(generation === undefined ? {} : { generation: generation + (equal(was.spec, current.spec) ? 0 : 1) }),
    },
    ...(current.status === undefined ? {} : { status: current.status }),
  };
  // What only differs in who owns it, and what was put back before.
  if (equal(JSON.parse(encodeObject(object)), JSON.parse(encodeObject(current)))) return undefined;
  return { preconditions, ops: [{ type: 'put', key, value: encodeObject(object) }] };
}

function readOrNothing(entry: { value: string; revision: number }): PlumbObject | undefined {
  try {
    return decodeObject(entry);
  } catch {
    return undefined;
  }
}

function told({ audit }: Context, { object }: Cached, writes: readonly GitWrite[]): void {
  const { namespace, name } = object.metadata;
  for (const { key, before } of writes)
    audit?.({
      user: `gitsource:${namespace}/${name}`,
      verb: before ? 'update' : 'create',
      object: writtenName(key),
      code: before ? 200 : 201,
    });
}
