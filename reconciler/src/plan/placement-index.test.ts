import type { PlumbError } from '@plumb/schemas';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type PlacementRequest, place } from './placement.ts';
import { type Candidate, PlacementIndex } from './placement-index.ts';

const aHost = fc.record({
  name: fc.integer({ min: 0, max: 12 }).map((n) => `h${n}`),
  zone: fc.constantFrom('home', 'away'),
  // A domain may be named as a host is.
  labels: fc.constantFrom<Record<string, string>>(
    {},
    { rack: 'a' },
    { rack: 'b', gpu: 'yes' },
    { gpu: 'yes', rack: 'b' },
    { rack: 'h1' },
    { gpu: 'yes' },
  ),
  connected: fc.boolean(),
  unschedulable: fc.boolean(),
  has: fc.tuple(fc.constantFrom(4, 8), fc.constantFrom(4096, 8192)),
  used: fc.tuple(
    fc.nat(8),
    fc.nat(8).map((n) => n * 1024),
    fc.nat(3),
  ),
});
const aRequest = fc.record(
  {
    zone: fc.constantFrom('home', 'away'),
    amounts: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.constantFrom(512, 1024, 4096), fc.constant(1)),
    selectors: fc.constantFrom<PlacementRequest['selectors']>(
      [],
      [{ what: 'spec.hostSelector', matchLabels: {} }],
      [{ what: 'spec.hostSelector', matchLabels: { rack: 'b' } }],
      [
        { what: 'spec.hostSelector', matchLabels: { gpu: 'yes' } },
        { what: 'the hostSelector of L2Network lab', matchLabels: { rack: 'b' } },
      ],
      [{ what: 'spec.hostSelector', matchLabels: { gpu: 'yes' } }],
    ),
    spreadLabel: fc.constant('rack'),
  },
  { requiredKeys: ['zone', 'amounts', 'selectors'] },
);
const aGroup = fc.option(fc.dictionary(fc.constantFrom('h0', 'h1', 'h2', 'h3', 'h4', 'h20'), fc.nat(2)), {
  nil: undefined,
});

const outcome = (decide: () => string): unknown => {
  try {
    return decide();
  } catch (thrown) {
    const { reason, retry, message } = thrown as PlumbError;
    return { reason, retry, message };
  }
};

test('it answers as a look at every host does, whatever came and went', () => {
  const anAction = fc.oneof(
    { weight: 3, arbitrary: aHost.map((set) => ({ set })) },
    { weight: 2, arbitrary: aHost.map((use) => ({ use })) },
    { weight: 1, arbitrary: aHost.map(({ name }) => ({ remove: name })) },
    { weight: 2, arbitrary: fc.record({ request: aRequest, group: aGroup }) },
  );
  fc.assert(
    fc.property(fc.array(anAction, { maxLength: 60 }), (actions) => {
      const index = new PlacementIndex();
      const hosts = new Map<string, Candidate>();
      for (const action of actions) {
        if ('set' in action) {
          index.set(action.set);
          hosts.set(action.set.name, action.set);
        } else if ('use' in action) {
          const { name, used } = action.use;
          index.setUse(name, used);
          const known = hosts.get(name);
          if (known) hosts.set(name, { ...known, used });
        } else if ('remove' in action) {
          index.remove(action.remove);
          hosts.delete(action.remove);
        } else {
          const counts = action.group && new Map(Object.entries(action.group));
          const all = [...hosts.values()].map((host) => ({ ...host, groupCount: counts?.get(host.name) ?? 0 }));
          const expected = outcome(() => place(action.request, all));
          expect(outcome(() => index.place(action.request, counts))).toEqual(expected);
          expect(outcome(() => index.place(action.request, counts))).toEqual(expected);
        }
      }
    }),
    { numRuns: 1000 },
  );
});

test('a burst over many hosts spreads as one placement after the other does, and looks at few of them', () => {
  const index = new PlacementIndex();
  const host = (n: number, usedCpus: number): Candidate => ({
    ...{ name: `host-${n}`, zone: 'home', labels: {}, connected: true, unschedulable: false },
    ...{ has: [64, 65_536], used: [usedCpus, usedCpus * 128] },
  });
  const used = new Map<string, number>();
  const hosts = 3_000;
  for (let n = 0; n < hosts; n++) index.set(host(n, 0));
  const request = { zone: 'home', amounts: [1, 128, 1], selectors: [] };
  for (let i = 0; i < 3 * hosts; i++) {
    const name = index.place(request);
    const now = (used.get(name) ?? 0) + 1;
    used.set(name, now);
    index.set(host(Number(name.slice(5)), now));
  }
  expect(used.size).toBe(hosts);
  expect(new Set(used.values())).toEqual(new Set([3]));
});

test('a group is spread over thousands of hosts one by one, and over their racks evenly', () => {
  const index = new PlacementIndex();
  const rackOf = (name: string) => Number(name.slice(5)) % 50;
  for (let n = 0; n < 3_000; n++)
    index.set({
      ...{ name: `host-${n}`, zone: 'home', labels: { rack: `r${n % 50}` }, connected: true, unschedulable: false },
      ...{ has: [64, 65_536], used: [] },
    });
  const request = { zone: 'home', amounts: [1, 128, 1], selectors: [] };
  const placeMany = (count: number, how: PlacementRequest) => {
    const counts = new Map<string, number>();
    for (let i = 0; i < count; i++) {
      const name = index.place(how, counts);
      counts.set(name, (counts.get(name) ?? 0) + 1);
      index.setUse(name, [counts.get(name)!, 128 * counts.get(name)!, counts.get(name)!]);
    }
    return counts;
  };
  expect(new Set(placeMany(1_000, request).values())).toEqual(new Set([1]));
  const racks = [...placeMany(500, { ...request, spreadLabel: 'rack' }).keys()].map(rackOf);
  expect(new Set(racks).size).toBe(50);
  for (const rack of racks) expect(racks.filter((other) => other === rack)).toHaveLength(10);
  const onRack = { ...request, selectors: [{ what: 'spec.hostSelector', matchLabels: { rack: 'r7' } }] };
  expect(new Set([...placeMany(60, onRack).keys()].map(rackOf))).toEqual(new Set([7]));
});
