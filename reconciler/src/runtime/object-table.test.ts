import { type KindDefinition, kindByName, type PlumbObject } from '@plumb/schemas';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keys } from '../store/keys.ts';
import { ObjectTable } from './object-table.ts';
import { referenceKeys } from './references.ts';

const instanceKind = kindByName('Instance') as KindDefinition;

function instance(name: string, uid: string, more: { image?: string; nets?: string[] } = {}): PlumbObject {
  return {
    apiVersion: 'plumb.dev/v1',
    kind: 'Instance',
    metadata: {
      name,
      namespace: 'default',
      uid,
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    spec: {
      zone: 'home',
      image: more.image ?? 'tiny',
      interfaces: (more.nets ?? ['lab']).map((l3Network, i) => ({ name: `eth${i}`, l3Network })),
    },
  };
}

const keyOf = (name: string) => keys.object('instances', 'default', name);

test('answers as a plain map would, whatever comes and goes, packed or not', () => {
  const step = fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    uid: fc.uuid(),
    again: fc.boolean(),
    what: fc.constantFrom('put', 'put', 'pack', 'remove'),
    image: fc.constantFrom('x', 'y'),
    nets: fc.subarray(['n1', 'n2', 'other/n3']),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const table = new ObjectTable();
      const model = new Map<string, { object: PlumbObject; revision: number }>();
      for (const [i, { name, uid, again, what, image, nets }] of steps.entries()) {
        const key = keyOf(name);
        const before = model.get(key);
        if (what === 'remove') {
          expect(table.remove(key)?.object).toEqual(before?.object);
          model.delete(key);
        } else {
          const object = instance(name, again && before ? before.object.metadata.uid : uid, { image, nets });
          object.metadata.resourceVersion = String(i + 1);
          const put = table.put(key, object, i + 1, what === 'pack');
          expect(put.before?.object).toEqual(before?.object);
          expect(put.after.object).toEqual(object);
          model.set(key, { object, revision: i + 1 });
        }
        if (before && !model.get(key)?.object.metadata.uid.includes(before.object.metadata.uid))
          expect(table.byUid(before.object.metadata.uid)).toBeUndefined();
      }
      expect(table.size).toBe(model.size);
      expect(table.count('instances')).toBe(model.size);
      expect([...table.keys()].sort()).toEqual([...model.keys()].sort());
      expect([...table.list('instances')].map((c) => c.key).sort()).toEqual([...model.keys()].sort());
      for (const [key, { object, revision }] of model) {
        expect(table.get(key)).toMatchObject({ key, revision, object });
        expect(table.revisionOf(key)).toBe(revision);
        expect(table.byUid(object.metadata.uid)?.key).toBe(key);
      }
      for (const target of ['/objects/images//x', '/objects/l3networks/default/n1', '/objects/l3networks/other/n3']) {
        const expected = [...model].filter(([, { object }]) => referenceKeys(instanceKind, object).includes(target));
        expect([...table.referrers(target)].map((c) => c.key).sort()).toEqual(expected.map(([key]) => key).sort());
      }
    }),
    { numRuns: 300 },
  );
});

test('what was used lately is unpacked once, what was not is packed again, and who holds it keeps it as it was', () => {
  const table = new ObjectTable();
  const uid = (i: number) => `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`;
  for (let i = 0; i < 10_000; i++) table.put(keyOf(`n${i}`), instance(`n${i}`, uid(i)), 1, true);
  const held = table.get(keyOf('n1'))!;
  expect(table.get(keyOf('n1'))).toBe(held);
  const copy = { ...held, object: held.object };
  table.put(keyOf('n1'), instance('n1', uid(1), { image: 'new' }), 2, false);
  for (let i = 0; i < 10_000; i++) expect(table.get(keyOf(`n${i}`))!.object.metadata.uid).toBe(uid(i));
  expect(held.object.spec.image).toBe('tiny');
  expect(copy).toMatchObject({ key: keyOf('n1'), revision: 1 });
  expect(table.get(keyOf('n1'))!.object.spec.image).toBe('new');
});
