import { afterEach, beforeEach, expect, it } from 'vitest';
import { keys } from '../store/keys.ts';
import { cascadeFrom, deleteCascade } from './cascade.ts';
import { type Rig, startRig } from './testing/rig.ts';

let rig: Rig;
const zone = keys.object('zones', undefined, 'home');

beforeEach(async () => {
  rig = await startRig();
  await rig.create('Zone', 'home', {});
  await rig.create('Host', 'host-1', {
    zone: 'home',
    unschedulable: false,
    cpuOvercommitRatio: 8,
    memoryOvercommitRatio: 1,
  });
  rig.fleet.connect('host-1');
  await rig.create('L2Network', 'lab', { zone: 'home', type: 'vxlan', vni: 100 });
  await rig.create('L3Network', 'lab', { l2Network: 'lab', ipv4: { cidr: '10.20.0.0/24', gateway: '10.20.0.1' } });
  await rig.create('Image', 'tiny', { url: 'file:///t', sha256: 'a'.repeat(64), format: 'qcow2', maxSizeMiB: 100 });
  await rig.create('InstanceOffering', 'small', { cpus: 1, memoryMiB: 128 });
  await rig.create('Instance', 'web-0', {
    zone: 'home',
    offering: 'small',
    image: 'tiny',
    interfaces: [{ name: 'eth0', l3Network: 'lab' }],
    power: 'Running',
    restartPolicy: 'OnFailure',
    driftPolicy: 'Repair',
  });
  await rig.ready('Instance', 'web-0');
});

afterEach(() => rig.stop());

it('shows the whole blast radius and why each goes', () => {
  const reached = cascadeFrom(rig.context, [zone]);
  expect(reached.map((r) => `${r.cached.object.kind} ${r.because}`).sort()).toEqual([
    'Host depends on Zone home',
    'Instance depends on Zone home',
    'L2Network depends on Zone home',
    'L3Network depends on L2Network lab',
    'Zone ',
  ]);
  const host = cascadeFrom(rig.context, [keys.object('hosts', undefined, 'host-1')]);
  expect(host.map((r) => r.cached.object.kind)).toEqual(['Instance', 'Host']);
});

it('deletes all of it, in any order, and nothing else', async () => {
  await expect(deleteCascade(rig.context, [zone], 4)).rejects.toMatchObject({ reason: 'CascadeChanged' });
  expect(rig.get('Zone', 'home')!.metadata.deletionTimestamp).toBeUndefined();
  await deleteCascade(rig.context, [zone], 5);
  await rig.gone('Zone', 'home');
  expect(await rig.keys('/objects/')).toEqual([
    keys.object('images', undefined, 'tiny'),
    keys.object('instanceofferings', undefined, 'small'),
  ]);
});
