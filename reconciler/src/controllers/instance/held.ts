/** What an instance holds, as it is written or as what lives says, and where it may have run. */
import { type Instance, resourceKey } from '@plumb/schemas';
import { type Allocation, heldAllocation } from '../../plan/allocation.ts';
import { resourceIds } from '../../plan/instance-resources.ts';
import type { Context } from '../controller.ts';
import { isOff } from '../restriction.ts';

/** Everything the instance may hold now: by status, and by the flow that is under way. */
export function allHeld(context: Context, instance: Instance): Allocation[] {
  const flow = context.journal.get(instance.metadata.uid)?.record;
  const held = [heldAllocation(instance.status), ...(flow?.held ?? []), flow?.target].filter((a) => a !== undefined);
  if (held.length > 0 || !context.strays.has(instance.metadata.uid)) return held;
  const lived = allocationFromLife(context, instance);
  return lived ? [lived] : [];
}

/** What an instance holds of which nothing is written any more, by what lives for it; undefined when nothing runs. */
function allocationFromLife({ fleet }: Context, { metadata: { uid } }: Instance): Allocation | undefined {
  const domain = [...fleet.ownedBy(uid)].find(({ resource }) => resource.kind === 'domain');
  if (domain?.resource.kind !== 'domain') return undefined;
  const { host, resource } = domain;
  const { cpus, memoryMiB, disks } = resource.spec;
  const resources = fleet.host(host)?.resources;
  const id = disks[0] ?? resourceIds.disk(uid);
  const disk = resources?.get(resourceKey({ kind: 'disk', id }));
  if (disk?.kind !== 'disk') return undefined;
  const interfaces = resource.spec.ports.flatMap((port) => {
    const live = resources?.get(resourceKey({ kind: 'port', id: port.id }));
    if (live?.kind !== 'port' || !port.id.startsWith(`${uid}.`)) return [];
    const { subnet, macAddress, addresses } = live.spec;
    return [{ name: port.id.slice(uid.length + 1), l3Network: '', l3NetworkUid: subnet, macAddress, addresses }];
  });
  const rootDisk = { id, imageUid: '', sha256: disk.spec.image, format: disk.spec.imageFormat };
  return { host, cpus, memoryMiB, interfaces, rootDisk };
}

/**
 * The host that has its disk or its domain although nothing is written of it: the store was put back to an earlier time.
 * There its data is, and only there it may run.
 */
export function whereItLives(context: Context, { metadata }: Instance): string | undefined {
  for (const { host, resource } of context.fleet.ownedBy(metadata.uid))
    if ((resource.kind === 'domain' || resource.kind === 'disk') && !isOff(context, host)) return host;
  return undefined;
}

/** Whether it may have run there: its domain is made last, by no flow that goes on elsewhere. */
export function hasDomain({ fleet }: Context, { metadata: { uid } }: Instance, host: string): boolean {
  return fleet.host(host)?.resources.has(resourceKey({ kind: 'domain', id: resourceIds.domain(uid) })) === true;
}

/** Whether its host is off, as a person said, and its disk there may be given up. */
export function mayGoOnElsewhere(context: Context, { spec }: Instance, host: string): boolean {
  return spec.allowDataLoss && isOff(context, host);
}
