/**
 * GitSource: looks at a repository, applies what a commit declares as one and as its ServiceAccount, deletes what is declared no more,
 * and says how all of it is. See docs/decisions for what a commit is.
 */
import { type GitSource, PlumbError, retryable, terminal } from '@plumb/schemas';
import { printable } from '@plumb/schemas/meta/printable.ts';
import type { Identity } from '../../authorization/policy.ts';
import type { Rendered } from '../../git/look.ts';
import type { Cached } from '../../runtime/cache.ts';
import { type ConditionInput, isReady } from '../../runtime/conditions.ts';
import { keys } from '../../store/keys.ts';
import type { Again, Context, Controller } from '../controller.ts';
import type { GitDoor, GitWrite } from '../git-door.ts';
import { guarded } from '../guarded.ts';
import { conditionsTo, depart, failedStatus, readyStatus, type Status, writeStatus } from '../status.ts';
import { type Declared, declaredBy, idOf, managerOf } from './declared.ts';
import { type Health, healthOf } from './health.ts';
import { gitLooks, type LastLook } from './looks.ts';
import { decidePrune, deleteGoing, type PruneDecision } from './prune.ts';
import { type KeptCommit, readHead, removeParts } from './record.ts';
import { forget, putBack, writeCommit } from './write.ts';

type GitStatus = NonNullable<GitSource['status']>;
type Source = Cached<GitSource>;

const ATOMIC_MS = 600_000;
const SOON_MS = 5_000;
const MOST_HISTORY = 10;
const MOST_SAID = 5;

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

interface Comparing {
  declared: readonly Declared[];
  found: Rendered;
  isApplied: boolean;
}

/** Judges the whole commit, then writes what differs. Of what others have changed, driftPolicy says what becomes of it. */
async function compare(
  context: Context,
  door: GitDoor,
  user: Identity,
  cached: Source,
  { declared, found, isApplied }: Comparing,
) {
  const { spec, status: was = {} } = cached.object;
  const manager = managerOf(cached.object);
  const coming = new Set(
    declared.filter(({ kind }) => kind.kind === 'Namespace').map(({ object }) => object.metadata.name),
  );
  const as = { user, manager, takesBack: spec.driftPolicy === 'Repair', coming };
  const staged = await judgeAll(declared, (one) => door.stageApply(one.kind, one.object, as));
  const inventory = declared.map(({ id }) => id);
  const decision = pruneDecision(cached.object, found, inventory);
  const { gone, deleting } = decision;
  if (isApplied && spec.driftPolicy === 'Report') {
    const drifted = staged.map(({ one }) => one.id).sort();
    await writeStatus(context, cached, (status) =>
      withPrune({ ...status, drifted: drifted.length > 0 ? drifted : undefined } as Status, decision),
    );
    return;
  }
  const byKey = new Map(staged.map(({ one, write }) => [write.key, one]));
  const { revision } = found;
  const written = staged.length;
  await writeCommit(context, cached, {
    revision,
    writes: staged.map(({ write }) => write),
    ...(spec.atomic && !isApplied && written > 0 ? { deadlineAt: context.ambient.clock.now() + ATOMIC_MS } : {}),
    again: ({ key }) => door.stageApply(byKey.get(key)!.kind, byKey.get(key)!.object, as),
    status: (status, object) => {
      const { drifted: _, ...rest } = withPrune(status, decision) as GitStatus;
      const isNews = !isApplied || written > 0;
      const event = { revision, result: isApplied ? 'Healed' : 'Applied', written };
      return conditionsTo(
        context,
        {
          ...rest,
          revision,
          source: sourceOf(cached.object),
          inventory: [...inventory, ...gone, ...deleting],
          ...(isNews ? { history: historyOf(context, was, event) } : {}),
        } as Status,
        object,
        isNews
          ? [reconciling('Applying', `the commit ${short(revision)} is applied: ${written} objects were written`)]
          : [],
        isNews ? ['Stalled'] : [],
      );
    },
  });
}

/** What each would store. Throws what is wrong with any of them, before anything is written. */
async function judgeAll(
  declared: readonly Declared[],
  stage: (one: Declared) => Promise<GitWrite | undefined>,
): Promise<{ one: Declared; write: GitWrite }[]> {
  const staged: { one: Declared; write: GitWrite }[] = [];
  const wrong: { id: string; error: PlumbError }[] = [];
  for (const one of declared) {
    try {
      const write = await stage(one);
      if (write) staged.push({ one, write });
    } catch (thrown) {
      wrong.push({ id: one.id, error: PlumbError.from(thrown, one.id) });
    }
  }
  if (wrong.length === 0) return staged;
  const told = wrong.slice(0, MOST_SAID).map(({ id, error }) => `${id}: ${printable(error.message, 400)}`);
  const more = wrong.length > MOST_SAID ? `; and ${wrong.length - MOST_SAID} more` : '';
  const retry = wrong.some(({ error }) => error.retry === 'terminal') ? 'terminal' : 'retry';
  const { reason } = (wrong.find(({ error }) => error.retry === retry) ?? wrong[0]!).error;
  // A conflict with other managers is a fact that is told; one of the store passes.
  throw new PlumbError({
    reason: reason === 'Conflict' ? 'OwnedByOthers' : reason,
    message: `nothing of the commit is applied: ${told.join('; ')}${more}`,
    retry,
  });
}

interface Pruning extends PruneDecision {
  /** What is not declared any more and waits for a person. */
  gone: readonly string[];
  /** What is decided: it goes, or is going. */
  deleting: readonly string[];
}

function pruneDecision({ spec, status = {} }: GitSource, found: Rendered, declared: readonly string[]): Pruning {
  const named = new Set(declared);
  const {
    inventory = [],
    deleting: before = [],
    revision,
    source,
    pendingPrune: pending,
    approvedPrune: approved,
  } = status;
  const left = inventory.filter((id) => !named.has(id));
  if (!spec.prune) return { go: [], pending: undefined, gone: [], deleting: [] };
  const decided = before.filter((id) => !named.has(id) && left.includes(id));
  const gone = left.filter((id) => !decided.includes(id));
  const decision = decidePrune({
    ...{ gone, applied: inventory.length, rendered: found.objects.length, pending, approved },
    descends: revision === found.revision || found.descends,
    moved: source !== undefined && JSON.stringify(source) !== JSON.stringify(sourceOf({ spec })),
    revision: found.revision,
  });
  return { ...decision, gone: decision.pending ? gone : [], deleting: [...decided, ...decision.go] };
}

function withPrune(status: Status, { pending, deleting }: Pruning): Status {
  const { pendingPrune: _p, deleting: _d, approvedPrune, ...rest } = status as GitStatus;
  return {
    ...rest,
    ...(pending ? { pendingPrune: pending } : {}),
    ...(pending && approvedPrune !== undefined ? { approvedPrune } : {}),
    ...(deleting.length > 0 ? { deleting: [...deleting] } : {}),
  } as Status;
}

/** Deletes what was decided. Whether it is not over. */
async function prune(context: Context, door: GitDoor, user: Identity, cached: Source): Promise<boolean> {
  const { deleting = [] } = cached.object.status ?? {};
  if (deleting.length === 0) return false;
  const { left, kept } = await deleteGoing(context, door, cached, user, deleting);
  if (left.length < deleting.length) {
    const ended = new Set(deleting.filter((id) => !left.includes(id)));
    const { revision = '' } = cached.object.status ?? {};
    await writeStatus(context, context.read.get<GitSource>(cached.key) ?? cached, (status) => {
      const { inventory = [], deleting: _, ...rest } = status as GitStatus;
      return {
        ...rest,
        inventory: inventory.filter((id) => !ended.has(id)),
        ...(left.length > 0 ? { deleting: left } : {}),
        history: historyOf(context, rest, { revision, result: 'Pruned', written: ended.size - kept.length }),
      } as Status;
    });
  }
  return left.length > 0;
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

async function tellHealth(
  context: Context,
  cached: Source,
  found: Rendered | undefined,
  health: Health,
): Promise<void> {
  const latest = context.read.get<GitSource>(cached.key) ?? cached;
  const { ready, stalled, waiting, missing } = health;
  const revision = found?.revision ?? latest.object.status?.revision ?? '';
  await writeStatus(context, latest, (status, object) => {
    const { pendingPrune, drifted = [], deleting = [] } = status as GitStatus;
    const commit = `commit ${short(revision)}`;
    const failed = (reason: string, message: string) =>
      failedStatus(context, status, object, terminal(reason, message));
    if (stalled.length > 0)
      return failed('Unhealthy', `${commit}: ${stalled.length} objects cannot become Ready: ${some(stalled)}`);
    if (drifted.length > 0)
      return failed(
        'Drifted',
        `${commit}: others have changed what it declares, and spec.driftPolicy is Report: ${some(drifted)}`,
      );
    if (missing.length > 0) return failed('Missing', `${commit}: not there any more: ${some(missing)}`);
    if (pendingPrune)
      return conditionsTo(
        context,
        status,
        object,
        [
          {
            ...notReady(
              'PruneNeedsApproval',
              `${pendingPrune.count} objects that the ${commit} does not declare any more are kept, since ${pendingPrune.because}. To delete them: plumb gitsource approve ${object.metadata.name} -n ${object.metadata.namespace}`,
            ),
          },
        ],
        ['Reconciling', 'Stalled'],
      );
    if (waiting.length + deleting.length > 0) {
      const message =
        waiting.length > 0
          ? `${commit}: ${ready} of ${ready + waiting.length} objects are Ready; waiting for ${some(waiting)}`
          : `${commit}: ${deleting.length} objects are being deleted: ${some(deleting)}`;
      return conditionsTo(
        context,
        status,
        object,
        [notReady('Progressing', message), reconciling('Progressing', message)],
        ['Stalled'],
      );
    }
    return readyStatus(context, status, object, 'Applied', `${commit}: all ${ready} objects are Ready`);
  });
}

async function say(context: Context, cached: Source, condition: ConditionInput, without: string[]): Promise<void> {
  await writeStatus(context, cached, (status, object) => conditionsTo(context, status, object, [condition], without));
}

function notReady(reason: string, message: string): ConditionInput {
  return { type: 'Ready', status: 'False', reason, message };
}

function reconciling(reason: string, message: string): ConditionInput {
  return { type: 'Reconciling', status: 'True', reason, message };
}

function historyOf(context: Context, status: GitStatus, event: { revision: string; result: string; written: number }) {
  const time = new Date(context.ambient.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
  return [{ ...event, time }, ...(status.history ?? [])].slice(0, MOST_HISTORY);
}

function sourceOf({ spec: { url, ref, path } }: Pick<GitSource, 'spec'>) {
  return { url, ref, ...(path === undefined ? {} : { path }) };
}

function short(revision: string): string {
  return revision.slice(0, 12);
}

function some(names: readonly string[]): string {
  const more = names.length > MOST_SAID ? ` and ${names.length - MOST_SAID} more` : '';
  return `${printable(names.slice(0, MOST_SAID).join(', '), 800)}${more}`;
}
