/**
 * GitSource: looks at a repository, applies what a commit declares as one and as its ServiceAccount, deletes what is declared no more,
 * and says how all of it is. See docs/decisions for what a commit is.
 */

import { type GitSource, PlumbError, retryable, terminal } from '@plumb/schemas';
import type { Identity } from '../../authorization/policy.ts';
import { type ConditionInput, isReady } from '../../runtime/conditions.ts';
import { keys } from '../../store/keys.ts';
import type { Again, Context, Controller } from '../controller.ts';
import type { GitDoor } from '../git-door.ts';
import { guarded } from '../guarded.ts';
import { conditionsTo, depart, failedStatus, writeStatus } from '../status.ts';
import { compare } from './compare.ts';
import { declaredBy, idOf, sourceOf } from './declared.ts';
import { type Health, healthOf } from './health.ts';
import { gitLooks, type LastLook } from './looks.ts';
import { prune } from './prune.ts';
import { type KeptCommit, readHead, removeParts } from './record.ts';
import { type GitStatus, historyOf, notReady, type Source, short, some, tellHealth } from './telling.ts';
import { forget, putBack } from './write.ts';

const SOON_MS = 5_000;

export function gitSourceController(context: Context): Controller {
  return {
    name: 'git-source',
    concurrency: 8,
    async reconcile(key: string): Promise<Again | undefined> {
      const cached = context.read.get<GitSource>(key);
      if (!cached) return undefined;
      return guarded(context, cached, () => reconcile(context, cached));
    },
  };
}

async function reconcile(context: Context, cached: Source): Promise<Again | undefined> {
  const { metadata, spec } = cached.object;
  const kept = await readHead(context, metadata.uid).catch((error) => {
    // What cannot be read cannot be put back either, and a person wants it gone.
    if (metadata.deletionTimestamp === undefined || error.reason !== 'RecordUnreadable') throw error;
    return undefined;
  });
  if (kept && (kept.head.phase !== 'written' || metadata.deletionTimestamp)) return comeBack(context, cached, kept);
  if (metadata.deletionTimestamp) {
    context.own(gitLooks).forget(metadata.uid);
    context.own(gitLooks).watch(cached.key, []);
    await forget(context, metadata.uid);
    await depart(context, cached);
    return undefined;
  }
  if (spec.suspend) {
    await say(context, cached, notReady('Suspended', 'spec.suspend: nothing is fetched, applied or deleted'), [
      'Reconciling',
      'Stalled',
    ]);
    return undefined;
  }
  const intervalMs = spec.intervalSeconds * 1000;
  try {
    return await proceed(context, cached, kept);
  } catch (thrown) {
    const error = PlumbError.from(thrown, cached.key);
    const looks = context.own(gitLooks);
    if (looks.signal.aborted) return undefined;
    // What was found does not help: the next look is to compare it anew.
    looks.of(metadata.uid).compared = false;
    if (error.reason !== 'Conflict') await tellFailure(context, cached, error);
    return { requeueAfterMs: error.retry === 'terminal' ? intervalMs : Math.min(intervalMs, SOON_MS) };
  }
}

async function tellFailure(context: Context, cached: Source, error: PlumbError): Promise<void> {
  const latest = context.read.get<GitSource>(cached.key) ?? cached;
  await writeStatus(context, latest, (status, object) => failedStatus(context, status, object, error));
}

/** The process ended while a commit was written, or it is to be put back. */
async function comeBack(context: Context, cached: Source, kept: KeptCommit): Promise<Again | undefined> {
  const { uid } = cached.object.metadata;
  const because = { reason: 'Interrupted', message: 'the commit was being written when the server ended' };
  const { failure } = await putBack(context, uid, kept, because);
  const { revision, deadlineAt } = kept.head;
  const { reason, message } = failure ?? because;
  if (deadlineAt !== undefined && reason !== because.reason)
    await writeStatus(context, context.read.get(cached.key) ?? cached, (status) => ({
      ...status,
      failedRevision: revision,
      history: historyOf(context, status as GitStatus, { revision, result: 'Returned', written: 0 }),
    }));
  await forget(context, uid);
  if (reason === because.reason) return { requeueAfterMs: 0 };
  await tellFailure(
    context,
    cached,
    terminal(reason, `${message}. Every object was returned to what it was before the commit ${short(revision)}.`),
  );
  return { requeueAfterMs: cached.object.spec.intervalSeconds * 1000 };
}

async function proceed(context: Context, cached: Source, kept: KeptCommit | undefined): Promise<Again | undefined> {
  const { metadata, spec } = cached.object;
  const door = context.git;
  if (!door) throw terminal('GitUnavailable', 'this server does not look at repositories');
  const user = actorOf(door, cached.object);
  const last = context.own(gitLooks).of(metadata.uid);
  // Parts without a head, which a process before has left.
  if (!kept && last.at === 0) await removeParts(context, metadata.uid);
  await lookWhenDue(context, door, cached, last);
  const found = last.found!;
  const declared = declaredBy(cached.object, found.objects);
  const others = (spec.dependsOn ?? []).map((name) => idOf(cached.kind.kind, metadata.namespace, name));
  context
    .own(gitLooks)
    .watch(cached.key, [...declared.map(({ id }) => id), ...(cached.object.status?.inventory ?? []), ...others]);
  const { status = {} } = cached.object;
  const source = sourceOf(cached.object);
  // What a person has let go is decided together with what the commit says now.
  if (status.pendingPrune && status.approvedPrune === status.pendingPrune.digest) last.compared = false;
  const isApplied = status.revision === found.revision && JSON.stringify(status.source) === JSON.stringify(source);
  if (status.failedRevision === found.revision && !kept)
    throw terminal(
      'CommitReturned',
      `the commit ${short(found.revision)} was put back, since its objects did not become Ready; the next one is tried again`,
    );
  if (!kept && (!isApplied || !last.compared)) {
    if (!isApplied) dependenciesAreReady(context, cached);
    await compare(context, door, user, cached, { declared, found, isApplied });
    last.compared = true;
    return { requeueAfterMs: 0 };
  }
  const health = healthOf(context, declared);
  if (kept) {
    const again = await judgeAtomic(context, cached, kept, health);
    if (again) return again;
  }
  const waits = await prune(context, door, user, cached);
  await tellHealth(context, cached, found, health);
  const dueMs = last.at + spec.intervalSeconds * 1000 - context.ambient.clock.now();
  return { requeueAfterMs: Math.max(0, waits ? Math.min(dueMs, SOON_MS) : dueMs) };
}

/** Throws terminal `NoServiceAccount`, retry `ServiceAccountNotFound`. */
function actorOf(door: GitDoor, { metadata, spec }: GitSource): Identity {
  const { serviceAccountName } = spec;
  const namespace = metadata.namespace!;
  if (serviceAccountName === undefined)
    throw terminal(
      'NoServiceAccount',
      'spec.serviceAccountName names no account, so nothing is allowed: make a ServiceAccount, bind the roles to it that the commit needs, and name it',
    );
  const user = door.account(namespace, serviceAccountName);
  if (user) return user;
  throw retryable(
    'ServiceAccountNotFound',
    `there is no ServiceAccount ${serviceAccountName} in the project ${namespace}`,
  );
}

async function lookWhenDue(context: Context, door: GitDoor, { object, key }: Source, last: LastLook): Promise<void> {
  const { uid, generation } = object.metadata;
  const { url, ref, path, intervalSeconds } = object.spec;
  const now = context.ambient.clock.now();
  const isSame = last.generation === generation;
  if (last.found && isSame && !last.wanted && now < last.at + intervalSeconds * 1000) return;
  const looks = context.own(gitLooks);
  const before = isSame ? last.found : undefined;
  last.wanted = false;
  last.at = now;
  const applied = object.status?.revision;
  const found = await door.look({ url, ref, path, known: before?.revision, applied }, looks.signal);
  last.at = context.ambient.clock.now();
  last.generation = generation;
  last.compared = false;
  if (found.objects) last.found = found;
  else if (before) last.found = before;
  else throw retryable('GitUnavailable', `${key}: nothing was found in ${uid}`);
}

function dependenciesAreReady(context: Context, { object }: Source): void {
  const { dependsOn = [] } = object.spec;
  for (const name of dependsOn) {
    const other = context.read.get(keys.object('gitsources', object.metadata.namespace, name))?.object;
    if (!other || !isReady(other))
      throw retryable(
        'DependencyNotReady',
        `the GitSource ${name} is ${other ? 'not Ready' : 'not there'}; this one waits for it (spec.dependsOn)`,
      );
  }
}

/** Of a commit that is atomic and written: whether it stays. Undefined: it does. */
async function judgeAtomic(
  context: Context,
  cached: Source,
  kept: KeptCommit,
  health: Health,
): Promise<Again | undefined> {
  const { uid } = cached.object.metadata;
  const { deadlineAt = 0 } = kept.head;
  const { stalled, waiting, missing } = health;
  const late = context.ambient.clock.now() >= deadlineAt;
  if (stalled.length > 0 || (late && waiting.length + missing.length > 0)) {
    const why =
      stalled.length > 0
        ? `cannot become Ready: ${some(stalled)}`
        : `not Ready in time: ${some([...missing, ...waiting])}`;
    const failed = { reason: stalled.length > 0 ? 'MemberStalled' : 'DeadlineExceeded', message: why };
    await putBack(context, uid, kept, failed);
    return { requeueAfterMs: 0 };
  }
  if (waiting.length + missing.length > 0) {
    await tellHealth(context, cached, undefined, health);
    return { requeueAfterMs: Math.max(0, deadlineAt - context.ambient.clock.now()) };
  }
  await forget(context, uid);
  await removeParts(context, uid);
  return undefined;
}

async function say(context: Context, cached: Source, condition: ConditionInput, without: string[]): Promise<void> {
  await writeStatus(context, cached, (status, object) => conditionsTo(context, status, object, [condition], without));
}
