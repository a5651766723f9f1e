import { kindByName, type PlumbObject } from '@plumb/schemas';
import { expect, test } from 'vitest';
import type { Cached } from './object-table.ts';
import { ImaginedReader, type Reader } from './reader.ts';
import { referenceKeys } from './references.ts';

function cached(kindName: string, name: string, spec: object, uid = `uid of ${name}`): Cached {
  const kind = kindByName(kindName)!;
  const metadata = { name, uid, ...(kind.scope === 'Namespaced' ? { namespace: 'default' } : {}) };
  const namespace = kind.scope === 'Namespaced' ? 'default' : '';
  const object = { apiVersion: 'v1', kind: kindName, metadata, spec } as unknown as PlumbObject;
  return { key: `/objects/${kind.plural}/${namespace}/${name}`, kind, object, revision: 1 };
}

/** What is really there. */
function readerOf(objects: readonly Cached[]): Reader {
  return {
    get: (key) => objects.find((one) => one.key === key) as never,
    byUid: (uid) => objects.find(({ object }) => object.metadata.uid === uid),
    keyOf: (uid) => objects.find(({ object }) => object.metadata.uid === uid)?.key,
    list: (plural) => objects.filter(({ kind }) => kind.plural === plural) as never,
    referrers: (key) => objects.filter(({ kind, object }) => referenceKeys(kind, object).includes(key)),
  };
}

const specs = (read: Iterable<Cached>) =>
  Array.from(read, ({ object }) => `${object.metadata.name} ${JSON.stringify(object.spec)}`);

test('what is imagined is read in the place of what is there, whatever way it is read', () => {
  const [home, away] = ['/objects/zones//home', '/objects/zones//away'];
  const real = readerOf([cached('L2Network', 'a', { zone: 'home' }), cached('L2Network', 'b', { zone: 'home' })]);
  const moved = cached('L2Network', 'b', { zone: 'away' });
  const made = cached('L2Network', 'c', { zone: 'home' });
  const instead = new Map([moved, made].map((one) => [one.key, one]));
  const reader = new ImaginedReader(real, instead);
  expect(reader.get('/objects/l2networks//b')).toBe(moved);
  expect(reader.get('/objects/l2networks//a')?.object.spec).toEqual({ zone: 'home' });
  expect(reader.byUid('uid of c')).toBe(made);
  expect(reader.keyOf('uid of a')).toBe('/objects/l2networks//a');
  expect(specs(reader.list('l2networks'))).toEqual(['a {"zone":"home"}', 'b {"zone":"away"}', 'c {"zone":"home"}']);
  expect(specs(reader.referrers(home))).toEqual(['a {"zone":"home"}', 'c {"zone":"home"}']);
  expect(specs(reader.referrers(away))).toEqual(['b {"zone":"away"}']);
  const ready = { ...made, object: { ...made.object, status: { observedGeneration: 1 } } };
  instead.set(made.key, ready as Cached);
  expect(reader.byUid('uid of c')?.object.status).toEqual({ observedGeneration: 1 });
  expect([...reader.referrers(home)][1]?.object.status).toEqual({ observedGeneration: 1 });
});
