import type { LiveThing } from '@plumb/schemas';
import { thingKey } from '@plumb/schemas';
import { liveDigest, thingLine } from '@plumb/schemas/wire/thing-line.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LiveState } from './live-state.ts';

const facts = { driver: 'simulated', agentVersion: '1', cpus: 1, memoryMiB: 1, tunnelAddress: '', streamAddress: '' };

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
  | { act: 'put'; host: string; thing: LiveThing }
  | { act: 'remove'; host: string; thing: LiveThing }
  | { act: 'replace'; host: string; things: LiveThing[] }
  | { act: 'forget'; host: string };

const uids = ['o1', '3f0e2a54-7b7e-4c39-9a5e-0d6b8a2f1c11', '9b1d6f0e-33aa-4f6e-8a43-5a0c6d2e7f22'];
const sum = 'ab'.repeat(32);
const owner = fc.constantFrom(...uids);
const drift = fc.constantFrom<string[]>([], [], ['it is down']);
const base = (id: string, uid: string, drifted: string[]) => ({ id, owner: uid, drift: drifted });
/** Also things whose ids do not begin with their owner's uid, as those of images, and that move to another owner. */
const thing: fc.Arbitrary<LiveThing> = fc
  .tuple(fc.constantFrom('bridge', 'image', 'disk'), owner, owner, drift, fc.nat(2))
  .map(([kind, idOf, uid, drifted, n]) => {
    if (kind === 'bridge') return { ...bridge(idOf, uid), drift: drifted };
    const format = 'raw' as const;
    if (kind === 'image') {
      const spec = { url: `file:///${n}`, sha256: sum, format, maxBytes: n };
      return { ...base(sum, uid, drifted), kind: 'image', spec };
    }
    const spec = { image: sum, imageFormat: format, sizeBytes: n };
    return { ...base(`${idOf}.root`, uid, drifted), kind: 'disk', spec };
  });
const hostName = fc.constantFrom('h1', 'h2', 'h3');
const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ act: fc.constant('put' as const), host: hostName, thing }),
  fc.record({ act: fc.constant('remove' as const), host: hostName, thing }),
  fc.record({ act: fc.constant('replace' as const), host: hostName, things: fc.array(thing, { maxLength: 5 }) }),
  fc.record({ act: fc.constant('forget' as const), host: hostName }),
);

class Model {
  readonly hosts = new Map<string, Map<string, LiveThing>>();

  do(one: Act): void {
    const things = this.hosts.get(one.host) ?? new Map<string, LiveThing>();
    this.hosts.set(one.host, things);
    if (one.act === 'put') things.set(thingKey(one.thing), one.thing);
    else if (one.act === 'remove') things.delete(thingKey(one.thing));
    else things.clear();
    if (one.act === 'replace') for (const each of one.things) things.set(thingKey(each), each);
    if (one.act === 'forget') this.hosts.delete(one.host);
  }

  ownedBy(uid: string): string[] {
    const found = [...this.hosts].flatMap(([host, things]) =>
      [...things.values()].filter((each) => each.owner === uid).map((each) => `${host} ${thingLine(each)}`),
    );
    return found.sort();
  }
}

function apply(live: LiveState, one: Act): void {
  if (one.act === 'forget') {
    live.forget(one.host);
    return;
  }
  const host = live.meet(one.host, facts);
  if (one.act === 'put') live.put(host, one.thing);
  else if (one.act === 'remove') live.remove(host, one.thing);
  else live.replace(host, one.things);
}

test('it says what a plain list of things would say, by host, by key and by owner', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
      const live = new LiveState();
      const model = new Model();
      for (const one of acts) {
        apply(live, one);
        model.do(one);
      }
      expect([...live.hosts()].map(({ name }) => name).sort()).toEqual([...model.hosts.keys()].sort());
      for (const [name, things] of model.hosts) {
        const host = live.host(name)!;
        expect([...host.things.keys()].sort()).toEqual([...things.keys()].sort());
        expect(host.things.size).toBe(things.size);
        for (const [key, each] of things) {
          expect(host.things.get(key)).toEqual(each);
          expect(host.things.has(key)).toBe(true);
        }
        expect(host.things.has(`disk/${uids[1]}.other`)).toBe(false);
        expect([...host.owners()].sort()).toEqual([...new Set([...things.values()].map((t) => t.owner))].sort());
        expect(live.digestOf(host)).toBe(liveDigest([...things.values()].map(thingLine)));
      }
      for (const uid of uids) {
        const found = [...live.ownedBy(uid)].map(({ host, thing: each }) => `${host} ${thingLine(each)}`);
        expect(found.sort()).toEqual(model.ownedBy(uid));
        for (const [name, things] of model.hosts) {
          const own = [...things.values()].filter((each) => each.owner === uid);
          const exactly = own.length > 0 && own.length === model.ownedBy(uid).length;
          expect(live.isExactly(uid, name, own)).toBe(exactly);
          if (own.length > 0) expect(live.isExactly(uid, name, own.slice(1))).toBe(false);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('a version changes when, and only when, what it is of changes', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 30 }), (acts) => {
      const live = new LiveState();
      const model = new Model();
      const shared = (name: string) =>
        [...(model.hosts.get(name)?.values() ?? [])]
          .filter((t) => t.kind !== 'disk')
          .map(thingLine)
          .sort()
          .join();
      for (const one of acts) {
        const before = uids.map((uid) => [model.ownedBy(uid).join(), live.owned(uid)?.version] as const);
        const host = live.host(one.host);
        const [sharedBefore, version] = [shared(one.host), host?.sharedVersion];
        apply(live, one);
        model.do(one);
        for (const [index, [was, wasVersion]] of before.entries()) {
          const uid = uids[index]!;
          expect(live.owned(uid)?.version === wasVersion).toBe(model.ownedBy(uid).join() === was);
        }
        if (shared(one.host) !== sharedBefore && host) expect(host.sharedVersion).not.toBe(version);
      }
    }),
  );
});

test('what many hosts have alike is read once', () => {
  const live = new LiveState();
  for (const name of ['h1', 'h2', 'h3']) live.replace(live.meet(name, facts), [bridge('b')]);
  const [first, second] = [...live.ownedBy('b')];
  expect(first!.thing).toBe(second!.thing);
  live.put(live.host('h1')!, { ...bridge('b'), drift: ['it is down'] });
  expect([...live.ownedBy('b')].map(({ thing: each }) => each.drift.length)).toEqual([1, 0, 0]);
});

test('what changed together is as if it had changed one after the other', () => {
  fc.assert(
    fc.property(
      fc.array(thing, { maxLength: 5 }),
      fc.array(thing, { minLength: 1, maxLength: 8 }),
      (before, changed) => {
        const [together, apart] = [new LiveState(), new LiveState()];
        const hosts = [together, apart].map((live) => live.meet('h', facts));
        for (const [i, live] of [together, apart].entries()) live.replace(hosts[i]!, before);
        const told = together.putAll(hosts[0]!, changed);
        expect(told).toEqual(changed.map((one) => apart.put(hosts[1]!, one)));
        expect(together.digestOf(hosts[0]!)).toBe(apart.digestOf(hosts[1]!));
        for (const uid of uids)
          expect([...together.ownedBy(uid)].map((o) => thingLine(o.thing))).toEqual(
            [...apart.ownedBy(uid)].map((o) => thingLine(o.thing)),
          );
      },
    ),
  );
});

test('each of two images of one owner is found by its sum, and goes', () => {
  const live = new LiveState();
  const host = live.meet('h', facts);
  const image = (letter: string): LiveThing => ({
    kind: 'image',
    id: letter.repeat(64),
    owner: 'f448e9cd-48b5-451b-ba78-49c69afe649b',
    spec: { url: `https://images.test/${letter}`, sha256: letter.repeat(64), format: 'raw', maxBytes: 1 },
    drift: [],
  });
  for (const letter of ['a', 'b']) live.put(host, image(letter));
  for (const letter of ['a', 'b']) expect(host.things.has(thingKey(image(letter)))).toBe(true);
  for (const letter of ['b', 'a']) expect(live.remove(host, image(letter))).toBeDefined();
  expect(host.things.size).toBe(0);
});
