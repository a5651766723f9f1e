/** An instance as it lives. */
import { type Instance, type LiveResource, resourceKey } from '@plumb/schemas';
import type { Allocation } from '../../plan/allocation.ts';
import type { Context } from '../controller.ts';
import { resourceIds } from './resources.ts';

/** Whether the domain runs on the host; undefined when it is not there. */
export function livePower(context: Context, instance: Instance, host: string): 'Running' | 'Stopped' | undefined {
  const resource = liveDomain(context, instance, host);
  if (resource === undefined) return undefined;
  return resource.domain?.state === 'running' ? 'Running' : 'Stopped';
}

/** The instance's domain as it lives on the host; undefined when it does not. */
export function liveDomain(context: Context, { metadata }: Instance, host: string): LiveResource<'domain'> | undefined {
  const resource = context.fleet.host(host)?.resources.get(`domain/${resourceIds.domain(metadata.uid)}`);
  return resource?.kind === 'domain' ? resource : undefined;
}

/** What an instance holds of which nothing is written any more, by what lives for it; undefined when nothing runs. */
export function allocationFromLife({ fleet }: Context, { metadata: { uid } }: Instance): Allocation | undefined {
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
