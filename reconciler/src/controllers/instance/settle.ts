/** What is said of an instance that is as declared. */
import type { HostResource, Instance } from '@plumb/schemas';
import { type Allocation, heldAllocation } from '../../plan/allocation.ts';
import type { Cached } from '../../runtime/cache.ts';
import type { Context } from '../controller.ts';
import type { Words } from '../placed/placed-kind.ts';
import { readyStatus, writeStatus } from '../status.ts';
import { livePower } from './life.ts';
import type { ResolvedInstance } from './references.ts';
import { domainFacts, restartRequired, tellStanding, withStanding } from './standing.ts';

export async function settle(
  context: Context,
  cached: Cached<Instance>,
  { references: { offering } }: ResolvedInstance,
): Promise<void> {
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
}

/** `made`: the resources as a flow has just made them. */
export function readyInstance(
  context: Context,
  instance: Instance,
  held: Allocation,
  made: readonly HostResource[] | undefined,
): Words {
  const power = madePower(made) ?? livePower(context, instance, held.host) ?? instance.spec.power;
  const { host, cpus, memoryMiB, interfaces, rootDisk } = held;
  return { status: { host, power, cpus, memoryMiB, interfaces, rootDisk }, ...readyWords(power, held) };
}

function madePower(made: readonly HostResource[] | undefined): 'Running' | 'Stopped' | undefined {
  const domain = made?.find((resource) => resource.kind === 'domain');
  return domain?.kind === 'domain' ? domain.spec.power : undefined;
}

function readyWords(power: 'Running' | 'Stopped', held: Allocation): { reason: string; message: string } {
  const addresses = held.interfaces.flatMap((i) => i.addresses).join(', ');
  return power === 'Running'
    ? { reason: 'Running', message: `runs on host ${held.host} with ${addresses}` }
    : { reason: 'Stopped', message: `is stopped on host ${held.host}, and keeps ${addresses}` };
}
