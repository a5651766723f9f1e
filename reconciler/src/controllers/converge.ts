/**
 * Keeping shared resources as declared: bridges, subnets, images. They hold no allocation and need no undo, and what is to
 * be done follows from live state at any time, so nothing of it is journaled.
 */
import { type HostResource, type LiveResource, PlumbError, resourceKey, retryable } from '@plumb/schemas';
import type { CommandAttention, FleetCommand } from '../fleet/fleet.ts';
import { equal } from '../plan/plan.ts';
import type { Cached } from '../runtime/cache.ts';
import { type ConditionInput, findCondition } from '../runtime/conditions.ts';
import type { Context } from './controller.ts';
import { QUIET_REASON } from './guarded.ts';
import { restrictionOf } from './restriction.ts';
import { tellSharedDrift, tellSharedRepaired } from './shared-drift.ts';
import { conditionsTo, writeStatus } from './status.ts';

/** On each host: what lives there, and what should; `desired` undefined means that it is to go. */
export type HostSteps = { host: string; live: LiveResource | undefined; desired: HostResource | undefined }[];

/**
 * Whether something lives on the host that needs this bridge or subnet, whatever is written of who uses it: what cannot be
 * understood keeps its network.
 */
export function isNeeded(context: Context, host: string, kind: 'bridge' | 'subnet', id: string): boolean {
  for (const { kind: user, spec } of context.fleet.host(host)?.resources.values() ?? []) {
    if (user === 'port' && spec[kind] === id) return true;
    if (user === 'subnet' && kind === 'bridge' && spec.bridge === id) return true;
  }
  return false;
}

/**
 * Sends what is needed to every connected host at once. `fence`: revision of the object that decided it. Hosts that are
 * not connected are left for the time when they are. Throws the first failure after all hosts have answered.
 */
export async function converge(
  context: Context,
  owner: string,
  fence: number,
  wanted: HostSteps,
  attention?: CommandAttention,
): Promise<void> {
  const byHost = new Map<string, FleetCommand['steps']>();
  for (const { host, live, desired } of wanted) {
    const step = stepFor(live, desired);
    // What is on its way out is left as it is, until it goes.
    if (step?.verb === 'ensure' && restrictionOf(context.cache, host)) continue;
    if (step && context.liveness.connected(host)) byHost.set(host, [...(byHost.get(host) ?? []), step]);
  }
  const failures: PlumbError[] = [];
  await Promise.all(
    [...byHost].map(async ([host, steps]) => {
      try {
        for (const { error } of await context.fleet.send(host, { owner, fence, steps }, attention))
          if (error) failures.push(error);
      } catch (error) {
        failures.push(error as PlumbError);
      }
    }),
  );
  if (failures[0]) throw failures[0];
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
export async function convergeOrDegrade(context: Context, cached: Cached, wanted: HostSteps): Promise<void> {
  await tellSharedDrift(context, cached, wanted);
  try {
    await converge(context, cached.object.metadata.uid, cached.revision, wanted);
  } catch (thrown) {
    const { message } = PlumbError.from(thrown, cached.key);
    await tellDegraded(context, cached, { type: 'Degraded', status: 'True', reason: 'HostFailed', message });
    throw retryable(QUIET_REASON, message, thrown);
  }
  await tellSharedRepaired(context, cached);
  if (findCondition(cached.object, 'Degraded')?.status !== 'True') return;
  const message = 'every host is as declared';
  await tellDegraded(context, cached, { type: 'Degraded', status: 'False', reason: 'Converged', message });
}

async function tellDegraded(context: Context, cached: Cached, condition: ConditionInput): Promise<void> {
  const latest = context.cache.get(cached.key) ?? cached;
  await writeStatus(context, latest, (status, object) => conditionsTo(context, status, object, [condition], []));
}
