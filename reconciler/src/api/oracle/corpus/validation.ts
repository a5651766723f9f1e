/** What a schema says of a value: which field is named, and as what kind of mistake. */
import type { Ask, Case, CorpusClass } from '../case.ts';
import { GROUP, made, NETWORKS, network, OFFERINGS, offering } from '../subjects.ts';

const INSTANCES = `${GROUP}/namespaces/{ns}/instances`;
const instance = (spec: object): object => ({
  apiVersion: 'plumb.dev/v1',
  kind: 'Instance',
  metadata: { name: 'vm' },
  spec: { zone: 'home', offering: 'small', image: 'tiny', interfaces: [{ name: 'eth0', l3Network: 'lan' }], ...spec },
});
const post = (path: string, body: object): Ask => ({ method: 'POST', path: `${path}?dryRun=All`, body });

const NUMBERS: unknown[] = [1, 0, -1, 512, 513, 1.5, '1', null, true, [], {}, 1e30, -0];
const TEXTS: unknown[] = ['Running', 'running', '', null, 5, true, [], {}];
const LISTS: unknown[] = [
  [],
  null,
  'x',
  {},
  [null],
  [{}],
  [{ name: 'a' }],
  [5],
  Array.from({ length: 9 }, (_, i) => ({ name: `e${i}`, l3Network: 'x' })),
];
const iface = { name: 'a', l3Network: 'x' };

const cases: Case[] = [
  { name: 'numbers', steps: NUMBERS.map((cpus) => post(OFFERINGS, offering({}, { cpus, memoryMiB: 128 }))) },
  {
    name: 'required',
    steps: [{}, { cpus: 1 }, { memoryMiB: 16 }, null, 'x', []].map((spec) =>
      post(OFFERINGS, offering({}, spec as object)),
    ),
  },
  {
    name: 'no-spec',
    steps: [
      post(OFFERINGS, { apiVersion: 'plumb.dev/v1', kind: 'InstanceOffering', metadata: { name: 'x' } }),
      post(`${GROUP}/zones`, { apiVersion: 'plumb.dev/v1', kind: 'Zone', metadata: { name: 'x' } }),
    ],
  },
  { name: 'words', steps: TEXTS.map((power) => post(INSTANCES, instance({ power }))) },
  { name: 'lists', steps: LISTS.map((interfaces) => post(INSTANCES, instance({ interfaces }))) },
  {
    name: 'list-maps',
    steps: [
      [iface, iface],
      [iface, { ...iface, name: 'b' }, iface],
      [{ ...iface, name: null }],
      [{ ...iface, name: 5 }],
      [{ ...iface, name: 'A' }],
    ].map((interfaces) => post(INSTANCES, instance({ interfaces }))),
  },
  {
    name: 'patterns',
    steps: ['02:00:00:00:00:01', '02:00:00:00:00:0', 'X', '', 5].map((macAddress) =>
      post(INSTANCES, instance({ interfaces: [{ ...iface, macAddress }] })),
    ),
  },
  {
    name: 'formats',
    steps: [['10.0.0.1'], ['10.0.0.256'], ['x'], [''], [5], 'x', ['10.0.0.1', '10.0.0.1']].map((addresses) =>
      post(INSTANCES, instance({ interfaces: [{ ...iface, addresses }] })),
    ),
  },
  {
    name: 'cidrs',
    steps: ['10.0.0.0/24', '999.0.0.0/99', '10.0.0.0', '', 5, '10.0.0.0/33', 'x/24'].map((cidr) =>
      post(NETWORKS, network('n', {}, { ipv4: { cidr } })),
    ),
  },
  {
    name: 'maps',
    steps: [{ a: 'b' }, { a: 5 }, { a: null }, {}, null, 'x', [], { a: 'x'.repeat(64) }].map((matchLabels) =>
      post(INSTANCES, instance({ hostSelector: { matchLabels } })),
    ),
  },
  {
    name: 'long',
    steps: ['x'.repeat(65536), 'x'.repeat(65537), 'é'.repeat(40000)].map((userData) =>
      post(INSTANCES, instance({ userData })),
    ),
  },
  {
    name: 'defaults',
    steps: [{}, { power: null }, { power: 'Stopped' }, { restartPolicy: '' }, { allowDataLoss: null }].map((spec) =>
      post(INSTANCES, instance(spec)),
    ),
  },
  {
    name: 'nulls',
    steps: ['zone', 'image', 'interfaces', 'userData', 'spread', 'hostSelector', 'rootDiskMiB'].map((field) =>
      post(INSTANCES, instance({ [field]: null })),
    ),
  },
  {
    name: 'several',
    steps: [
      post(INSTANCES, instance({ power: 'x', interfaces: [], rootDiskMiB: 0, zone: 5 })),
      post(OFFERINGS, offering({ labels: { '-a': '-b' } }, { cpus: 0, memoryMiB: 0 })),
    ],
  },
  {
    name: 'fixed-fields',
    steps: [
      made('n'),
      ...[
        { l2Network: 'other' },
        { ipv4: { cidr: '10.1.0.0/24' } },
        { ipv4: {} },
        { ipv4: { cidr: '10.0.0.0/24', gateway: '10.0.0.1' } },
      ].map(
        (spec): Ask => ({
          method: 'PUT',
          fresh: true,
          path: `${NETWORKS}/n?dryRun=All`,
          body: network('n', {}, spec),
        }),
      ),
      {
        method: 'PATCH',
        path: `${NETWORKS}/n?dryRun=All`,
        headers: { 'content-type': 'application/merge-patch+json' },
        body: { spec: { l2Network: 'other' } },
      },
    ],
  },
];

export const validation: CorpusClass = { name: 'validation', cases };
