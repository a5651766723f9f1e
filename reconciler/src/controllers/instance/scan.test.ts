import type { Instance, LiveThing, PlumbObject, ThingKind, ThingSpec } from '@plumb/schemas';
import { thingKey } from '@plumb/schemas';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Fleet } from '../../fleet/fleet.ts';
import { ObjectCache } from '../../runtime/cache.ts';
import { keys } from '../../store/keys.ts';
import type { Context } from '../controller.ts';
import { hostSpec, instanceSpec, makeEstate } from '../testing/estate.ts';
import { type Rig, startRig } from '../testing/rig.ts';
import { DriftScan, type ScanFound } from './scan.ts';
import { judge, type Verdict } from './verdict.ts';

const NAMES = ['web-0', 'web-1', 'web-2'];
const HOSTS = ['host-1', 'host-2'];
const stopping = new AbortController();
let rig: Rig;
/** As the controllers' own, but that nobody acts on what is found. */
let context: Context;
/** As a fleet that cannot compare by itself: the planner reads every thing and takes the difference. */
let slow: Context;
/** What lives on the hosts when all is well. */
let good: Map<string, LiveThing[]>;

beforeAll(async () => {
  rig = await startRig();
  await makeEstate(rig);
  await rig.create('Host', 'host-2', hostSpec);
  rig.fleet.connect('host-2');
  for (const name of NAMES) await rig.create('Instance', name, instanceSpec());
  for (const name of NAMES) await rig.ready('Instance', name);
  await rig.stop();
  const cache = new ObjectCache(rig.store);
  await cache.start(stopping.signal, () => {});
  context = { ...rig.context, cache, enqueue: () => {} };
  const fleet = new Proxy(rig.fleet, {
    get: (target, name) => {
      if (name === 'isExactly') return () => false;
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  }) as Fleet;
  slow = { ...context, fleet };
  good = new Map(HOSTS.map((host) => [host, [...rig.fleet.host(host)!.things.values()]]));
});

afterAll(() => stopping.abort());

const noRest = async () => {};
const scanned = ({ counts, differing }: ScanFound) => ({ counts, differing: [...differing].sort() });

function judged(by: Context): Pick<ScanFound, 'counts' | 'differing'> {
  const counts: Record<Verdict, number> = { same: 0, differs: 0, unknown: 0, underWay: 0 };
  const differing: string[] = [];
  for (const cached of by.cache.list<Instance>('instances')) {
    const { verdict } = judge(by, cached);
    counts[verdict]++;
    if (verdict === 'differs') differing.push(cached.key);
  }
  return { counts, differing: differing.sort() };
}

const hasDeclaredSize = () =>
  context.cache.get(keys.object('instanceofferings', undefined, 'small'))!.object.spec!.memoryMiB === 128;

async function edit(kind: string, name: string, change: (object: PlumbObject) => void): Promise<void> {
  await rig.edit(kind, name, change);
  await context.cache.shows(rig.store.revision());
}

/** Another value of one field of each kind. */
const otherwise: { [K in ThingKind]: Partial<ThingSpec<K>> } = {
  image: { maxBytes: 1 },
  bridge: { mtuBytes: 9000 },
  subnet: { mtuBytes: 9000 },
  disk: { sizeBytes: 7 },
  seed: { hostname: 'other' },
  port: { mtuBytes: 9000 },
  domain: { memoryMiB: 7 },
};

/** What may happen to a thing. */
const harms: Record<string, (host: string, thing: LiveThing) => void> = {
  drift: (host, thing) => rig.fleet.put(host, { ...thing, drift: ['it is not as it was'] }),
  go: (host, thing) => rig.fleet.take(host, thing),
  change: (host, thing) =>
    rig.fleet.put(host, { ...thing, spec: { ...thing.spec, ...otherwise[thing.kind] } } as LiveThing),
  end: (host, thing) => {
    if (thing.kind === 'domain') rig.fleet.put(host, { ...thing, domain: { state: 'off', reason: 'crashed' } });
  },
  shutDown: (host, thing) => {
    if (thing.kind === 'domain') rig.fleet.put(host, { ...thing, domain: { state: 'off', reason: 'shutdown' } });
  },
  elsewhere: (host, thing) => rig.fleet.put(HOSTS.find((other) => other !== host)!, thing),
  extra: (host, thing) => rig.fleet.put(host, { ...thing, id: `${thing.owner}.extra` } as LiveThing),
  disown: (host, thing) => rig.fleet.put(host, { ...thing, owner: 'someone-else' }),
  repeat: (host, thing) => rig.fleet.put(host, { ...thing }),
};

const act = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      act: fc.constantFrom(...Object.keys(harms)),
      host: fc.constantFrom(...HOSTS),
      thing: fc.nat(30),
    }),
  },
  { weight: 3, arbitrary: fc.record({ act: fc.constant('heal') }) },
  {
    weight: 1,
    arbitrary: fc.record({ act: fc.constantFrom('connect', 'disconnect'), host: fc.constantFrom(...HOSTS) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constantFrom('power', 'label', 'offering', 'image', 'network', 'status'),
      name: fc.constantFrom(...NAMES),
      value: fc.nat(2),
    }),
  },
) as fc.Arbitrary<{ act: string; host?: string; thing?: number; name?: string; value?: number }>;

async function perform({ act: what, host = '', thing = 0, name = '', value = 0 }: Awaited<ReturnType<typeof one>>) {
  if (what === 'heal')
    for (const [on, things] of good) {
      if (!rig.fleet.host(on)!.connected) rig.fleet.connect(on);
      for (const there of [...rig.fleet.host(on)!.things.values()])
        if (!things.some((g) => thingKey(g) === thingKey(there))) rig.fleet.take(on, there);
      for (const each of things) rig.fleet.put(on, each);
    }
  else if (what === 'connect') rig.fleet.connect(host);
  else if (what === 'disconnect') rig.fleet.disconnect(host);
  else if (what === 'power')
    await edit('Instance', name, (o) => Object.assign(o.spec!, { power: value === 0 ? 'Stopped' : 'Running' }));
  else if (what === 'label')
    await edit('Instance', name, (o) => Object.assign(o.metadata, { labels: { v: `${value}` } }));
  else if (what === 'status') await edit('Instance', name, (o) => Object.assign(o.status!, { power: 'Running' }));
  else if (what === 'offering')
    await edit('InstanceOffering', 'small', (o) => Object.assign(o.spec!, { memoryMiB: 128 * (value + 1) }));
  else if (what === 'image')
    await edit('Image', 'tiny', (o) => Object.assign(o.spec!, { sha256: `${value}`.repeat(64) }));
  else if (what === 'network')
    await edit('L2Network', 'lab', (o) => Object.assign(o.spec!, { mtuBytes: 1400 + value }));
  else {
    const things = [...rig.fleet.host(host)!.things.values()];
    const each = things[thing % Math.max(1, things.length)];
    if (each && rig.fleet.host(host)!.connected) harms[what]!(host, each);
  }
}
const one = async () => ({ act: '', host: '', thing: 0, name: '', value: 0 });

test('a scan by digests says the same as the planner, whatever happened since the last', async () => {
  const scan = new DriftScan(context);
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 6 }), async (acts) => {
      for (const each of acts) {
        await perform({ ...(await one()), ...each });
        const expected = judged(slow);
        const found = await scan.byDigests(noRest);
        expect(scanned(found)).toEqual(expected);
        expect(judged(context)).toEqual(expected);
        const again = await scan.byDigests(noRest);
        expect(scanned(again)).toEqual(expected);
        if (hasDeclaredSize()) expect(again.compared).toBe(NAMES.length - expected.counts.same);
        for (const [verdict, count] of Object.entries(expected.counts)) if (count > 0) seen.add(verdict);
      }
      expect(scanned(await new DriftScan(context).byContent(noRest))).toEqual(judged(slow));
    }),
    { numRuns: 60 },
  );
  expect([...seen].sort()).toEqual(['differs', 'same', 'unknown']);
});
