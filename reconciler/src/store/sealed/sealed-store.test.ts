import { PlumbError, type PlumbObject, secret as secretKind } from '@plumb/schemas';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { examine } from '../examine.ts';
import { keys } from '../keys.ts';
import { MemoryStore } from '../memory.ts';
import { encodeObject } from '../object-codec.ts';
import { KeyRing, SEALED } from './key-ring.ts';
import { reseal, SealedStore } from './sealed-store.ts';

const keyText = (n: number) => Buffer.alloc(32, n).toString('base64');
const ring = (...numbers: number[]) => KeyRing.parse(numbers.map(keyText).join('\n'), 'the file');
const at = (name: string) => keys.object('secrets', 'default', name);
const put = (key: string, value: string) => ({ preconditions: [], ops: [{ type: 'put' as const, key, value }] });

test('any text comes back from its own place by any of the keys, and from no other place, nor changed', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string(), fc.nat(), (text, key, bit) => {
      const sealed = ring(1).seal(key, text);
      expect(ring(2, 1).open(key, sealed)).toBe(text);
      expect(ring(2).open(key, sealed)).toBeUndefined();
      expect(ring(1).open(`${key}x`, sealed)).toBeUndefined();
      const bytes = Buffer.from(sealed.slice(sealed.lastIndexOf(':') + 1), 'base64');
      bytes[bit % bytes.length]! ^= 1 << (bit % 8);
      const changed = sealed.slice(0, sealed.lastIndexOf(':') + 1) + bytes.toString('base64');
      expect(ring(1).open(key, changed)).toBeUndefined();
    }),
  );
});

test('the same text is sealed otherwise each time', () => {
  const one = ring(1);
  expect(new Set(Array.from({ length: 100 }, () => one.seal('k', 'text'))).size).toBe(100);
});

test.each([
  ['', 'holds no key'],
  ['# nothing\n\n', 'holds no key'],
  [`${keyText(1)}\nTOP-SECRET`, 'line 2 of the file is no key'],
  [Buffer.alloc(31, 1).toString('base64'), 'line 1 of the file is no key'],
  [`${keyText(1)}\n${keyText(1)}`, 'line 2 of the file holds a key that an earlier line holds'],
])('a key file of %j is refused, and what stands there is not told', (text, message) => {
  let thrown: unknown;
  try {
    KeyRing.parse(text, 'the file');
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(PlumbError);
  expect((thrown as PlumbError).message).toContain(message);
  expect((thrown as PlumbError).message).not.toContain('TOP-SECRET');
});

test('secrets lie encrypted, others do not; reads, lists and watches show both in clear', async () => {
  const disk = new MemoryStore();
  const store = new SealedStore(disk, ring(1));
  const signal = AbortSignal.timeout(5_000);
  const seen = store.watch('/objects/', store.revision(), signal)[Symbol.asyncIterator]();
  await store.commit({
    preconditions: [],
    ops: [...put(at('a'), 'secret text').ops, ...put('/objects/zones//home', 'plain text').ops],
  });
  expect((await disk.get(at('a')))!.value).toMatch(/^sealed:1:[0-9a-f]{16}:/);
  expect((await disk.get(at('a')))!.value).not.toContain('secret text');
  expect((await disk.get('/objects/zones//home'))!.value).toBe('plain text');
  expect((await store.get(at('a')))!.value).toBe('secret text');
  for (const prefix of ['/', '/objects/', keys.kind('secrets'), keys.namespace('secrets', 'default')])
    expect((await store.list(prefix)).entries.find(({ key }) => key === at('a'))?.value).toBe('secret text');
  expect((await seen.next()).value.changes.map(({ value }: { value: string }) => value)).toEqual(
    expect.arrayContaining(['secret text', 'plain text']),
  );
  await store.commit({ preconditions: [], ops: [{ type: 'delete', key: at('a') }] });
  expect((await seen.next()).value.changes).toEqual([{ key: at('a'), value: undefined, previous: 'secret text' }]);
});

test('after the first key changed everything is encrypted anew, also what was in clear, and the old key is needed no more', async () => {
  const disk = new MemoryStore();
  const old = new SealedStore(disk, ring(1));
  for (const name of ['a', 'b']) await old.commit(put(at(name), `text of ${name}`));
  await disk.commit(put(at('clear'), 'text of clear'));
  expect(await reseal(disk, ring(2, 1))).toEqual({ renewed: 3, unreadable: [] });
  expect(await reseal(disk, ring(2, 1))).toEqual({ renewed: 0, unreadable: [] });
  const now = new SealedStore(disk, ring(2));
  for (const name of ['a', 'b', 'clear']) expect((await now.get(at(name)))!.value).toBe(`text of ${name}`);
});

test('what cannot be decrypted is told, stays as it is, and is an object that says why it cannot be read', async () => {
  const disk = new MemoryStore();
  const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a', namespace: 'default', uid: 'u-1' } };
  await new SealedStore(disk, ring(1)).commit(put(at('a'), encodeObject(object as PlumbObject)));
  const before = (await disk.get(at('a')))!.value;
  expect(await reseal(disk, ring(2))).toEqual({ renewed: 0, unreadable: [at('a')] });
  expect((await disk.get(at('a')))!.value).toBe(before);
  const entry = (await new SealedStore(disk, ring(2)).get(at('a')))!;
  expect(entry.value.startsWith(SEALED)).toBe(true);
  const { poison } = examine(secretKind, entry);
  expect(poison!.problems[0]!.message).toContain('is encrypted, and the server has not the key');
});
