/** What is hurt at every point: each flow that there is, and the convergence of what instances share. */
import type { Action } from '../workload/actions.ts';
import { foundation } from '../workload/foundation.ts';

export interface MatrixScenario {
  name: string;
  hosts: number;
  /** Done in peace, and settled, before. */
  before: readonly Action[];
  /** What is hurt. */
  under: readonly Action[];
}

const interfaces = [
  { name: 'eth0', l3Network: 'lab', addresses: ['10.20.0.5'] },
  { name: 'eth1', l3Network: 'plain' },
];
const spec = { zone: 'home', offering: 'small', image: 'tiny', interfaces };

const instance = (name: string, more: Record<string, unknown> = {}): Action => ({
  do: 'create',
  kind: 'Instance',
  name,
  spec: { ...spec, ...more },
});
const group = (name: string, ingress: Record<string, unknown>[]): Action => ({
  do: 'create',
  kind: 'SecurityGroup',
  name,
  spec: { selector: {}, ingress },
});
const change = (more: Record<string, unknown>): Action => ({ do: 'change', kind: 'Instance', name: 'vm', spec: more });
const one = [...foundation, instance('vm')];

export const scenarios: readonly MatrixScenario[] = [
  { name: 'create', hosts: 1, before: foundation, under: [instance('vm')] },
  { name: 'create stopped', hosts: 2, before: foundation, under: [instance('vm', { power: 'Stopped' })] },
  { name: 'power off', hosts: 1, before: one, under: [change({ power: 'Stopped' })] },
  {
    name: 'power on',
    hosts: 1,
    before: [...foundation, instance('vm', { power: 'Stopped' })],
    under: [change({ power: 'Running' })],
  },
  { name: 'another offering', hosts: 1, before: one, under: [change({ offering: 'big' })] },
  {
    name: 'more processors while it runs',
    hosts: 1,
    before: one,
    under: [{ do: 'change', kind: 'InstanceOffering', name: 'small', spec: { cpus: 3 } }],
  },
  {
    name: 'an interface more, one less, one moved',
    hosts: 1,
    before: one,
    under: [
      change({
        interfaces: [
          { name: 'eth0', l3Network: 'tight' },
          { name: 'eth2', l3Network: 'lab' },
        ],
      }),
    ],
  },
  {
    name: 'another image',
    hosts: 1,
    before: [
      ...one,
      {
        do: 'create',
        kind: 'Image',
        name: 'other',
        spec: { url: 'https://images.test/d', sha256: 'd'.repeat(64), format: 'raw' },
      },
    ],
    under: [change({ image: 'other', allowDataLoss: true })],
  },
  { name: 'crash of a guest', hosts: 1, before: one, under: [{ do: 'guest', name: 'vm', how: 'crashed' }] },
  { name: 'drift of a port', hosts: 1, before: one, under: [{ do: 'drift', name: 'vm' }] },
  { name: 'delete', hosts: 1, before: one, under: [{ do: 'delete', kind: 'Instance', name: 'vm' }] },
  {
    name: 'delete and create again',
    hosts: 2,
    before: one,
    under: [{ do: 'delete', kind: 'Instance', name: 'vm' }, { do: 'wait', ms: 200 }, instance('vm')],
  },
  {
    name: 'a change set',
    hosts: 1,
    before: foundation,
    under: [
      {
        do: 'create',
        kind: 'ChangeSet',
        name: 'cs',
        spec: { deadlineSeconds: 20, objects: [{ kind: 'Instance', metadata: { name: 'vm' }, spec }] },
      },
    ],
  },
  {
    name: 'a second host joins a network',
    hosts: 2,
    before: [...foundation, instance('vm', { interfaces: [interfaces[0]], spread: { group: 'g' } })],
    under: [instance('vm-2', { interfaces: [{ name: 'eth0', l3Network: 'lab' }], spread: { group: 'g' } })],
  },
  {
    name: 'security groups come, change and go around a guest',
    hosts: 1,
    before: [...one, group('sg-0', [])],
    under: [
      group('sg-1', [{ securityGroups: ['sg-0'] }]),
      { do: 'wait', ms: 600 },
      { do: 'change', kind: 'SecurityGroup', name: 'sg-0', spec: { ingress: [{ protocol: 'TCP', port: 80 }] } },
      { do: 'delete', kind: 'SecurityGroup', name: 'sg-1' },
      { do: 'wait', ms: 600 },
      { do: 'delete', kind: 'SecurityGroup', name: 'sg-0' },
    ],
  },
  {
    name: 'images and networks go',
    hosts: 1,
    before: one,
    under: [
      { do: 'change', kind: 'L3Network', name: 'lab', spec: { dns: { domain: 'new.internal' } } },
      { do: 'change', kind: 'Image', name: 'tiny', spec: { sha256: 'e'.repeat(64), url: 'https://images.test/e' } },
      { do: 'delete', kind: 'Instance', name: 'vm' },
      { do: 'delete', kind: 'Image', name: 'tiny' },
      { do: 'delete', kind: 'L3Network', name: 'lab' },
      { do: 'delete', kind: 'L2Network', name: 'lab' },
    ],
  },
];
