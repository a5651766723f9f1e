import type { LiveResource } from '@plumb/schemas';
import { resourceKey } from '@plumb/schemas';
import { liveDigest, resourceLine } from '@plumb/schemas/wire/resource-line.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LiveState } from './live-state.ts';

const facts = { driver: 'simulated', agentVersion: '1', cpus: 1, memoryMiB: 1, tunnelAddress: '', streamAddress: '' };

const bridge = (id: string, owner = id): LiveResource => ({
  kind: 'bridge',
  id,
  owner,
  spec: { name: id, type: 'flat', physicalInterface: 'eth0', mtuBytes: 1500, peers: [] },
  drift: [],
});

test('changes name the resource, its host and its owner; what was not known needs no word when it goes', () => {
  const live = new LiveState();
  const host = live.meet('h', facts);
  const change = { type: 'resource', host: 'h', kind: 'bridge', id: 'b', owner: 'o' };
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
  expect(again.resources.size).toBe(1);
});

type Act =
  | { act: 'put'; host: string; resource: LiveResource }
  | { act: 'remove'; host: string; resource: LiveResource }
  | { act: 'replace'; host: string; resources: LiveResource[] }
  | { act: 'forget'; host: string };

const uids = ['o1', '3f0e2a54-7b7e-4c39-9a5e-0d6b8a2f1c11', '9b1d6f0e-33aa-4f6e-8a43-5a0c6d2e7f22'];
const sum = 'ab'.repeat(32);
const owner = fc.constantFrom(...uids);
const drift = fc.constantFrom<string[]>([], [], ['it is down']);
const base = (id: string, uid: string, drifted: string[]) => ({ id, owner: uid, drift: drifted });
/** Also resources whose ids do not begin with their owner's uid, as those of images, and that move to another owner. */
const resource: fc.Arbitrary<LiveResource> = fc
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
  fc.record({ act: fc.constant('put' as const), host: hostName, resource }),
  fc.record({ act: fc.constant('remove' as const), host: hostName, resource }),
  fc.record({ act: fc.constant('replace' as const), host: hostName, resources: fc.array(resource, { maxLength: 5 }) }),
  fc.record({ act: fc.constant('forget' as const), host: hostName }),
);

class Model {
  readonly hosts = new Map<string, Map<string, LiveResource>>();

  do(one: Act): void {
    const resources = this.hosts.get(one.host) ?? new Map<string, LiveResource>();
    this.hosts.set(one.host, resources);
    if (one.act === 'put') resources.set(resourceKey(one.resource), one.resource);
    else if (one.act === 'remove') resources.delete(resourceKey(one.resource));
    else resources.clear();
    if (one.act === 'replace') for (const each of one.resources) resources.set(resourceKey(each), each);
    if (one.act === 'forget') this.hosts.delete(one.host);
  }

  ownedBy(uid: string): string[] {
    const found = [...this.hosts].flatMap(([host, resources]) =>
      [...resources.values()].filter((each) => each.owner === uid).map((each) => `${host} ${resourceLine(each)}`),
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
  if (one.act === 'put') live.put(host, one.resource);
  else if (one.act === 'remove') live.remove(host, one.resource);
  else live.replace(host, one.resources);
}

test('it says what a plain list of resources would say, by host, by key and by owner', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
      const live = new LiveState();
      const model = new Model();
      for (const one of acts) {
        apply(live, one);
        model.do(one);
      }
      expect([...live.hosts()].map(({ name }) => name).sort()).toEqual([...model.hosts.keys()].sort());
      for (const [name, resources] of model.hosts) {
        const host = live.host(name)!;
        expect([...host.resources.keys()].sort()).toEqual([...resources.keys()].sort());
        expect(host.resources.size).toBe(resources.size);
        for (const [key, each] of resources) {
          expect(host.resources.get(key)).toEqual(each);
          expect(host.resources.has(key)).toBe(true);
        }
        expect(host.resources.has(`disk/${uids[1]}.other`)).toBe(false);
        expect([...host.owners()].sort()).toEqual([...new Set([...resources.values()].map((t) => t.owner))].sort());
        expect(live.digestOf(host)).toBe(liveDigest([...resources.values()].map(resourceLine)));
      }
      for (const uid of uids) {
        const found = [...live.ownedBy(uid)].map(({ host, resource: each }) => `${host} ${resourceLine(each)}`);
        expect(found.sort()).toEqual(model.ownedBy(uid));
        for (const [name, resources] of model.hosts) {
          const own = [...resources.values()].filter((each) => each.owner === uid);
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
          .map(resourceLine)
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
  expect(first!.resource).toBe(second!.resource);
  live.put(live.host('h1')!, { ...bridge('b'), drift: ['it is down'] });
  expect([...live.ownedBy('b')].map(({ resource: each }) => each.drift.length)).toEqual([1, 0, 0]);
});

test('what changed together is as if it had changed one after the other', () => {
  fc.assert(
    fc.property(
      fc.array(resource, { maxLength: 5 }),
      fc.array(resource, { minLength: 1, maxLength: 8 }),
      (before, changed) => {
        const [together, apart] = [new LiveState(), new LiveState()];
        const hosts = [together, apart].map((live) => live.meet('h', facts));
        for (const [i, live] of [together, apart].entries()) live.replace(hosts[i]!, before);
        const told = together.putAll(hosts[0]!, changed);
        expect(told).toEqual(changed.map((one) => apart.put(hosts[1]!, one)));
        expect(together.digestOf(hosts[0]!)).toBe(apart.digestOf(hosts[1]!));
        for (const uid of uids)
          expect([...together.ownedBy(uid)].map((o) => resourceLine(o.resource))).toEqual(
            [...apart.ownedBy(uid)].map((o) => resourceLine(o.resource)),
          );
      },
    ),
  );
});

test('each of two images of one owner is found by its sum, and goes', () => {
  const live = new LiveState();
  const host = live.meet('h', facts);
  const image = (letter: string): LiveResource => ({
    kind: 'image',
    id: letter.repeat(64),
    owner: 'f448e9cd-48b5-451b-ba78-49c69afe649b',
    spec: { url: `https://images.test/${letter}`, sha256: letter.repeat(64), format: 'raw', maxBytes: 1 },
    drift: [],
  });
  for (const letter of ['a', 'b']) live.put(host, image(letter));
  for (const letter of ['a', 'b']) expect(host.resources.has(resourceKey(image(letter)))).toBe(true);
  for (const letter of ['b', 'a']) expect(live.remove(host, image(letter))).toBeDefined();
  expect(host.resources.size).toBe(0);
});
