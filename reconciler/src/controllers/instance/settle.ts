/** An instance with nothing to do: status says what is, and is written only when that changed. */
import { type Instance, type InstanceOffering, retryable } from '@plumb/schemas';
import { type Allocation, heldAllocation } from '../../plan/allocation.ts';
import { equal } from '../../plan/plan.ts';
import type { Cached } from '../../runtime/cache.ts';
import type { Again, Context } from '../controller.ts';
import { conditionsTo, failedStatus, readyStatus, writeStatus } from '../status.ts';
import { isApplied, livePower } from './applied.ts';
import { domainFacts, restartRequired, tellStanding, withStanding } from './standing.ts';

/** True when the instance holds exactly the target. */
export function isSettled(instance: Instance, target: Allocation): boolean {
  return equal(heldAllocation(instance.status), target);
}

/** True when the instance runs and is to get another size all the same: its offering was edited, and that is no drift. */
export function growsLive(context: Context, instance: Instance, target: Allocation): boolean {
  const { cpus, memoryMiB } = instance.status ?? {};
  const resized = cpus !== target.cpus || memoryMiB !== target.memoryMiB;
  return resized && livePower(context, instance, target.host) === 'Running';
}

export async function settle(
  context: Context,
  cached: Cached<Instance>,
  offering: InstanceOffering,
): Promise<Again | undefined> {
  const held = heldAllocation(cached.object.status)!;
  tellStanding(context, cached.object, domainFacts(context, cached.object, held.host));
  await writeStatus(context, cached, (status, object) => {
    const instance = object as Instance;
    const facts = domainFacts(context, instance, held.host);
    const power = livePower(context, instance, held.host) ?? 'Stopped';
    const { reason, message } =
      power === 'Stopped' && instance.spec.power === 'Running'
        ? { reason: 'GuestShutdown', message: 'the guest shut itself down, which restartPolicy OnFailure respects' }
        : readyWords(power, held);
    const ready = readyStatus(context, { ...status, power }, object, reason, message);
    return withStanding(context, ready, object, facts, restartRequired(held, offering, facts));
  });
  return undefined;
}

/** After the grace, nobody knows how an instance on a host without its agent is. */
export async function reportHostLost(context: Context, cached: Cached<Instance>): Promise<Again | undefined> {
  const host = cached.object.status!.host!;
  const graceLeftMs = context.liveness.graceLeftMs(host) ?? 0;
  if (graceLeftMs > 0) return { requeueAfterMs: graceLeftMs };
  const error = retryable('HostNotConnected', `the agent of host ${host} is not connected, so nobody knows how it is`);
  const applied = isApplied(cached.object);
  await writeStatus(context, cached, (status, object) => {
    const failed = failedStatus(context, status, object, error);
    if (!applied) return failed;
    const unknown = { type: 'Ready', status: 'Unknown' as const, reason: error.reason, message: error.message };
    return conditionsTo(context, failed, object, [unknown], []);
  });
  return undefined;
}

export function readyWords(power: 'Running' | 'Stopped', held: Allocation): { reason: string; message: string } {
  const addresses = held.interfaces.flatMap((i) => i.addresses).join(', ');
  return power === 'Running'
    ? { reason: 'Running', message: `runs on host ${held.host} with ${addresses}` }
    : { reason: 'Stopped', message: `is stopped on host ${held.host}, and keeps ${addresses}` };
}
