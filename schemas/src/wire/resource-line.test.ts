import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LiveResource } from '../resources/host-resources.ts';
import { identityOfLine, lineDrifted, lineHead, liveDigest, resourceFromLine, resourceLine } from './resource-line.ts';

const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constant('\x01\x02\x1f\n "ü'));
const id = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/);
const drift = fc.array(text, { maxLength: 2 });
const optional = { requiredKeys: [] };

const bridge = fc.record({
  kind: fc.constant('bridge' as const),
  ...{ id, owner: id, drift },
  spec: fc
    .tuple(
      fc.record({ name: text, type: fc.constantFrom('flat', 'vxlan'), mtuBytes: fc.nat(), peers: fc.array(text) }),
      fc.record({ vni: fc.nat(), physicalInterface: text }, optional),
    )
    .map(([a, b]) => ({ ...b, ...a })),
});
const port = fc.record({ id, macAddress: text, mtuBytes: fc.nat() });
const domain = fc.record({
  kind: fc.constant('domain' as const),
  ...{ id, owner: id, drift },
  spec: fc
    .tuple(
      fc.record({ name: text, cpus: fc.nat(), memoryMiB: fc.nat(), disks: fc.array(id), ports: fc.array(port) }),
      fc.record({ seed: id }, optional),
      fc.record({ power: fc.constantFrom('Running', 'Stopped') }),
    )
    .map((parts) => Object.assign({}, ...parts)),
  domain: fc.record(
    {
      state: fc.constantFrom('running', 'off'),
      reason: fc.constantFrom('booted', 'shutdown', 'crashed', 'panicked', 'destroyed', 'saved', 'unknown'),
      maxCpus: fc.integer({ min: 1 }),
      oldSeed: fc.constant(true),
      atRisk: fc.string({ minLength: 1 }),
      edited: fc.string({ minLength: 1, unit: 'binary' }),
      paused: fc.string({ minLength: 1 }),
    },
    { requiredKeys: ['state', 'reason'] },
  ),
});
const live = fc.oneof(bridge, domain) as fc.Arbitrary<LiveResource>;

test('a resource is the same after its line, which is one line and knows what it is of', () => {
  fc.assert(
    fc.property(live, (resource) => {
      const line = resourceLine(resource);
      expect(resourceFromLine(line)).toEqual(resource);
      expect(line).not.toContain('\n');
      expect(line.startsWith(lineHead(resource))).toBe(true);
      expect(identityOfLine(line)).toEqual({ kind: resource.kind, id: resource.id });
      expect(lineDrifted(line)).toBe(resource.drift.length > 0);
    }),
  );
});

test('the order of keys does not matter, every value does', () => {
  const resource = (spec: object): LiveResource => ({ kind: 'image', id: 'i', owner: 'o', spec, drift: [] }) as never;
  const one = { url: 'u', sha256: 's', format: 'raw', maxBytes: 1 };
  const other = { maxBytes: 1, format: 'raw', sha256: 's', url: 'u' };
  expect(resourceLine(resource(other))).toBe(resourceLine(resource(one)));
  for (const change of [{ url: 'v' }, { sha256: 't' }, { format: 'qcow2' }, { maxBytes: 2 }])
    expect(resourceLine(resource({ ...one, ...change }))).not.toBe(resourceLine(resource(one)));
});

test('the digest is of the resources, not of their order', () => {
  expect(liveDigest(['a', 'b'])).toBe(liveDigest(['b', 'a']));
  expect(liveDigest(['a', 'b'])).not.toBe(liveDigest(['a']));
  expect(liveDigest([])).not.toBe(liveDigest(['x']));
});
