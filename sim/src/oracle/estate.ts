/** The store's entries as they lie on the disk, parsed once for all checks. Nothing of the product is asked. */
import type { FlowRecord } from '@plumb/reconciler/flow/record.ts';
import type { Host, Image, Instance, InstanceOffering, L2Network, L3Network, PlumbObject } from '@plumb/schemas';
import type { StoreDisk } from '../world/store-disk.ts';

export interface Estate {
  objects: Map<string, PlumbObject>;
  byUid: Map<string, PlumbObject>;
  instances: Instance[];
  hosts: Host[];
  images: Image[];
  l2: L2Network[];
  l3: L3Network[];
  offerings: InstanceOffering[];
  flows: FlowRecord[];
  /** Under /alloc/. */
  allocations: Map<string, string>;
}

export function readEstate(disk: StoreDisk): Estate {
  const objects = new Map<string, PlumbObject>();
  const flows: FlowRecord[] = [];
  const allocations = new Map<string, string>();
  for (const [key, { value }] of disk.entries)
    if (key.startsWith('/objects/') && !key.startsWith('/objects/namespaces/')) objects.set(key, JSON.parse(value));
    else if (key.startsWith('/flows/')) flows.push(JSON.parse(value));
    else if (key.startsWith('/alloc/')) allocations.set(key, value);
  const all = [...objects.values()];
  const of = <T extends PlumbObject>(kind: string) => all.filter((o) => o.kind === kind) as T[];
  return {
    objects,
    byUid: new Map(all.map((o) => [o.metadata.uid, o])),
    instances: of<Instance>('Instance'),
    hosts: of<Host>('Host'),
    images: of<Image>('Image'),
    l2: of<L2Network>('L2Network'),
    l3: of<L3Network>('L3Network'),
    offerings: of<InstanceOffering>('InstanceOffering'),
    flows,
    allocations,
  };
}
