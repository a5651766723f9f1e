/** What people ask of the API, legal and illegal, on all kinds. Names come from a small world, so that wishes meet. */
import fc from 'fast-check';
import type { Ask, Named } from './actions.ts';
import { fields, percent, weighted } from './chance.ts';
import { foundation, imageSpec, l3Spec } from './foundation.ts';

type Spec = Record<string, unknown>;

const L3: Record<string, string> = { lab: '10.20.0', tight: '10.30.0', plain: '10.40.0', 'default/lab': '10.20.0' };

/** Instances of the project default and of one that comes and goes. */
const instance = weighted<Named>(
  [12, fc.integer({ min: 0, max: 5 }).map((n) => ({ kind: 'Instance', name: `vm-${n}` }))],
  [1, fc.integer({ min: 0, max: 1 }).map((n) => ({ kind: 'Instance', name: `vm-${n}`, namespace: 'team' }))],
);
const projectNetwork: Named = { kind: 'L3Network', name: 'own', namespace: 'team' };
const team: Named = { kind: 'Namespace', name: 'team' };

/** The simulation has no network: what a repository holds is tried beside its controller. */
const repository: Named = { kind: 'GitSource', name: 'estate' };
const repositorySpec = { url: 'https://git.example.com/estate.git', suspend: true };

/** The first names none, so that no circle of names is asked for. */
const group = fc.constantFrom<Named>(
  { kind: 'SecurityGroup', name: 'sg-0' },
  { kind: 'SecurityGroup', name: 'sg-1' },
  { kind: 'SecurityGroup', name: 'sg-0', namespace: 'team' },
);

const selector = fc.constantFrom<Spec>({}, { matchLabels: { app: 'none' } });

function groupSpec({ name }: Named): fc.Arbitrary<Spec> {
  const rule = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.boolean()).map(([port, names]) => ({
    protocol: 'TCP',
    port,
    ...(names && name === 'sg-1' ? { securityGroups: ['sg-0'] } : {}),
  }));
  return fields(
    { selector, ingress: fc.array(rule, { maxLength: 2 }) },
    { interfaces: [25, fc.constant(['eth0'])], egress: [15, fc.constant([])], log: [10, fc.constant(true)] },
  );
}

/** What is in it is tried beside its backend. */
const tfState: Named = { kind: 'TerraformState', name: 'estate' };

const named = (kind: Named['kind'], ...names: string[]): fc.Arbitrary<Named> =>
  fc.constantFrom(...names).map((name) => ({ kind, name }));

const shared = weighted<Named>(
  [3, named('L3Network', 'lab', 'tight', 'plain')],
  [1, fc.constant(projectNetwork)],
  [3, named('L2Network', 'lab', 'flat')],
  [3, named('Image', 'tiny', 'other')],
  [3, named('InstanceOffering', 'small', 'big', 'huge')],
  [3, named('Host', 'host-1', 'host-2', 'host-3', 'host-9')],
  [1, named('Zone', 'home')],
  [1, fc.constant(team)],
  [2, named('ChangeSet', 'cs-0', 'cs-1', 'cs-2')],
  [1, fc.constant(repository)],
  [3, group],
  [3, fc.constant(tfState)],
);

const oneOfEach = fc.constantFrom<Named>(
  team,
  { kind: 'Zone', name: 'home' },
  { kind: 'Host', name: 'host-1' },
  { kind: 'L2Network', name: 'lab' },
  { kind: 'L3Network', name: 'lab' },
  { kind: 'Image', name: 'tiny' },
  { kind: 'InstanceOffering', name: 'small' },
  { kind: 'ChangeSet', name: 'cs-0' },
  { kind: 'SecurityGroup', name: 'sg-0' },
  tfState,
  repository,
);

const offering = weighted<string>(
  [60, fc.constant('small')],
  [30, fc.constant('big')],
  [5, fc.constant('huge')],
  [5, fc.constant('missing')],
);

const word = fc.integer({ min: 0, max: 0xffff }).map((n) => n.toString(16));
const userData = word.map((text) => `#cloud-config ${text}`);

const interfaces = weighted([65, fc.constant(1)], [35, fc.integer({ min: 1, max: 3 })]).chain((count) =>
  fc.tuple(...Array.from({ length: count }, (_, index) => networkInterface(index))),
);

function networkInterface(index: number): fc.Arbitrary<Spec> {
  const network = weighted(
    [12, fc.constantFrom('lab', 'tight', 'plain')],
    [1, fc.constantFrom('default/lab', 'team/own')],
  );
  return fc
    .tuple(network, percent(25), fc.integer({ min: 2, max: 6 }), percent(4))
    .map(([l3Network, asks, n, mac]) => ({
      name: `eth${index}`,
      l3Network,
      ...(asks && L3[l3Network] ? { addresses: [`${L3[l3Network]}.${n}`] } : {}),
      ...(mac ? { macAddress: '02:00:00:00:00:01' } : {}),
    }));
}

const instanceSpec = fields(
  {
    zone: fc.constant('home'),
    offering,
    image: weighted([9, fc.constant('tiny')], [1, fc.constant('other')]),
    interfaces,
  },
  {
    power: [20, fc.constant('Stopped')],
    restartPolicy: [15, fc.constant('Always')],
    driftPolicy: [10, fc.constant('Report')],
    spread: [15, fc.constant({ group: 'g' })],
    userData: [15, userData],
  },
);

const instanceChange = weighted<Spec>(
  [35, fc.record({ power: fc.constantFrom('Running', 'Stopped') })],
  [25, fc.record({ offering })],
  [25, fc.record({ interfaces })],
  [4, fc.constant({ image: 'other', allowDataLoss: true })],
  [7, fc.record({ userData })],
  [8, fc.constantFrom<Spec>({ restartPolicy: 'Always' }, { restartPolicy: 'OnFailure' }, { driftPolicy: 'Repair' })],
);

const sharedChange = weighted<Named & { spec: Spec }>(
  [
    1,
    fc
      .record({ cpus: fc.integer({ min: 1, max: 3 }), memoryMiB: fc.constantFrom(128, 256, 512, 3000) })
      .chain((spec) => named('InstanceOffering', 'small', 'big').map((it) => ({ ...it, spec }))),
  ],
  [
    1,
    fc
      .tuple(named('Host', 'host-1', 'host-2', 'host-3'), fc.boolean())
      .map(([host, unschedulable]) => ({ ...host, spec: { unschedulable } })),
  ],
  [1, fc.constantFrom('a', 'b', 'c').map((letter) => ({ kind: 'Image', name: 'tiny', spec: imageSpec(letter) }))],
  [1, named('L2Network', 'lab', 'flat').map((it) => ({ ...it, spec: { hostSelector: { matchLabels: {} } } }))],
  [
    1,
    fc
      .tuple(named('L3Network', 'lab', 'tight', 'plain'), fc.constantFrom('a.internal', 'b.internal'))
      .map(([it, domain]) => ({ ...it, spec: { dns: { domain } } })),
  ],
  [1, word.map((description) => ({ kind: 'Zone', name: 'home', spec: { description } }))],
  [1, fc.boolean().map((suspend) => ({ ...repository, spec: { suspend } }))],
  [1, word.map((description) => ({ ...tfState, spec: { description } }))],
  [2, group.chain((it) => groupSpec(it).map((spec) => ({ ...it, spec })))],
);

const sharedCreate = fc.constantFrom<Ask & { do: 'create' }>(
  ...(foundation as (Ask & { do: 'create' })[]),
  { do: 'create', ...team, spec: {} },
  { do: 'create', ...team, spec: {} },
  { do: 'create', ...projectNetwork, spec: l3Spec('lab', '10.50.0.0/24') },
  { do: 'create', ...projectNetwork, spec: l3Spec('lab', '10.50.0.0/24') },
  { do: 'create', kind: 'InstanceOffering', name: 'huge', spec: { cpus: 500, memoryMiB: 10_000_000 } },
  { do: 'create', kind: 'Image', name: 'other', spec: imageSpec('d') },
  { do: 'create', kind: 'Host', name: 'host-9', spec: { zone: 'home' } },
  { do: 'create', kind: 'Host', name: 'host-9', spec: { zone: 'home' } },
  { do: 'create', ...repository, spec: repositorySpec },
  { do: 'create', ...repository, spec: repositorySpec },
  { do: 'create', ...tfState, spec: {} },
  { do: 'create', ...tfState, spec: {} },
  { do: 'create', ...tfState, spec: {} },
);

const member = weighted(
  [6, fc.tuple(instance, instanceSpec).map(([it, spec]) => memberOf(it, spec))],
  [
    2,
    fc
      .constantFrom(1, 2)
      .map((cpus) => memberOf({ kind: 'InstanceOffering', name: 'small' }, { cpus, memoryMiB: 256 })),
  ],
  [1, fc.constantFrom('a', 'b').map((letter) => memberOf({ kind: 'Image', name: 'tiny' }, imageSpec(letter)))],
  [1, fc.constant(memberOf({ kind: 'Image', name: 'other' }, imageSpec('d')))],
  [1, word.map((description) => memberOf({ kind: 'Zone', name: 'home' }, { description }))],
  [1, fc.constant(memberOf(projectNetwork, l3Spec('lab', '10.50.0.0/24')))],
  [1, fc.constant(memberOf({ kind: 'L3Network', name: 'lab' }, l3Spec('lab', '10.99.0.0/24')))],
  [1, instance.map((it) => memberOf(it, { zone: 'home', power: 'Flying' }))],
);

function memberOf({ kind, name, namespace }: Named, spec: Spec) {
  return { kind, metadata: { name, ...(namespace ? { namespace } : {}) }, spec };
}

const changeSet: fc.Arbitrary<Ask> = fc
  .tuple(
    fc.integer({ min: 0, max: 2 }),
    fc.array(member, { minLength: 1, maxLength: 4 }),
    fc.integer({ min: 1, max: 20 }),
  )
  .map(([n, objects, deadlineSeconds]) => ({
    do: 'create',
    kind: 'ChangeSet',
    name: `cs-${n}`,
    spec: { objects, deadlineSeconds },
    ...(isIllegal(objects) ? { illegal: true } : {}),
  }));

/** One of them is wrong by itself, or they are two of one name. */
function isIllegal(objects: readonly ReturnType<typeof memberOf>[]): boolean {
  const named = objects.map(({ kind, metadata: { namespace = 'default', name } }) => `${kind}/${namespace}/${name}`);
  return new Set(named).size < objects.length || objects.some(({ spec }) => spec.power === 'Flying');
}

const cascade: fc.Arbitrary<Ask> = fc
  .tuple(fc.array(weighted([3, shared], [1, instance]), { minLength: 1, maxLength: 2 }), percent(10))
  .map(([roots, miscounted]) => ({
    do: 'cascade',
    roots: roots.filter(({ kind }) => kind !== 'Namespace'),
    ...(miscounted ? { miscounted: true } : {}),
  }));

const illegal = instance.chain((it) =>
  fc.constantFrom<Ask>(
    { do: 'create', ...it, spec: { zone: 'home' }, illegal: true },
    { do: 'change', ...it, spec: { power: 'Flying' }, illegal: true },
    { do: 'change', ...it, spec: { colour: 'red' }, illegal: true },
    { do: 'replace', ...it, spec: { offering: 'small' }, illegal: true },
    { do: 'create', kind: 'L2Network', name: 'bad', spec: { zone: 'home', type: 'vxlan' }, illegal: true },
    { do: 'create', kind: 'ChangeSet', name: 'cs-9', spec: { objects: [] }, illegal: true },
    { do: 'change', kind: 'InstanceOffering', name: 'small', spec: { cpus: 0 }, illegal: true },
    { do: 'change', kind: 'Image', name: 'tiny', spec: { format: 'vmdk' }, illegal: true },
    { do: 'change', kind: 'Host', name: 'host-1', spec: { memoryOvercommitRatio: 'much' }, illegal: true },
    { do: 'create', kind: 'Zone', name: 'No Such Name', spec: {}, illegal: true },
    // Legal by themselves, but of what is there already they would change what is fixed.
    { do: 'change', ...it, spec: { zone: 'third' } },
    { do: 'change', kind: 'L3Network', name: 'lab', spec: { ipv4: { cidr: '10.99.0.0/24' } } },
    { do: 'change', kind: 'L2Network', name: 'lab', spec: { mtuBytes: 1400 } },
    { do: 'change', kind: 'ChangeSet', name: 'cs-0', spec: { deadlineSeconds: 21 } },
  ),
);

/** Everything that may be asked, as often as it is worth. */
export const wishes: fc.Arbitrary<Ask> = weighted<Ask>(
  [32, fc.tuple(instance, instanceSpec).map(([it, spec]) => ({ do: 'create', ...it, spec }))],
  [22, fc.tuple(instance, instanceChange).map(([it, spec]) => ({ do: 'change', ...it, spec }))],
  [
    3,
    fc
      .tuple(instance, instanceSpec, percent(20))
      .map(([it, spec, stale]) => ({ do: 'replace', ...it, spec, ...(stale ? { stale } : {}) }) as Ask),
  ],
  [14, instance.map((it) => ({ do: 'delete', ...it }))],
  [3, fc.tuple(weighted([1, instance], [1, oneOfEach]), word).map(([it, word]) => ({ do: 'retry', ...it, word }))],
  [5, sharedChange.map((it) => ({ do: 'change', ...it }))],
  [6, sharedCreate],
  [4, group.chain((it) => groupSpec(it).map((spec): Ask => ({ do: 'create', ...it, spec })))],
  [5, shared.map((it) => ({ do: 'delete', ...it }))],
  [4, changeSet],
  [2, cascade],
  [
    2,
    fc
      .tuple(instance, fc.constantFrom('retry', 'abandon'))
      .map(([{ name, namespace }, what]) => ({ do: 'flow', what, name, ...(namespace ? { namespace } : {}) }) as Ask),
  ],
  [4, illegal],
);

/** As {@link wishes}, and sometimes the next action does not wait for the answer. */
export const hastyWishes: fc.Arbitrary<Ask> = fc
  .tuple(wishes, percent(30))
  .map(([ask, hasty]) => (hasty ? { ...ask, nowait: true } : ask));
