/**
 * ChangeSet: applies many objects in one commit and waits for all of them; when one fails, all go back. It writes specs
 * as a client would, at its maker's wish; see docs/decisions/0006-change-sets.md.
 */
import { type ChangeSet, objectName, PlumbError, type PlumbObject, terminal } from '@plumb/schemas';
import type { Cached } from '../../runtime/cache.ts';
import { findCondition, isReady, isStalled } from '../../runtime/conditions.ts';
import { keys } from '../../store/keys.ts';
import type { Batch } from '../../store/store.ts';
import type { Again, Context, Controller } from '../controller.ts';
import { guarded } from '../guarded.ts';
import {
  conditionsTo,
  depart,
  failedStatus,
  readFresh,
  readyStatus,
  retryOnConflict,
  type Status,
  statusBatch,
  writeStatus,
} from '../status.ts';
import { applyBack, applyForward } from './apply.ts';
import { endRecord } from './end.ts';
import { type KeptRecord, type Member, readRecord } from './record.ts';

export function changeSetController(context: Context): Controller {
  return {
    name: 'change-set',
    concurrency: 16,
    async reconcile(key: string): Promise<Again | undefined> {
      const cached = context.read.get<ChangeSet>(key);
      if (!cached) return undefined;
      return guarded(context, cached, () => reconcile(context, cached));
    },
  };
}

async function reconcile(context: Context, cached: Cached<ChangeSet>): Promise<Again | undefined> {
  const { uid, deletionTimestamp } = cached.object.metadata;
  const kept = await readRecord(context, uid).catch(async (error) => {
    // What cannot be read cannot be put back either, and a person wants it gone.
    if (deletionTimestamp === undefined || error.reason !== 'RecordUnreadable') throw error;
    await endRecord(context, uid);
    return undefined;
  });
  if (kept?.record.direction === 'back') return goBack(context, cached, kept);
  if (deletionTimestamp) {
    if (!kept) await depart(context, cached);
    else
      await turnBack(context, cached, kept, {
        reason: 'Deleted',
        message: 'the change set was deleted before it was done',
      });
    return undefined;
  }
  if (kept) return goForward(context, cached, kept);
  if (findCondition(cached.object, 'Ready') && (isReady(cached.object) || isStalled(cached.object))) return undefined;
  await applyInTime(context, cached);
  return { requeueAfterMs: 0 };
}

/** What hinders the change may pass, but not for longer than the deadline. */
async function applyInTime(context: Context, cached: Cached<ChangeSet>): Promise<void> {
  const { metadata, spec } = cached.object;
  try {
    await applyForward(context, cached);
  } catch (thrown) {
    const error = PlumbError.from(thrown, cached.key);
    const lateMs = context.ambient.clock.now() - (Date.parse(metadata.creationTimestamp) + spec.deadlineSeconds * 1000);
    if (error.retry === 'terminal' || lateMs < 0) throw error;
    throw terminal(
      'DeadlineExceeded',
      `could not begin within ${spec.deadlineSeconds} s: ${error.message}. Nothing was changed.`,
    );
  }
}

async function goForward(context: Context, cached: Cached<ChangeSet>, kept: KeptRecord): Promise<Again | undefined> {
  const { members, deadlineAt } = kept.record;
  const waiting: string[] = [];
  for (const member of members) {
    const object = context.read.get(member.key)?.object;
    const name = nameOf(member, object);
    if (object?.metadata.uid !== member.uid || object.metadata.deletionTimestamp)
      return turnBack(context, cached, kept, { reason: 'MemberDeleted', message: `${name} was deleted meanwhile` });
    if (isStalled(object)) {
      const ready = findCondition(object, 'Ready')!;
      return turnBack(context, cached, kept, { reason: ready.reason, message: `${name}: ${ready.message}` });
    }
    if (!isReady(object)) waiting.push(`${name} (${findCondition(object, 'Ready')?.message ?? 'not looked at yet'})`);
  }
  const leftMs = deadlineAt - context.ambient.clock.now();
  if (waiting.length > 0 && leftMs <= 0)
    return turnBack(context, cached, kept, {
      reason: 'DeadlineExceeded',
      message: `not Ready within ${cached.object.spec.deadlineSeconds} s: ${waiting.join(', ')}`,
    });
  if (waiting.length > 0) {
    await tell(
      context,
      cached,
      'Applying',
      `${members.length - waiting.length} of ${members.length} objects are Ready`,
    );
    return { requeueAfterMs: leftMs };
  }
  await finish(context, cached, kept, (status, object) =>
    readyStatus(context, status, object, 'Applied', `all ${members.length} objects are Ready`),
  );
  return undefined;
}

async function turnBack(
  context: Context,
  cached: Cached<ChangeSet>,
  kept: KeptRecord,
  failure: { reason: string; message: string },
): Promise<Again | undefined> {
  await applyBack(context, cached.object.metadata.uid, kept, failure);
  return { requeueAfterMs: 0 };
}

/** Waits until live state has returned as well, and says so. */
async function goBack(context: Context, cached: Cached<ChangeSet>, kept: KeptRecord): Promise<Again | undefined> {
  const { members, failure } = kept.record;
  const waiting = members.filter((member) => !hasReturned(context, member));
  const names = waiting.map((m) => nameOf(m, context.read.get(m.key)?.object)).join(', ');
  if (waiting.some((member) => !isHeldByOthers(context, member, members))) {
    await tell(context, cached, 'Returning', `${failure!.message}; being returned to what they were: ${names}`);
    return undefined;
  }
  if (cached.object.metadata.deletionTimestamp) {
    await context.store.commit(endOf(cached, kept));
    await depart(context, context.read.get<ChangeSet>(cached.key) ?? cached);
    return undefined;
  }
  const stays = waiting.length > 0 ? `, but for ${names}: others refer to it, and it goes when they are gone` : '';
  const message = `${failure!.message}. Every object was returned to what it was${stays}.`;
  await finish(context, cached, kept, (status, object) =>
    failedStatus(context, status, object, terminal(failure!.reason, message)),
  );
  return undefined;
}

/** Whether the object is gone, or what it was: Ready if it was Ready, else only looked at; or someone else's since. */
function hasReturned(context: Context, { key, uid, generation, previous }: Member): boolean {
  const object = context.read.get(key)?.object;
  if (object?.metadata.uid !== uid) return true;
  if (!previous) return false;
  if (isReady(object) || isStalled(object) || object.metadata.generation !== generation) return true;
  // Drift that is only reported came from outside, and is not for a change set to repair.
  if (findCondition(object, 'Ready')?.reason === 'Drifted') return true;
  return !previous.ready && object.status?.observedGeneration === object.metadata.generation;
}

/** What others refer to, or members that stay, goes when they are gone; the change set does not wait for that. */
function isHeldByOthers(context: Context, { key, previous }: Member, members: readonly Member[]): boolean {
  if (previous) return false;
  const going = new Set(members.filter((m) => !m.previous).map((m) => m.key));
  return [...context.read.referrers(key)].some((referrer) => !going.has(referrer.key));
}

/** The end in one commit: what became of it, and no record any more. */
async function finish(
  context: Context,
  cached: Cached,
  kept: KeptRecord,
  change: (status: Status, object: PlumbObject) => Status,
): Promise<void> {
  const revision = await retryOnConflict(async () => {
    const current = await readFresh(context, cached);
    if (!current) return 0;
    const batch = statusBatch(current, change(current.object.status ?? {}, current.object));
    const ending = endOf(cached, kept);
    const committed = await context.store.commit({
      preconditions: [...batch.preconditions, ...ending.preconditions],
      ops: [...batch.ops, ...ending.ops],
    });
    return committed.revision;
  });
  await context.cache.shows(revision);
}

async function tell(context: Context, cached: Cached, reason: string, message: string): Promise<void> {
  const latest = context.read.get(cached.key) ?? cached;
  const conditions = [
    { type: 'Ready', status: 'False' as const, reason, message },
    { type: 'Reconciling', status: 'True' as const, reason, message },
  ];
  await writeStatus(context, latest, (s, o) => conditionsTo(context, s, o, conditions, ['Stalled']));
}

function endOf(cached: Cached, { revision }: KeptRecord): Batch {
  const key = keys.changeSet(cached.object.metadata.uid);
  return { preconditions: [{ key, revision }], ops: [{ type: 'delete', key }] };
}

function nameOf(member: Member, object: PlumbObject | undefined): string {
  return object ? `${object.kind} ${objectName(object.metadata)}` : member.key;
}
