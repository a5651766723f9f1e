import type { LiveThing } from '@plumb/schemas';
import { thingKey } from '@plumb/schemas';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LiveState } from './live-state.ts';

const facts = { driver: 'simulated', agentVersion: '1', cpus: 1, memoryMiB: 1, tunnelAddress: '' };

const bridge = (id: string, owner = id): LiveThing => ({
  kind: 'bridge',
  id,
  owner,
  spec: { name: id, type: 'flat', physicalInterface: 'eth0', mtuBytes: 1500, peers: [] },
  drift: [],
});

test('changes name the thing, its host and its owner; what was not known needs no word when it goes', () => {
  const live = new LiveState();
  const host = live.meet('h', facts);
  const change = { type: 'thing', host: 'h', kind: 'bridge', id: 'b', owner: 'o' };
  expect(live.put(host, bridge('b', 'o'))).toEqual(change);
  expect(live.remove(host, { kind: 'bridge', id: 'b' })).toEqual(change);
  expect(live.remove(host, { kind: 'bridge', id: 'b' })).toBeUndefined();
  expect(live.replace(host, [])).toEqual({ type: 'host', host: 'h' });
});

test('a host that is met again has new facts and keeps what was known', () => {
  const live = new LiveState();
  live.put(live.meet('h', facts), bridge('b'));
  const again = live.meet('h', { ...facts, cpus: 8 });
  expect(again.facts.cpus).toBe(8);
  expect(again.things.size).toBe(1);
});

type Act =
  | { act: 'put'; host: string; id: string; owner: string }
  | { act: 'remove'; host: string; id: string }
  | { act: 'replace'; host: string; things: [string, string][] }
  | { act: 'forget'; host: string };

const hostName = fc.constantFrom('h1', 'h2');
const id = fc.constantFrom('a', 'b', 'c');
const owner = fc.constantFrom('o1', 'o2');
const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ act: fc.constant('put' as const), host: hostName, id, owner }),
  fc.record({ act: fc.constant('remove' as const), host: hostName, id }),
  fc.record({
    act: fc.constant('replace' as const),
    host: hostName,
    things: fc.uniqueArray(fc.tuple(id, owner), { selector: ([name]) => name }),
  }),
  fc.record({ act: fc.constant('forget' as const), host: hostName }),
);

test('the index by owner always says the same as the hosts', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
      const live = new LiveState();
      for (const one of acts) {
        if (one.act === 'forget') live.forget(one.host);
        else if (one.act === 'put') live.put(live.meet(one.host, facts), bridge(one.id, one.owner));
        else if (one.act === 'remove') live.remove(live.meet(one.host, facts), { kind: 'bridge', id: one.id });
        else
          live.replace(
            live.meet(one.host, facts),
            one.things.map(([name, of]) => bridge(name, of)),
          );
      }
      for (const uid of ['o1', 'o2']) {
        const indexed = [...live.ownedBy(uid)].map(({ host, thing }) => `${host} ${thingKey(thing)} ${thing.owner}`);
        const found = [...live.hosts()].flatMap((host) =>
          [...host.things.values()].filter((t) => t.owner === uid).map((t) => `${host.name} ${thingKey(t)} ${t.owner}`),
        );
        expect(indexed.sort()).toEqual(found.sort());
      }
    }),
  );
});
