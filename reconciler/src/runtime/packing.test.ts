import type { PlumbObject } from '@plumb/schemas';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Packer } from './packing.ts';
import { MAX_WORDS } from './vocabulary.ts';

const UID = '3f2a1b0c-9d8e-4f70-a1b2-c3d4e5f60718';

function object(more: object = {}, metadata: object = {}): PlumbObject {
  return {
    apiVersion: 'plumb.dev/v1',
    kind: 'Instance',
    metadata: { name: 'web-0', uid: UID, generation: 1, creationTimestamp: '2026-01-01T00:00:00Z', ...metadata },
    spec: {},
    ...more,
  } as PlumbObject;
}

const pack = (packer: Packer, value: PlumbObject) => Buffer.from(packer.pack(value)).toString('latin1');

/** As JSON text, so that the order of fields counts. */
function there(packer: Packer, value: PlumbObject): string {
  return JSON.stringify(packer.unpack(pack(packer, value)));
}

const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc.uuid(),
  fc.uuid().map((uid) => uid.toUpperCase()),
  fc.constantFrom(UID, `${UID}.root`, UID.slice(1), '2026-13-99T99:99:99Z', '2026-01-01T00:00:00.0', 'word', 'Wörter'),
);
const json = fc.jsonValue({ maxDepth: 4, stringUnit: 'grapheme' });

test('every object comes back equal, with its fields in their order', () => {
  const packer = new Packer();
  const any = fc.record({
    spec: fc.dictionary(text, fc.oneof(json, text)),
    status: fc.option(fc.dictionary(text, fc.oneof(json, text)), { nil: undefined }),
    labels: fc.option(fc.dictionary(text, text), { nil: undefined }),
    name: text,
    uid: fc.oneof(fc.uuid(), text),
  });
  fc.assert(
    fc.property(any, ({ spec, status, labels, name, uid }) => {
      const value = object({ spec, status }, { name, uid, labels });
      // As it is after the store: without fields that are undefined, and -0 is 0.
      const stored = JSON.parse(JSON.stringify(value)) as PlumbObject;
      expect(there(packer, stored)).toBe(JSON.stringify(stored));
      expect(packer.uidOf(pack(packer, stored))).toBe(stored.metadata.uid);
      expect(packer.nameOf(pack(packer, stored))).toBe(stored.metadata.name);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  [0, -0, 1, -1, 127, 128, 2 ** 31 - 1, 2 ** 31, 2 ** 53, 1.5, -1e300],
  [true, false, null, '', [], {}, [[]], [{}], [null, [true]]],
])('values of all sorts: %j', (...values) => {
  const value = object({ spec: { values } });
  expect(there(new Packer(), value)).toBe(JSON.stringify(value));
});

test('what was packed early is unpacked after much was learned', () => {
  const packer = new Packer();
  const early = Array.from({ length: 50 }, (_, i) => object({ spec: { n: `web-${i}`, zone: 'home' } }));
  const packed = early.map((value) => pack(packer, value));
  for (let i = 0; i < 30_000; i++)
    for (const uid of ['a', 'b']) packer.pack(object({ spec: { [`k${i % 100}`]: `word ${i}` } }, { uid }));
  expect(packed.map((p) => packer.unpack(p))).toEqual(early);
  const late = object({ spec: { k7: `word ${MAX_WORDS - 100}`, other: 'word 29999' } });
  expect(packer.unpack(pack(packer, late))).toEqual(late);
});

test('objects with ever other fields stay readable, and the packer small', () => {
  const packer = new Packer();
  const values = Array.from({ length: 20_000 }, (_, i) => object({ spec: { [`field-${i}`]: { deep: [i] } } }));
  const packed = values.map((value) => pack(packer, value));
  expect(packed.map((p) => packer.unpack(p))).toEqual(values);
});

test('a field that would be the prototype is a field', () => {
  const value = JSON.parse(JSON.stringify(object())) as PlumbObject;
  value.spec = JSON.parse('{"__proto__":{"polluted":true},"a":1}');
  expect(there(new Packer(), value)).toBe(JSON.stringify(value));
});

test('resourceVersion is left out, whatever it is', () => {
  const value = object({}, { resourceVersion: '7' });
  expect(pack(new Packer(), value)).not.toContain('resourceVersion');
  expect(there(new Packer(), value)).toBe(JSON.stringify(object()));
});

test('who owns what is one word of the objects that are declared alike', () => {
  const packer = new Packer();
  const owned = (uid: string, manager = 'kubectl') =>
    object(
      {},
      {
        uid,
        managedFields: [
          {
            manager,
            operation: 'Apply',
            apiVersion: 'plumb.dev/v1',
            time: '2026-01-01T00:00:00Z',
            fieldsType: 'FieldsV1',
            fieldsV1: {
              'f:spec': {
                'f:interfaces': { 'k:{"name":"eth0"}': { '.': {}, 'f:l3Network': {}, 'f:name': {} } },
                'f:zone': {},
              },
            },
          },
        ],
      },
    );
  const uids = Array.from({ length: 400 }, (_, i) => `3f2a1b0c-9d8e-4f70-a1b2-${String(i).padStart(12, '0')}`);
  for (const uid of uids) packer.pack(owned(uid));
  const [bare, first, second] = [object({}, { uid: uids[0] }), owned(uids[0]!), owned(uids[1]!)];
  expect(pack(packer, first).length - pack(packer, bare).length).toBeLessThan(20);
  expect(there(packer, first)).toBe(JSON.stringify(first));
  const [a, b] = [first, second].map(
    (value) => packer.unpack(pack(packer, value)).metadata.managedFields![0]!.fieldsV1,
  );
  expect(a).toBe(b);
});
