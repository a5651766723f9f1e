/**
 * Keeping shared resources as declared: bridges, subnets, images. They hold no allocation and need no undo, and what is to
 * be done follows from live state at any time, so nothing of it is journaled.
 */
import {
  type HostResource,
  type LiveResource,
  PlumbError,
  resourceKey,
  resourceTypes,
  retryable,
} from '@plumb/schemas';
import type { CommandAttention, FleetCommand } from '../fleet/fleet.ts';
import { equal } from '../plan/plan.ts';
import type { Cached } from '../runtime/cache.ts';
import { type ConditionInput, findCondition } from '../runtime/conditions.ts';
import type { Again, Context } from './controller.ts';
import { QUIET_REASON } from './guarded.ts';
import { restrictionOf } from './restriction.ts';
import { tellSharedDrift, tellSharedRepaired } from './shared-drift.ts';
import { conditionsTo, writeStatus } from './status.ts';
import { type Straggler, unansweredHosts } from './unanswered.ts';

/** On each host: what lives there, and what should; `desired` undefined means that it is to go. */
export type HostSteps = { host: string; live: LiveResource | undefined; desired: HostResource | undefined }[];

/**
 * Whether something lives on the host that stands on this resource, whatever is written of who uses it: what cannot be
 * understood keeps its network.
 */
export function isNeeded(context: Context, host: string, kind: HostResource['kind'], id: string): boolean {
  for (const resource of context.fleet.host(host)?.resources.values() ?? [])
    if (resourceTypes.standsOn(resource, kind, id)) return true;
  return false;
}

/** So long an answer is waited for before the object goes on; what comes later has it looked at again. */
const PATIENCE_MS = 2_000;

/** The object for which hosts are told something. */
export interface For {
  /** uid of it, or of the object whose resources are meant. */
  owner: string;
  /** Key that is looked at again when a late answer comes. */
  key: string;
  /** Revision of the object that decided it. */
  fence: number;
  /** It is being deleted: what is removed is not made again. */
  isLast?: boolean;
}

/**
 * Sends what is needed to every connected host at once. Hosts that are not connected are left for the time when they are; one
 * that has not answered what it was told before is told nothing more until it has. Resolves with those that have not answered
 * within a moment. Throws the first failure after the others have answered.
 */
export async function converge(context: Context, whom: For, wanted: HostSteps): Promise<Straggler[]> {
  const { clock } = context.ambient;
  const unanswered = context.own(unansweredHosts);
  const { owner, fence } = whom;
  const failures: PlumbError[] = [];
  const waiting = new Map<string, Straggler>();
  let over = false;
  const tell = async (host: string, steps: FleetCommand['steps']) => {
    const told = unanswered.begin(owner, host, clock.now());
    waiting.set(host, { host, since: told.since });
    try {
      for (const { error } of await context.fleet.send(host, { owner, fence, steps }))
        if (error) told.failure ??= onHost(host, error);
    } catch (error) {
      told.failure = onHost(host, PlumbError.from(error, host));
    }
    told.answered = true;
    waiting.delete(host);
    if (over) context.enqueue(whom.key);
    else {
      unanswered.end(owner, host);
      if (told.failure) failures.push(told.failure);
    }
  };
  const telling: Promise<void>[] = [];
  for (const [host, steps] of stepsByHost(context, whom, wanted)) {
    const before = unanswered.get(owner, host);
    if (before === undefined) telling.push(tell(host, steps));
    else if (!before.answered) waiting.set(host, { host, since: before.since });
    else {
      unanswered.end(owner, host);
      if (before.failure) failures.push(before.failure);
      else telling.push(tell(host, steps));
    }
  }
  if (telling.length > 0) {
    const { promise: patience, resolve } = Promise.withResolvers<void>();
    const stop = clock.after(PATIENCE_MS, resolve);
    await Promise.race([Promise.all(telling), patience]);
    stop();
  }
  over = true;
  if (failures[0]) throw failures[0];
  return [...waiting.values()];
}

function stepsByHost(context: Context, { owner, isLast }: For, wanted: HostSteps): Map<string, FleetCommand['steps']> {
  const unanswered = context.own(unansweredHosts);
  const byHost = new Map<string, FleetCommand['steps']>();
  for (const { host, live, desired } of wanted) {
    const step = stepFor(live, desired);
    if (step === undefined || !context.liveness.connected(host)) continue;
    // What is on its way out is left as it is, until it goes.
    if (step.verb === 'ensure' && restrictionOf(context, host)) continue;
    if (isLast && step.verb === 'remove')
      unanswered.noteRemoval(owner, host, step.resource, context.ambient.clock.now());
    byHost.set(host, [...(byHost.get(host) ?? []), step]);
  }
  return byHost;
}

/** Has one host make it, however long that takes. Throws what the host says, or why it is told nothing. */
export async function makeOn(
  context: Context,
  host: string,
  { owner, fence }: Pick<For, 'owner' | 'fence'>,
  resource: HostResource,
  attention: CommandAttention,
): Promise<void> {
  const restriction = restrictionOf(context, host);
  if (restriction) throw restriction.error;
  const steps: FleetCommand['steps'] = [{ id: `ensure ${resourceKey(resource)}`, verb: 'ensure', resource }];
  for (const { error } of await context.fleet.send(host, { owner, fence, steps }, attention)) if (error) throw error;
}

/** A sentence of a host says of which. */
function onHost(host: string, error: PlumbError): PlumbError {
  const { reason, message, retry } = error;
  if (message.includes(host)) return error;
  return new PlumbError({ reason, message: `${message} (on host ${host})`, retry, cause: error });
}

function stepFor(
  live: LiveResource | undefined,
  desired: HostResource | undefined,
): FleetCommand['steps'][number] | undefined {
  if (desired) {
    if (live && live.drift.length === 0 && equal(live.spec, desired.spec)) return undefined;
    return { id: `ensure ${resourceKey(desired)}`, verb: 'ensure', resource: desired };
  }
  return live ? { id: `remove ${resourceKey(live)}`, verb: 'remove', resource: live } : undefined;
}

/**
 * As {@link converge}, for an object that stays usable when one of its hosts does not obey: says so in a condition of its
 * own and throws for the queue to try again, but leaves Ready alone. What somebody has changed on a host is told, too.
 */
export async function convergeOrDegrade(
  context: Context,
  cached: Cached,
  wanted: HostSteps,
): Promise<Again | undefined> {
  await tellSharedDrift(context, cached, wanted);
  let stragglers: Straggler[];
  try {
    const { key, revision: fence, object } = cached;
    stragglers = await converge(context, { owner: object.metadata.uid, key, fence }, wanted);
  } catch (thrown) {
    const { message } = PlumbError.from(thrown, cached.key);
    await tellDegraded(context, cached, { type: 'Degraded', status: 'True', reason: 'HostFailed', message });
    throw retryable(QUIET_REASON, message, thrown);
  }
  if (stragglers.length > 0) return tellStragglers(context, cached, stragglers);
  await tellSharedRepaired(context, cached);
  if (findCondition(cached.object, 'Degraded')?.status !== 'True') return undefined;
  const message = 'every host is as declared';
  await tellDegraded(context, cached, { type: 'Degraded', status: 'False', reason: 'Converged', message });
  return undefined;
}

/** A host that is only slow is not worth a word; its answer has the object looked at again. */
async function tellStragglers(context: Context, cached: Cached, stragglers: readonly Straggler[]): Promise<Again> {
  const now = context.ambient.clock.now();
  const slowMs = context.limits.slowCommandSeconds * 1000;
  const leftMs = stragglers.map(({ since }) => since + slowMs - now).filter((ms) => ms > 0 && ms <= slowMs);
  if (leftMs.length > 0) return { requeueAfterMs: Math.min(...leftMs) };
  const message = `${named(stragglers.map(({ host }) => host))} did not answer yet; the other hosts are as declared`;
  await tellDegraded(context, cached, { type: 'Degraded', status: 'True', reason: 'HostNotAnswering', message });
  return { requeueAfterMs: slowMs };
}

/** Names of hosts, for a sentence. */
export function named(hosts: Iterable<string>): string {
  const names = [...hosts].sort();
  const rest = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  return `${names.slice(0, NAMED).join(', ')}${rest}`;
}

/** Of many hosts so many are named. */
const NAMED = 5;

async function tellDegraded(context: Context, cached: Cached, condition: ConditionInput): Promise<void> {
  const latest = context.read.get(cached.key) ?? cached;
  await writeStatus(context, latest, (status, object) => conditionsTo(context, status, object, [condition], []));
}
