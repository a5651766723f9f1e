import { instance, zone } from '@plumb/schemas';
import { sampleWith, secretPlaces, withAt } from '@plumb/schemas/project/testing/secret-places.ts';
import { expect, test } from 'vitest';
import { examine, markedText } from './examine.ts';
import { nestedBeyond } from './nesting.ts';

const KEY = '/objects/instances/default/web-0';
const spec = { zone: 'home', offering: 'small', image: 'tiny', interfaces: [{ name: 'eth0', l3Network: 'lab' }] };
const metadata = {
  name: 'web-0',
  namespace: 'default',
  uid: 'u-1',
  generation: 3,
  creationTimestamp: '2026-01-01T00:00:00Z',
};
const stored = { apiVersion: 'plumb.dev/v1', kind: 'Instance', metadata, spec };
const read = (value: unknown, key = KEY) =>
  examine(instance, { key, revision: 7, value: typeof value === 'string' ? value : JSON.stringify(value) });

test('what has its shape is the object, with its revision and the defaults that it lacks', () => {
  expect(read(stored).object).toEqual({
    ...stored,
    metadata: { ...metadata, resourceVersion: '7' },
    spec: { ...spec, power: 'Running', restartPolicy: 'OnFailure', driftPolicy: 'Repair', allowDataLoss: false },
  });
});

test.each([
  [
    stored,
    '/objects/instances/default/web-1',
    'metadata names another object than the key of the record, which is that of web-1',
  ],
  [stored, '/objects/instances//web-0', 'the key of the record is none that an Instance can have'],
  [stored, '/objects/instances/web-0', 'the key of the record is none that an Instance can have'],
  [stored, '/objects/instances/default/web-0/more', 'the key of the record is none that an Instance can have'],
  [{ ...stored, metadata: { ...metadata, uid: 'a/../b' } }, KEY, 'metadata.uid is no uid'],
  [
    { ...stored, apiVersion: 'plumb.dev/v2' },
    KEY,
    'apiVersion is plumb.dev/v2, and this Plumb knows plumb.dev/v1: run the Plumb that wrote the object, or a newer one',
  ],
  [JSON.stringify(stored).repeat(2), KEY, `the record is not JSON (${2 * JSON.stringify(stored).length} characters)`],
  [{ ...stored, spec: { ...spec, userData: 5 } }, KEY, 'spec.userData is a number, not a text'],
])('what is none says where and what, case %#', (value, key, problem) => {
  const { poison } = read(value, key);
  expect(poison!.problems.map(({ field, message }) => `${field} ${message}`)).toEqual([problem]);
});

test('of what is no object that is kept which can be understood, and a cut record still tells its uid', () => {
  const status = { host: 'h', conditions: [] };
  const { poison } = read({ ...stored, metadata: { ...metadata, labels: 7, finalizers: ['a'] }, status });
  expect(poison).toMatchObject({ uid: 'u-1', hasStatus: true, rest: { spec, status } });
  expect(poison!.rest.metadata).toEqual({ ...metadata, finalizers: ['a'], resourceVersion: '7' });
  const text = JSON.stringify(stored);
  expect(read(text.slice(0, text.indexOf('"generation"'))).poison).toMatchObject({ uid: 'u-1', hasStatus: false });
  // The uid of an object inside a change set is not that of the change set.
  expect(
    read('{"kind":"Instance","metadata":{"name":"a"},"spec":{"metadata":{"uid":"u-2"').poison!.uid,
  ).toBeUndefined();
});

test('marked for deletion it is what it was, as far as that could be read, and stays what nobody understands', () => {
  for (const text of [JSON.stringify(stored).slice(0, -9), JSON.stringify({ ...stored, status: 5 }), 'x']) {
    const entry = { key: KEY, value: text, revision: 7 };
    const marked = read(markedText(entry, examine(instance, entry).poison!, '2026-02-03T04:05:06Z'));
    expect(marked.poison).toMatchObject({
      hasStatus: false,
      rest: { metadata: { name: 'web-0', deletionTimestamp: '2026-02-03T04:05:06Z' } },
    });
  }
});

test('cluster scoped objects have no namespace in their key', () => {
  const text = JSON.stringify({ ...stored, kind: 'Zone', metadata: { ...metadata, namespace: undefined }, spec: {} });
  expect(examine(zone, { key: '/objects/zones//web-0', value: text, revision: 1 }).object).toBeDefined();
});

test('how deep JSON is nested is found without parsing it, whatever its strings hold', () => {
  const deep = (n: number, inside: string) => `${'[{"a":'.repeat(n)}${inside}${'}]'.repeat(n)}`;
  const brackets = JSON.stringify(`${'['.repeat(5_000)}\\"${'{'.repeat(5_000)}\\\\`);
  expect(nestedBeyond(deep(50, brackets), 100)).toBe(false);
  expect(nestedBeyond(deep(51, brackets), 100)).toBe(true);
  expect(nestedBeyond(`"${'['.repeat(5_000)}`, 100)).toBe(false);
});

test('what is said of a record holds no secret of it, whatever is wrong with it', () => {
  const SECRET = 'hush-hush-hush';
  for (const place of secretPlaces()) {
    const { kind, path } = place;
    const key = `/objects/${kind.plural}/${kind.scope === 'Cluster' ? '' : 'default'}/x`;
    const sample = { ...sampleWith(place, 'x', SECRET), metadata: { ...metadata, name: 'x' } };
    for (let depth = path.length; depth >= 0; depth--) {
      for (const wrong of [
        (v: unknown) => [v],
        (v: unknown) => JSON.stringify(v),
        () => SECRET,
        () => ({ a: SECRET }),
      ]) {
        const value = JSON.stringify(withAt(sample, path.slice(0, depth), wrong));
        for (const text of [value, value.slice(0, -3), value.replace(':', ' ')]) {
          const { poison } = examine(kind, { key, revision: 1, value: text });
          expect(JSON.stringify(poison?.problems ?? '')).not.toContain('hush');
        }
      }
    }
  }
});

const held = { name: 'eth0', l3Network: 'default/lab', l3NetworkUid: 'n', macAddress: '02:00:00:00:00:01' };

test.each([
  ['host', { host: 'h\ud800' }, 'status.host'],
  ['host', { host: '' }, 'status.host'],
  ['address', { interfaces: [{ ...held, addresses: ['10.0.0.1 '] }] }, 'status.interfaces'],
  ['disk', { rootDisk: { id: 'u-2.root', imageUid: 'i', sha256: 'ab', format: 'raw' } }, 'status.rootDisk.id'],
])('an instance whose status names a %s that none can be is set aside with its uid: %j', (_, status, field) => {
  const { poison } = read({ ...stored, status: { conditions: [], ...status } });
  expect(poison).toMatchObject({ uid: 'u-1', hasStatus: false, problems: [{ field }] });
});
