import type { Host } from '@plumb/schemas';
import { host } from '@plumb/schemas';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FakeFleet } from '../../fleet/testing/fake-fleet.ts';
import type { CacheChange } from '../../runtime/cache.ts';
import { TunnelEndpoints } from './tunnel-endpoints.ts';

function rig() {
  const fleet = new FakeFleet();
  const listeners: ((change: CacheChange) => void)[] = [];
  const cache = {
    onChange(listener: (change: CacheChange) => void) {
      listeners.push(listener);
      return () => {};
    },
  };
  const endpoints = new TunnelEndpoints({ cache, fleet, ownAddresses: () => [] });
  const objects = new Map<string, Host>();
  const change = (name: string, object: Host | undefined) => {
    const [before, after] = [objects.get(name), object].map(
      (o) => o && { key: name, kind: host, object: o, revision: 1 },
    );
    if (object) objects.set(name, object);
    else objects.delete(name);
    for (const listener of listeners) listener({ key: name, kind: host, before, after } as CacheChange);
  };
  const declare = (name: string, tunnelAddress?: string, created = '2026-01-01T00:00:00Z') => {
    const spec = { zone: 'home', tunnelAddress };
    const status = objects.get(name)?.status;
    change(name, { metadata: { name, creationTimestamp: created }, spec, status } as unknown as Host);
  };
  const keep = (name: string) =>
    change(name, { ...objects.get(name)!, status: { tunnelAddress: endpoints.addressOf(name) } } as unknown as Host);
  const stream = (name: string, address: string) => fleet.connect(name, { streamAddress: address, tunnelAddress: '' });
  return { endpoints, objects, declare, keep, stream, forget: (name: string) => change(name, undefined) };
}

test('of two hosts with one address the first keeps it, and the other is told whose it is', () => {
  const { endpoints, declare, keep, stream, forget } = rig();
  declare('honest', undefined, '2026-01-02T00:00:00Z');
  stream('honest', '192.0.2.1');
  keep('honest');
  declare('liar');
  stream('liar', '192.0.2.1');
  expect([endpoints.addressOf('honest'), endpoints.addressOf('liar')]).toEqual(['192.0.2.1', '']);
  expect(endpoints.problemOf('honest')).toBeUndefined();
  expect(endpoints.problemOf('liar')).toMatchObject({ reason: 'AddressTaken', message: /host honest/ });
  declare('liar', '192.0.2.2');
  expect([endpoints.addressOf('liar'), endpoints.problemOf('liar')]).toEqual(['192.0.2.2', undefined]);
  declare('liar');
  forget('honest');
  expect(endpoints.addressOf('liar')).toBe('192.0.2.1');
  declare('honest', '192.0.2.1');
  expect([endpoints.addressOf('honest'), endpoints.addressOf('liar')]).toEqual(['192.0.2.1', '']);
});

test('who is not declared has no address', () => {
  const { endpoints, stream, declare } = rig();
  stream('h', '192.0.2.1');
  expect(endpoints.addressOf('h')).toBe('');
  declare('h');
  expect(endpoints.addressOf('h')).toBe('192.0.2.1');
});

test('no address is that of two hosts, one that nobody else wants is had, and every change is told', () => {
  const aHost = fc.constantFrom('a', 'b', 'c', 'd');
  const anAddress = fc.constantFrom('192.0.2.1', '192.0.2.2', '', 'x');
  const anAction = fc.oneof(
    fc.record({ declare: aHost, address: fc.option(anAddress, { nil: undefined }) }),
    fc.record({ stream: aHost, address: anAddress }),
    fc.record({ keep: aHost }),
    fc.record({ forget: aHost }),
  );
  fc.assert(
    fc.property(fc.array(anAction, { maxLength: 30 }), (actions) => {
      const { endpoints, objects, declare, keep, stream, forget } = rig();
      const told = new Set<string>();
      endpoints.onChange((name) => told.add(name));
      for (const action of actions) {
        const before = new Map(['a', 'b', 'c', 'd'].map((name) => [name, endpoints.addressOf(name)]));
        told.clear();
        if ('declare' in action) declare(action.declare, action.address);
        else if ('stream' in action) stream(action.stream, action.address);
        else if ('keep' in action) objects.has(action.keep) && keep(action.keep);
        else if (objects.has(action.forget)) forget(action.forget);
        const had = [...before.keys()].map((name) => endpoints.addressOf(name)).filter((address) => address !== '');
        expect(new Set(had).size).toBe(had.length);
        for (const [name, address] of before) if (endpoints.addressOf(name) !== address) expect(told).toContain(name);
        for (const name of objects.keys())
          if (endpoints.addressOf(name) === '' && endpoints.problemOf(name)?.reason === 'AddressTaken')
            expect(had.length).toBeGreaterThan(0);
      }
    }),
    { numRuns: 200 },
  );
});
