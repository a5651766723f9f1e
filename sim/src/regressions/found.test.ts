/** What the simulation found, shrunk: docs/decisions/0008-found-by-simulation.md says what was wrong. */
import { expect, test } from 'vitest';
import type { Action } from '../workload/actions.ts';
import { foundation } from '../workload/foundation.ts';
import { play, type Scenario } from '../workload/play.ts';
import { gone, vm, wait } from './stage.ts';

const change = (kind: 'Instance' | 'Image', name: string, spec: Record<string, unknown>): Action => ({
  do: 'change',
  kind,
  name,
  spec,
});
const on = (l3Network: string) => ({ interfaces: [{ name: 'eth0', l3Network }] });
const instance = (name: string, more: Record<string, unknown> = {}) => {
  const { spec } = vm(name, more) as Action & { do: 'create' };
  return { member: { kind: 'Instance', metadata: { name } as Record<string, string>, spec } };
};
const changeSet = (name: string, deadlineSeconds: number, objects: unknown[]): Action => ({
  do: 'create',
  kind: 'ChangeSet',
  name,
  spec: { objects, deadlineSeconds },
});
const named = (kind: string, name: string) =>
  foundation.find((a) => a.do === 'create' && a.kind === kind && a.name === name)!;
const bare: Record<string, Action> = {
  l2: named('L2Network', 'lab'),
  tight: named('L3Network', 'tight'),
  small: named('InstanceOffering', 'small'),
  home: named('Zone', 'home'),
  tiny: named('Image', 'tiny'),
};
const cloud = [...foundation, wait(2_000)];

const found: Record<string, Omit<Scenario, 'seed' | 'hosts'> & { seed?: string; hosts?: number }> = {
  'an interface that moves leaves its old network on the host': {
    actions: [...cloud, vm('vm'), wait(1_000), change('Instance', 'vm', on('plain'))],
  },
  'a create that fails leaves its network on the host': {
    actions: [...cloud, { do: 'fate', at: 'step', skip: 5, fate: 'fail terminal' }, vm('vm'), wait(5_000)],
  },
  'a bridge stays while the deletion of its network is blocked': {
    actions: [...cloud, vm('vm'), wait(2_000), { do: 'delete', kind: 'L2Network', name: 'lab' }, gone('vm')],
  },
  'an old image stays while the deletion of the Image is blocked': {
    actions: [
      ...cloud,
      vm('vm', on('missing')),
      wait(1_000),
      { do: 'delete', kind: 'Image', name: 'tiny' },
      change('Image', 'tiny', { sha256: 'c'.repeat(64) }),
    ],
  },
  'a host whose zone is missing keeps what was deleted': {
    actions: [
      wait(1_000),
      {
        do: 'create',
        kind: 'Image',
        name: 'i',
        spec: { url: 'https://images.test/d', sha256: 'd'.repeat(64), format: 'raw' },
      },
      wait(1_000),
      { do: 'crash', who: 'host-1', forMs: 8_000 },
      { do: 'delete', kind: 'Image', name: 'i' },
      wait(9_000),
    ],
  },
  'orphans are not reported after the store was lost': {
    actions: [...cloud, vm('vm'), wait(2_000), { do: 'restore', share: 0 }],
  },
  'an image is edited while an instance is made from it': {
    actions: [
      ...cloud,
      { do: 'slow', host: 'host-1', times: 20 },
      vm('vm'),
      wait(120),
      change('Image', 'tiny', { sha256: 'b'.repeat(64) }),
      { do: 'cut', host: 'host-1' },
      change('Instance', 'vm', { userData: '#!' }),
    ],
  },
  'a host that is to go waits for an instance that failed on it': {
    actions: [
      ...cloud,
      { do: 'fate', at: 'step', skip: 4, fate: 'fail terminal' },
      { ...vm('vm'), nowait: true } as Action,
      { do: 'delete', kind: 'Host', name: 'host-1' },
      wait(10_000),
    ],
  },
  'a wall clock that was put back delays repair by as much': {
    actions: [
      ...cloud,
      vm('vm'),
      wait(2_000),
      { do: 'drift', name: 'vm' },
      wait(500),
      { do: 'jump', who: 'control', ms: -3_600_000 },
      { do: 'drift', name: 'vm' },
    ],
  },
  'a network goes while an instance still holds an address on it': {
    actions: [
      ...cloud,
      vm('vm'),
      wait(1_000),
      { do: 'delete', kind: 'L3Network', name: 'lab' },
      change('Instance', 'vm', on('missing')),
    ],
  },
  'a change set makes an object in a project that is not there': {
    actions: [
      ...cloud,
      changeSet('cs', 10, [{ ...instance('vm').member, metadata: { name: 'vm', namespace: 'team' } }]),
    ],
  },
  'a change set that goes back waits for ever for what was not Ready before': {
    actions: [
      ...cloud,
      vm('vm', { offering: 'missing' }),
      wait(1_000),
      changeSet('cs', 2, [instance('vm', { power: 'Stopped', offering: 'missing' }).member]),
    ],
  },
  'a change set that goes back waits for ever for what someone else has edited meanwhile': {
    actions: [
      ...cloud,
      vm('vm'),
      wait(2_000),
      { do: 'slow', host: 'host-1', times: 100 },
      changeSet('cs', 1, [instance('vm', { userData: '#!' }).member, instance('new', { image: 'missing' }).member]),
      wait(1_300),
      change('Instance', 'vm', { image: 'missing' }),
    ],
  },
  'a change set waits for ever to go back, because someone else has edited all of it': {
    actions: [
      ...cloud,
      changeSet('cs', 3, [instance('vm', { offering: 'missing' }).member]),
      wait(500),
      change('Instance', 'vm', { image: 'missing' }),
    ],
  },
  'a change set waits for ever for what it made, because a member that stays refers to it': {
    actions: [
      ...cloud,
      vm('vm', { offering: 'new' }),
      wait(1_000),
      changeSet('cs', 2, [
        instance('vm', { offering: 'missing' }).member,
        { kind: 'InstanceOffering', metadata: { name: 'new' }, spec: { cpus: 1, memoryMiB: 64 } },
      ]),
    ],
  },
  'an instance that is being deleted goes, and leaves everything, because its declaration is sent once more': {
    actions: [
      ...cloud,
      vm('vm'),
      wait(2_000),
      { do: 'slow', host: 'host-1', times: 100 },
      gone('vm'),
      { ...vm('vm'), do: 'replace' } as Action,
    ],
  },
  'an offering is edited while an instance is made of it, and the server starts anew: nobody looks again': {
    seed: 'k1-0-467',
    hosts: 2,
    actions: [
      ...['l2', 'tight', 'small', 'home', 'tiny'].map((name) => bare[name]!),
      { do: 'fate', at: 'step', skip: 2, fate: 'crash both', times: 6 },
      vm('vm-4', { ...on('tight'), userData: '#cloud-config 370c' }),
      wait(378),
      wait(378),
      { do: 'fate', at: 'frame', skip: 0, fate: 'crash both', times: 7 },
      wait(135),
      wait(164),
      { do: 'change', kind: 'InstanceOffering', name: 'small', spec: { cpus: 3, memoryMiB: 256 } },
      { do: 'fate', at: 'commit', skip: 0, fate: 'crash control', times: 8 },
      wait(18_124),
      wait(125),
      wait(279),
      { do: 'fate', at: 'commit', skip: 7, fate: 'crash control', times: 1 },
      wait(8_787),
    ],
  },
  'an instance moves to a network that is not ready, and gets stuck in the middle': {
    actions: [
      ...cloud,
      vm('vm', on('plain')),
      wait(2_000),
      { do: 'delete', kind: 'L2Network', name: 'lab' },
      {
        do: 'create',
        kind: 'L3Network',
        name: 'late',
        spec: { l2Network: 'lab', ipv4: { cidr: '10.50.0.0/24', gateway: '10.50.0.1' } },
      },
      change('Instance', 'vm', on('late')),
    ],
  },
  'a bridge stays because its network was edited while its zone is being deleted': {
    actions: [
      ...cloud,
      vm('vm'),
      wait(1_000),
      { do: 'delete', kind: 'Zone', name: 'home' },
      { do: 'change', kind: 'L2Network', name: 'lab', spec: { hostSelector: { matchLabels: {} } } },
      change('Instance', 'vm', on('plain')),
    ],
  },
};

test.each(Object.entries(found))('%s', async (name, scenario) => {
  const { wrong } = await play({ seed: name, hosts: 1, ...scenario });
  expect(wrong).toEqual([]);
});
