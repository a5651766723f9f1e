/** The store's entries as they lie on the disk, parsed once for all checks. Nothing of the product is asked. */

import type { FlowRecord } from '@plumb/reconciler/flow/record.ts';
import { readText } from '@plumb/reconciler/flow/record-text.ts';
import type { Allocation } from '@plumb/reconciler/plan/allocation.ts';
import type {
  Condition,
  Host,
  Image,
  Instance,
  InstanceOffering,
  L2Network,
  L3Network,
  PlumbObject,
} from '@plumb/schemas';
import { API_GROUP_VERSION } from '@plumb/schemas/meta/object.ts';
import type { Judged } from './judged.ts';

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

export function readEstate(disk: Judged['disk']): Estate {
  const objects = new Map<string, PlumbObject>();
  const flows: FlowRecord[] = [];
  const allocations = new Map<string, string>();
  for (const [key, { value }] of disk.entries)
    if (key.startsWith('/objects/')) {
      const object = JSON.parse(value) as PlumbObject;
      // Kubernetes' own kinds are only kept: no controller says how they are.
      if (object.apiVersion === API_GROUP_VERSION) objects.set(key, object);
    } else if (key.startsWith('/flows/')) flows.push(readText(value) as FlowRecord);
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

/** Everything that the instance holds: by its status, and by a flow that rests in the middle. */
export function holdings(estate: Estate, uid: string): Allocation[] {
  const status = (estate.byUid.get(uid) as Instance | undefined)?.status;
  const flow = estate.flows.find((f) => f.uid === uid);
  const held = status?.host ? [{ interfaces: [], cpus: 0, memoryMiB: 0, ...status } as unknown as Allocation] : [];
  return [...held, ...((flow?.held ?? []) as Allocation[]), ...(flow?.target ? [flow.target as Allocation] : [])];
}

export function ready(object: PlumbObject): Condition | undefined {
  return object.status?.conditions?.find((c) => c.type === 'Ready');
}
