/** Pure projection of an instance and what it holds to the resources that its host needs. */
import { createHash } from 'node:crypto';
import type { HostResource, Image, Instance, InstanceOffering, L2Network, L3Network } from '@plumb/schemas';
import { objectName } from '@plumb/schemas';
import type { Allocation } from '../../plan/allocation.ts';
import { mtuBytes } from '../../plan/mtu.ts';
import { equal } from '../../plan/plan.ts';

/** The objects that an instance refers to, all found and usable. `networks` is keyed by interface name. */
export interface InstanceReferences {
  offering: InstanceOffering;
  image: Image;
  networks: ReadonlyMap<string, { l3: L3Network; l2: L2Network }>;
  /** Where its user data is, when that is in a Secret. */
  userData?: UserDataFrom;
}

export type UserDataFrom = NonNullable<HostResource<'seed'>['spec']['userDataFrom']>;

/** Ids of the resources that only this instance owns, in the order in which they are made; `disk` is that of the first. */
export const resourceIds = {
  disk: (uid: string) => `${uid}.root`,
  seed: (uid: string) => `${uid}.seed`,
  port: (uid: string, interfaceName: string) => `${uid}.${interfaceName}`,
  domain: (uid: string) => uid,
} as const;

/** Resources of the instance's own. */
export function ownResources(
  instance: Instance,
  allocation: Allocation,
  networks: InstanceReferences['networks'],
  userDataFrom?: UserDataFrom,
): HostResource<'disk' | 'seed' | 'port' | 'domain'>[] {
  const { uid, name } = instance.metadata;
  const { spec } = instance;
  const { rootDisk } = allocation;
  const ports = allocation.interfaces.map((i): HostResource<'port'> => {
    const network = networks.get(i.name);
    if (!network) throw new Error(`no network resolved for interface ${i.name} of ${objectName(instance.metadata)}`);
    return {
      kind: 'port',
      id: resourceIds.port(uid, i.name),
      owner: uid,
      spec: {
        bridge: network.l2.metadata.uid,
        subnet: network.l3.metadata.uid,
        macAddress: i.macAddress,
        addresses: i.addresses,
        hostname: name,
        mtuBytes: mtuBytes(network.l2),
      },
    };
  });
  return [
    {
      kind: 'disk',
      id: rootDisk.id,
      owner: uid,
      spec: {
        image: rootDisk.sha256,
        imageFormat: rootDisk.format,
        ...(spec.rootDiskMiB === undefined ? {} : { sizeBytes: spec.rootDiskMiB * 1024 * 1024 }),
      },
    },
    {
      kind: 'seed',
      id: resourceIds.seed(uid),
      owner: uid,
      spec: {
        instanceId: instanceId(uid, spec, userDataFrom),
        hostname: name,
        ...(spec.userData === undefined ? {} : { userData: spec.userData }),
        ...(userDataFrom === undefined ? {} : { userDataFrom }),
        sshKeys: spec.sshKeys ?? [],
        ...(allocation.interfaces.length > 1
          ? { interfaces: allocation.interfaces.map((i) => ({ name: i.name, macAddress: i.macAddress })) }
          : {}),
      },
    },
    ...ports,
    {
      kind: 'domain',
      id: resourceIds.domain(uid),
      owner: uid,
      spec: {
        name: `${instance.metadata.namespace}.${name}`,
        cpus: allocation.cpus,
        memoryMiB: allocation.memoryMiB,
        disks: [rootDisk.id],
        seed: resourceIds.seed(uid),
        ports: ports.map((p) => ({ id: p.id, macAddress: p.spec.macAddress, mtuBytes: p.spec.mtuBytes })),
        power: spec.power,
      },
    },
  ];
}

/**
 * By which cloud-init knows an instance: with another one it applies user data and keys again. So it names their content; an
 * instance that has neither is known by its uid.
 */
function instanceId(uid: string, { userData, sshKeys = [] }: Instance['spec'], from?: UserDataFrom): string {
  if (userData === undefined && from === undefined && sshKeys.length === 0) return uid;
  // Where the text is does not matter to the guest.
  const content = JSON.stringify([userData ?? (from ? { hash: from.hash } : null), sshKeys]);
  return `${uid}-${createHash('sha256').update(content).digest('hex').slice(0, 12)}`;
}

/**
 * The seed of an instance that has one: as long as user data and keys are the same it stays the same instance to its guest,
 * whatever the rule was by which it got its identity. `isApplied`: nothing is declared otherwise than it was.
 */
export function keptSeed(
  wanted: HostResource<'seed'>,
  now: HostResource | undefined,
  isApplied: boolean,
): HostResource<'seed'> {
  if (now?.kind !== 'seed') return wanted;
  const content = ({ hostname, userData, userDataFrom, sshKeys }: HostResource<'seed'>['spec']) => {
    return { hostname, userData, hash: userDataFrom?.hash, sshKeys };
  };
  if (!equal(content(wanted.spec), content(now.spec))) return wanted;
  // A version that did not write interfaces made it: its guest has been configured.
  if (isApplied && now.spec.interfaces === undefined) return { ...wanted, spec: now.spec };
  return { ...wanted, spec: { ...wanted.spec, instanceId: now.spec.instanceId } };
}
