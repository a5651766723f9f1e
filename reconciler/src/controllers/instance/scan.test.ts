import type { Instance, LiveResource, PlumbObject, ResourceSpec, ResourceType } from '@plumb/schemas';
import { kindByName, resourceKey } from '@plumb/schemas';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Fleet } from '../../fleet/fleet.ts';
import { heldAllocation } from '../../plan/allocation.ts';
import { ObjectCache } from '../../runtime/cache.ts';
import { keys } from '../../store/keys.ts';
import type { Context } from '../controller.ts';
import { type OwnState, OwnStates } from '../own-state.ts';
import { placedContext } from '../placed/placed-kind.ts';
import { judge, type Verdict } from '../placed/verdict.ts';
import { hostSpec, instanceSpec, makeEstate } from '../testing/estate.ts';
import { type Rig, startRig } from '../testing/rig.ts';
import { Glance } from './glance.ts';
import { instancePlaced } from './placed.ts';
import { resolveInstance } from './references.ts';
import { ownResources } from './resources.ts';
import { DriftScan, type ScanFound } from './scan.ts';
import { SeenReferences } from './seen-references.ts';

const NAMES = ['web-0', 'web-1', 'web-2'];
const HOSTS = ['host-1', 'host-2'];
const stopping = new AbortController();
let rig: Rig;
/** As the controllers' own, but that nobody acts on what is found. */
let context: Context;
/** As a fleet that cannot compare by itself: the planner reads every resource and takes the difference. */
let slow: Context;
/** What lives on the hosts when all is well. */
let good: Map<string, LiveResource[]>;
/** What is declared then. */
let declared: PlumbObject[];
/** How often the scan found resources to be as declared by what is alike, without the planner. */
let glances = 0;

beforeAll(async () => {
  rig = await startRig();
  await makeEstate(rig);
  await rig.create('Host', 'host-2', hostSpec);
  rig.fleet.connect('host-2');
  await rig.create('SecurityGroup', 'all', { selector: {}, ingress: [], log: false });
  for (const name of NAMES) await rig.create('Instance', name, instanceSpec());
  for (const name of NAMES) await rig.ready('Instance', name);
  await rig.stop();
  const cache = new ObjectCache(rig.store);
  await cache.start(stopping.signal, () => {});
  const isLike: Fleet['isLike'] = (...asked) => {
    const found = rig.fleet.isLike(...asked);
    if (found) glances++;
    return found;
  };
  context = { ...rig.context, cache, read: cache, enqueue: () => {}, fleet: fleetWith({ isLike }) };
  // What contributors remember follows the cache that is looked at here.
  const states = new OwnStates();
  const kept = context.kinds.flatMap(({ contributes, keeps = [] }) => (contributes ? keeps : []));
  states.begin(kept, context, undefined as never);
  const { own } = rig.context;
  context.own = (state) => (kept.includes(state as OwnState<unknown>) ? states.get(state) : own(state));
  slow = { ...context, fleet: fleetWith({ isExactly: () => false }) };
  const kinds = ['instances', 'instanceofferings', 'images', 'l2networks', 'l3networks', 'securitygroups'];
  declared = kinds.flatMap((plural) => [...cache.list(plural)].map(({ object }) => structuredClone(object)));
  good = new Map(HOSTS.map((host) => [host, [...rig.fleet.host(host)!.resources.values()]]));
});

afterAll(() => stopping.abort());

function fleetWith(own: Partial<Fleet>): Fleet {
  return new Proxy(rig.fleet, {
    get: (target, name) => {
      if (name in own) return Reflect.get(own, name);
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const noRest = async () => {};
const scanned = ({ counts, differing }: ScanFound) => ({ counts, differing: [...differing].sort() });

function judged(by: Context): Pick<ScanFound, 'counts' | 'differing'> {
  const counts: Record<Verdict, number> = { same: 0, differs: 0, unknown: 0, underWay: 0 };
  const differing: string[] = [];
  for (const cached of by.read.list<Instance>('instances')) {
    const { verdict } = judge(placedContext(by, instancePlaced), cached);
    counts[verdict]++;
    if (verdict === 'differs') differing.push(cached.key);
  }
  return { counts, differing: differing.sort() };
}

const hasDeclaredSize = () =>
  context.read.get(keys.object('instanceofferings', undefined, 'small'))!.object.spec!.memoryMiB === 128;

async function edit(kind: string, name: string, change: (object: PlumbObject) => void): Promise<void> {
  await rig.edit(kind, name, change);
  await context.cache.shows(rig.store.revision());
}

/** Puts the object back to what it was when all was well, at a later revision. */
async function restore(good: PlumbObject): Promise<void> {
  const { kind, metadata } = good;
  const { object } = context.read.get(keys.object(kindByName(kind)!.plural, metadata.namespace, metadata.name))!;
  const text = ({ spec, status, metadata: { labels, deletionTimestamp } }: PlumbObject) =>
    JSON.stringify([spec, { ...status, observedGeneration: 0 }, labels, deletionTimestamp]);
  if (text(object) === text(good) && object.status?.observedGeneration === object.metadata.generation) return;
  await edit(kind, metadata.name, (o) => {
    const isOther = JSON.stringify(o.spec) !== JSON.stringify(good.spec);
    const observedGeneration = o.metadata.generation + (isOther ? 1 : 0);
    Object.assign(o, structuredClone({ spec: good.spec, status: { ...good.status, observedGeneration } }));
    const { labels, deletionTimestamp, ...others } = o.metadata;
    o.metadata = { ...others, ...(metadata.labels ? { labels: metadata.labels } : {}) };
  });
}

/** What may happen to an instance's object; `value` is 0, 1 or 2. */
const edits: Record<string, (instance: Instance, value: number) => void> = {
  power: ({ spec }, value) => Object.assign(spec, { power: value === 0 ? 'Stopped' : 'Running' }),
  label: ({ metadata }, value) => Object.assign(metadata, { labels: { v: `${value}` } }),
  statusPower: ({ status }) => Object.assign(status!, { power: 'Running' }),
  generation: ({ status }) => Object.assign(status!, { observedGeneration: 0 }),
  deletion: ({ metadata }) => Object.assign(metadata, { deletionTimestamp: '2026-01-01T00:00:00Z' }),
  rootDisk: ({ spec }, value) => Object.assign(spec, { rootDiskMiB: 1000 + value }),
  userData: ({ spec }, value) => Object.assign(spec, { userData: ['', 'one', 'long'.repeat(2_000)][value] }),
  sshKeys: ({ spec }, value) => Object.assign(spec, { sshKeys: [[], ['a 1 b'], ['a', 'b']][value] }),
  address: ({ spec, status }, value) =>
    Object.assign(spec.interfaces[0] ?? {}, {
      addresses: [[], status!.interfaces![0]!.addresses, ['10.20.0.77']][value],
    }),
  mac: ({ spec, status }, value) =>
    Object.assign(spec.interfaces[0] ?? {}, {
      macAddress: value === 0 ? status!.interfaces![0]!.macAddress : `02:00:00:00:00:0${value}`,
    }),
  interface: ({ spec }) => spec.interfaces.push({ name: 'eth1', l3Network: 'lab' }),
  noInterface: ({ spec }) => spec.interfaces.splice(0),
  otherNetwork: ({ spec }) => Object.assign(spec.interfaces[0] ?? {}, { l3Network: 'no-such-network' }),
  heldAddress: ({ status }, value) => Object.assign(status!.interfaces![0]!, { addresses: [`10.20.0.9${value}`] }),
  heldMac: ({ status }) => Object.assign(status!.interfaces![0]!, { macAddress: '02:00:00:00:00:09' }),
  heldNetwork: ({ status }, value) =>
    Object.assign(status!.interfaces![0]!, value === 0 ? { l3Network: 'default/other' } : { l3NetworkUid: 'other' }),
  heldDisk: ({ status, metadata: { uid } }, value) => {
    const id = `${uid}.root`;
    const { sha256 } = status!.rootDisk!;
    const another = [{ id: `${id}-${sha256.slice(0, 8)}` }, { imageUid: 'other' }, { id, sha256: '1' }];
    Object.assign(status!.rootDisk!, another[value]);
  },
  otherImage: ({ status }) => {
    Object.assign(status!.rootDisk!, { imageUid: 'other' });
    Object.assign(status!, { observedGeneration: 0 });
  },
  heldSize: ({ status }, value) => Object.assign(status!, { memoryMiB: 128 * (value + 1) }),
  heldHost: ({ status }, value) => Object.assign(status!, { host: HOSTS[value] ?? 'host-3' }),
};

/** What may happen to what instances refer to. */
const editsAround: Record<string, [kind: string, name: string, change: (spec: object, value: number) => void]> = {
  offering: ['InstanceOffering', 'small', (spec, value) => Object.assign(spec, { memoryMiB: 128 * (value + 1) })],
  image: ['Image', 'tiny', (spec, value) => Object.assign(spec, { sha256: `${value}`.repeat(64) })],
  network: ['L2Network', 'lab', (spec, value) => Object.assign(spec, { mtuBytes: 1400 + value })],
  zone: ['L2Network', 'lab', (spec, value) => Object.assign(spec, { zone: value === 0 ? 'other' : 'home' })],
  selected: [
    'SecurityGroup',
    'all',
    (spec, value) => Object.assign(spec, { selector: { matchLabels: { v: `${value}` } } }),
  ],
  filtered: ['SecurityGroup', 'all', (spec, value) => Object.assign(spec, { interfaces: [`eth${value}`] })],
  allowed: [
    'SecurityGroup',
    'all',
    (spec, value) => Object.assign(spec, { ingress: [{ protocol: 'TCP', port: value + 1 }] }),
  ],
  subnet: ['L3Network', 'lab', (spec, value) => Object.assign(spec, { dns: { servers: [`10.20.0.${value}`] } })],
};

/** Another value of one field of each kind. */
const otherwise: { [K in ResourceType]?: Partial<ResourceSpec<K>> } = {
  image: { maxBytes: 1 },
  bridge: { mtuBytes: 9000 },
  subnet: { mtuBytes: 9000 },
  disk: { sizeBytes: 7 },
  seed: { hostname: 'other' },
  port: { mtuBytes: 9000 },
  domain: { memoryMiB: 7 },
};

/** What may happen to a resource. */
const harms: Record<string, (host: string, resource: LiveResource) => void> = {
  drift: (host, resource) => rig.fleet.put(host, { ...resource, drift: ['it is not as it was'] }),
  go: (host, resource) => rig.fleet.take(host, resource),
  change: (host, resource) =>
    rig.fleet.put(host, { ...resource, spec: { ...resource.spec, ...otherwise[resource.kind] } } as LiveResource),
  end: (host, resource) => {
    if (resource.kind === 'domain') rig.fleet.put(host, { ...resource, domain: { state: 'off', reason: 'crashed' } });
  },
  shutDown: (host, resource) => {
    if (resource.kind === 'domain') rig.fleet.put(host, { ...resource, domain: { state: 'off', reason: 'shutdown' } });
  },
  elsewhere: (host, resource) => rig.fleet.put(HOSTS.find((other) => other !== host)!, resource),
  extra: (host, resource) => rig.fleet.put(host, { ...resource, id: `${resource.owner}.extra` } as LiveResource),
  disown: (host, resource) => rig.fleet.put(host, { ...resource, owner: 'someone-else' }),
  repeat: (host, resource) => rig.fleet.put(host, { ...resource }),
};

const act = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      act: fc.constantFrom(...Object.keys(harms)),
      host: fc.constantFrom(...HOSTS),
      resource: fc.nat(30),
    }),
  },
  { weight: 3, arbitrary: fc.record({ act: fc.constant('heal') }) },
  {
    weight: 1,
    arbitrary: fc.record({ act: fc.constantFrom('connect', 'disconnect'), host: fc.constantFrom(...HOSTS) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      act: fc.constantFrom(...Object.keys(edits), ...Object.keys(editsAround)),
      name: fc.constantFrom(...NAMES),
      value: fc.nat(2),
    }),
  },
) as fc.Arbitrary<{ act: string; host?: string; resource?: number; name?: string; value?: number }>;

async function heal(): Promise<void> {
  for (const object of declared) await restore(object);
  for (const [on, resources] of good) {
    if (!rig.fleet.host(on)!.connected) rig.fleet.connect(on);
    for (const there of [...rig.fleet.host(on)!.resources.values()])
      if (!resources.some((g) => resourceKey(g) === resourceKey(there))) rig.fleet.take(on, there);
    for (const each of resources) rig.fleet.put(on, each);
  }
}

async function perform({ act: what, host = '', resource = 0, name = '', value = 0 }: Awaited<ReturnType<typeof one>>) {
  if (what === 'heal') await heal();
  else if (what === 'connect') rig.fleet.connect(host);
  else if (what === 'disconnect') rig.fleet.disconnect(host);
  else if (what in edits) await edit('Instance', name, (o) => edits[what]!(o as Instance, value));
  else if (what in editsAround) {
    const [kind, of, change] = editsAround[what]!;
    await edit(kind, of, (o) => change(o.spec!, value));
  } else {
    const resources = [...rig.fleet.host(host)!.resources.values()];
    const each = resources[resource % Math.max(1, resources.length)];
    if (each && rig.fleet.host(host)!.connected) harms[what]!(host, each);
  }
}
const one = async () => ({ act: '', host: '', resource: 0, name: '', value: 0 });

test('a scan by digests says the same as the planner, whatever happened since the last', async () => {
  const scan = new DriftScan(context);
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 6 }), async (acts) => {
      await heal();
      expect(scanned(await scan.byContent(noRest)).counts).toMatchObject({ same: NAMES.length });
      for (const each of acts) {
        await perform({ ...(await one()), ...each });
        const expected = judged(slow);
        const found = await scan.byDigests(noRest);
        expect(scanned(found)).toEqual(expected);
        expect(judged(context)).toEqual(expected);
        const again = await scan.byDigests(noRest);
        expect(scanned(again)).toEqual(expected);
        if (hasDeclaredSize()) expect(again.compared).toBe(NAMES.length - expected.counts.same);
        expect(scanned(await new DriftScan(context).byContent(noRest))).toEqual(expected);
        for (const [verdict, count] of Object.entries(expected.counts)) if (count > 0) seen.add(verdict);
      }
    }),
    { numRuns: 150 },
  );
  expect([...seen].sort()).toEqual(['differs', 'same', 'underWay', 'unknown']);
  expect(glances).toBeGreaterThan(500);
});

test('a scan by content says the same as the planner after every single edit, and all is well when it is taken back', async () => {
  for (const act of [...Object.keys(edits), ...Object.keys(editsAround)])
    for (const name of act in edits ? NAMES : NAMES.slice(0, 1))
      for (const value of [0, 1, 2]) {
        await perform({ ...(await one()), act, name, value });
        const found = await new DriftScan(context).byContent(noRest);
        expect({ act, name, value, ...scanned(found) }).toEqual({ act, name, value, ...judged(slow) });
        await heal();
        expect((await new DriftScan(context).byContent(noRest)).counts.same).toBe(NAMES.length);
      }
});

test('instances that differ in what others contribute to them are not taken for alike', async () => {
  await heal();
  await edit('SecurityGroup', 'all', ({ spec }) =>
    Object.assign(spec!, { selector: { matchExpressions: [{ key: 'v', operator: 'DoesNotExist' }] } }),
  );
  const other = NAMES.at(-1)!;
  await edit('Instance', other, ({ metadata }) => Object.assign(metadata, { labels: { v: '1' } }));
  const found = scanned(await new DriftScan(context).byContent(noRest));
  expect(found.differing).toEqual([keys.object('instances', 'default', other)]);
  expect(found).toEqual(judged(slow));
  await heal();
});

test('what was worked out for many holds as long as nothing changes that they refer to', async () => {
  await heal();
  const references = new SeenReferences(context.cache);
  const glance = new Glance(context, references);
  const look = () => {
    references.nextTurn();
    return NAMES.map((name) => {
      const cached = context.read.get<Instance>(keys.object('instances', 'default', name))!;
      return glance.sameBy(cached) !== undefined;
    });
  };
  // Of the first it is not known yet that others are like it.
  expect([look(), look()]).toEqual([
    [false, true, true],
    [true, true, true],
  ]);
  await perform({ ...(await one()), act: 'network', value: 1 });
  expect(look()).toEqual([false, false, false]);
  await heal();
  expect([look(), look()].at(-1)).toEqual([true, true, true]);
});

test('an instance with a flow is under way, however equal it is', async () => {
  await heal();
  const { uid } = context.read.get<Instance>(keys.object('instances', 'default', NAMES[1]!))!.object.metadata;
  const journal = {
    knows: (of: string) => of === uid,
    get: (of: string) => (of === uid ? {} : undefined),
    all: () => [],
  };
  const { counts } = await new DriftScan({ ...context, journal } as unknown as Context).byContent(noRest);
  expect(counts).toEqual({ same: NAMES.length - 1, differs: 0, unknown: 0, underWay: 1 });
});

test('resources are made of nothing that instances could differ in unseen', async () => {
  await heal();
  const { object } = context.read.get<Instance>(keys.object('instances', 'default', NAMES[0]!))!;
  const read = new Set<string>();
  const watched = <T extends object>(name: string, of: T): T =>
    new Proxy(of, {
      get(target, field) {
        read.add(`${name}.${String(field)}`);
        return Reflect.get(target, field);
      },
    });
  const { metadata, spec, status } = object;
  const instance = watched('instance', {
    ...object,
    metadata: watched('metadata', metadata),
    spec: watched('spec', { ...spec, rootDiskMiB: 1, userData: 'one', sshKeys: ['one'] }),
  });
  const held = heldAllocation(status)!;
  const rootDisk = watched('rootDisk', held.rootDisk);
  const interfaces = held.interfaces.map((each) => watched('interface', each));
  const { networks } = resolveInstance(
    context,
    context.read.get(keys.object('instances', 'default', NAMES[0]!))!,
    false,
  ).references;
  ownResources(instance, watched('held', { ...held, rootDisk, interfaces }), networks);
  // A field that comes to these is to come to what Glance tells one pattern from another by, too.
  expect([...read].filter((field) => !field.endsWith('.map')).sort()).toEqual([
    ...['held.cpus', 'held.interfaces', 'held.memoryMiB', 'held.rootDisk', 'instance.metadata', 'instance.spec'],
    ...['interface.addresses', 'interface.macAddress', 'interface.name'],
    ...['metadata.name', 'metadata.namespace', 'metadata.uid'],
    ...['rootDisk.format', 'rootDisk.id', 'rootDisk.sha256'],
    ...['spec.power', 'spec.rootDiskMiB', 'spec.sshKeys', 'spec.userData'],
  ]);
});
