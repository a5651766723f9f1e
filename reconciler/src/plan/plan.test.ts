import type { HostResource, LiveResource, ResourceSpec } from '@plumb/schemas';
import { describe, expect, test } from 'vitest';
import { diffHost } from './plan.ts';

const owner = 'u';
const mac = (name: string) => `52:54:00:00:00:1${name.at(-1)}`;
const port = (name: string): HostResource<'port'> => ({
  kind: 'port',
  id: `u.${name}`,
  owner,
  spec: {
    bridge: 'b',
    subnet: 's',
    macAddress: mac(name),
    addresses: [`10.0.0.1${name.at(-1)}`],
    hostname: 'web',
    mtuBytes: 1450,
  },
});
const domain = (names: string[], change: Partial<ResourceSpec<'domain'>> = {}): HostResource<'domain'> => ({
  kind: 'domain',
  id: owner,
  owner,
  spec: {
    name: 'default.web',
    cpus: 1,
    memoryMiB: 128,
    disks: ['u.root'],
    ports: names.map((name) => ({ id: `u.${name}`, macAddress: mac(name), mtuBytes: 1450 })),
    power: 'Running',
    ...change,
  },
});
const declared = (names: string[], change?: Partial<ResourceSpec<'domain'>>): HostResource[] => [
  ...names.map(port),
  domain(names, change),
];
const living = (
  resources: HostResource[],
  state: 'running' | 'off' = 'running',
  drift: string[] = [],
): LiveResource[] =>
  resources.map((resource): LiveResource => {
    if (resource.kind !== 'domain') return { ...resource, drift: [] } as LiveResource;
    return { ...resource, drift, domain: { state, reason: state === 'running' ? 'booted' : 'destroyed' } };
  });
const steps = (desired: HostResource[], live: LiveResource[]) =>
  diffHost('host-1', owner, desired, live).map(({ id, disruption }) => `${id}: ${disruption}`);

describe('the plan of a changed instance that runs', () => {
  test('makes a port before its domain gets it, and removes one after its domain lost it, all live', () => {
    const before = living(declared(['eth0', 'eth1']));
    expect(steps(declared(['eth0', 'eth2']), before)).toEqual([
      'make port/u.eth2: none',
      'change domain/u: live',
      'remove port/u.eth1: live',
    ]);
    expect(diffHost('host-1', owner, declared(['eth0', 'eth2']), before)[1]).toMatchObject({
      undo: 'undoable',
      previous: domain(['eth0', 'eth1']),
      why: 'domain differs from its declaration',
    });
  });

  test('tells a restart where one is needed, also beside what goes live', () => {
    const before = living(declared(['eth0']));
    expect(steps(declared(['eth0'], { cpus: 2 }), before)).toEqual(['change domain/u: restart']);
    expect(steps(declared(['eth0'], { power: 'Stopped' }), before)).toEqual(['change domain/u: restart']);
    expect(steps(declared(['eth0', 'eth1'], { memoryMiB: 256 }), before)).toEqual([
      'make port/u.eth1: none',
      'change domain/u: restart',
    ]);
  });

  test('tells a restart for a domain that is no longer as it was made', () => {
    const before = living(declared(['eth0']), 'running', ['it is not connected to its port u.eth0']);
    expect(steps(declared(['eth0', 'eth1']), before)).toEqual(['make port/u.eth1: none', 'change domain/u: restart']);
  });

  test('disturbs nobody where it is off, and is empty where nothing differs', () => {
    const off = { power: 'Stopped' } as const;
    const before = living(declared(['eth0'], off), 'off');
    expect(steps(declared(['eth0'], { ...off, cpus: 2 }), before)).toEqual(['change domain/u: none']);
    expect(steps(declared(['eth0'], off), before)).toEqual([]);
    expect(steps(declared(['eth0']), living(declared(['eth0'])))).toEqual([]);
  });
});
