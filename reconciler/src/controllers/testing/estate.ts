/** What most tests of controllers begin with: one zone, one connected host, one network, an image and an offering. */
import type { PlumbObject } from '@plumb/schemas';
import type { Rig } from './rig.ts';

export const hostSpec = { zone: 'home', unschedulable: false, cpuOvercommitRatio: 8, memoryOvercommitRatio: 1 };

/** A zone with a host that is connected. */
export async function makeHost(rig: Rig): Promise<void> {
  await rig.create('Zone', 'home', {});
  await rig.create('Host', 'host-1', hostSpec);
  rig.fleet.connect('host-1');
}

/** Everything that instances refer to but their offering. */
export async function makeNetworks(rig: Rig): Promise<void> {
  await makeHost(rig);
  await rig.create('L2Network', 'lab', { zone: 'home', type: 'vxlan', vni: 100 });
  await rig.create('L3Network', 'lab', {
    l2Network: 'lab',
    ipv4: { cidr: '10.20.0.0/24', gateway: '10.20.0.1', ranges: [{ start: '10.20.0.10', end: '10.20.0.200' }] },
  });
  await rig.create('Image', 'tiny', { url: 'file:///t', sha256: 'a'.repeat(64), format: 'qcow2', maxSizeMiB: 100 });
}

/** Everything that instances refer to. */
export async function makeEstate(rig: Rig): Promise<void> {
  await makeNetworks(rig);
  await rig.create('InstanceOffering', 'small', { cpus: 1, memoryMiB: 128 });
}

/** Spec of an instance in that estate, with its defaults. */
export const instanceSpec = (more: object = {}) => ({
  zone: 'home',
  offering: 'small',
  image: 'tiny',
  interfaces: [{ name: 'eth0', l3Network: 'lab' }],
  power: 'Running',
  restartPolicy: 'OnFailure',
  driftPolicy: 'Repair',
  allowDataLoss: false,
  ...more,
});

/** The interfaces of an instance that asks for this address. */
export const at = (address: string) => ({ interfaces: [{ name: 'eth0', l3Network: 'lab', addresses: [address] }] });

export function condition(object: Pick<PlumbObject, 'status'> | undefined, type: string) {
  return object?.status?.conditions?.find((c) => c.type === type);
}
