import type { HostResource, Instance, L2Network, L3Network } from '@plumb/schemas';
import { describe, expect, it } from 'vitest';
import type { Allocation } from '../../plan/allocation.ts';
import { keptSeed, ownResources } from './resources.ts';

const uid = '1a57a9ce-0000-4000-8000-000000000001';
const l2 = { metadata: { uid: 'l2' }, spec: { type: 'vxlan', vni: 1, zone: 'home' } } as unknown as L2Network;
const l3 = { metadata: { uid: 'l3' }, spec: {} } as unknown as L3Network;

function seedOf(
  spec: Partial<Instance['spec']>,
  interfaces = ['eth0'],
  namespace = 'default',
  name = 'web',
): HostResource<'seed'> {
  return resources(spec, interfaces, namespace, name).find(
    (resource) => resource.kind === 'seed',
  ) as HostResource<'seed'>;
}

function resources(spec: Partial<Instance['spec']>, interfaces: string[], namespace: string, name: string) {
  const instance = { metadata: { uid, name, namespace }, spec: { power: 'Running', ...spec } } as unknown as Instance;
  const allocation = {
    ...{ host: 'h', cpus: 1, memoryMiB: 1, rootDisk: { id: `${uid}.root`, imageUid: 'i', sha256: 's', format: 'raw' } },
    interfaces: interfaces.map((each, index) => ({
      ...{ name: each, l3Network: 'default/lab', l3NetworkUid: 'l3', addresses: ['10.0.0.1'] },
      macAddress: `52:54:00:00:00:1${index}`,
    })),
  } as Allocation;
  return ownResources(instance, allocation, new Map(interfaces.map((each) => [each, { l2, l3 }])));
}

describe('a seed', () => {
  it('is another instance to its guest for every other user data and keys, and for nothing else', () => {
    const ids = [{}, { userData: 'a' }, { userData: 'b' }, { sshKeys: ['k'] }, { userData: 'a', sshKeys: ['k'] }].map(
      (spec) => seedOf(spec).spec.instanceId,
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids[0]).toBe(uid);
    for (const id of ids) expect(id).toMatch(new RegExp(`^${uid}(-[0-9a-f]{12})?$`));
    expect(seedOf({ userData: 'a', power: 'Stopped' }, ['eth0', 'eth1']).spec.instanceId).toBe(ids[1]);
    expect(seedOf({ sshKeys: [] }).spec.instanceId).toBe(uid);
  });

  it('names the interfaces where there are several', () => {
    expect(seedOf({}).spec.interfaces).toBeUndefined();
    expect(seedOf({}, ['eth0', 'lan']).spec.interfaces).toEqual([
      { name: 'eth0', macAddress: '52:54:00:00:00:10' },
      { name: 'lan', macAddress: '52:54:00:00:00:11' },
    ]);
  });

  it('of an earlier version stays what it is to its guest until its content changes', () => {
    const former = (spec: Partial<Instance['spec']>) => {
      const { interfaces: _, ...rest } = seedOf(spec, ['eth0', 'eth1']).spec;
      return { ...seedOf(spec), spec: { ...rest, instanceId: uid } };
    };
    const now = former({ userData: 'a' });
    const [same, other] = [seedOf({ userData: 'a' }, ['eth0', 'eth1']), seedOf({ userData: 'b' }, ['eth0', 'eth1'])];
    expect(keptSeed(same, now, true)).toEqual(now);
    expect(keptSeed(same, now, false).spec).toEqual({ ...same.spec, instanceId: uid });
    for (const applied of [true, false]) {
      expect(keptSeed(other, now, applied)).toEqual(other);
      expect(keptSeed(same, undefined, applied)).toEqual(same);
      expect(keptSeed(same, same, applied)).toEqual(same);
    }
  });
});

it('domains of different instances of different projects never have the same name', () => {
  const nameOf = (namespace: string, name: string) =>
    resources({}, ['eth0'], namespace, name).flatMap((resource) =>
      resource.kind === 'domain' ? [resource.spec.name] : [],
    )[0];
  const pairs = [
    ['a', 'web'],
    ['b', 'web'],
    ['a-b', 'c'],
    ['a', 'b-c'],
    ['a--b', 'c'],
    ['a', '-b-c'],
  ] as const;
  expect(new Set(pairs.map(([namespace, name]) => nameOf(namespace, name))).size).toBe(pairs.length);
});
