import { kinds, type PlumbObject } from '@plumb/schemas';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { referenceKeys, sameReferences } from './references.ts';

const word = fc.constantFrom<unknown>('a', 'b', 'other/a', '', undefined, null, 7, { a: 'a' });
const instance = kinds.find(({ kind }) => kind === 'Instance')!;

const object = fc.record({
  namespace: fc.constantFrom('default', 'other'),
  spec: fc.record({
    zone: word,
    image: word,
    offering: word,
    interfaces: fc.oneof(
      fc.array(fc.oneof(fc.record({ l3Network: word }), fc.constant(null)), { maxLength: 3 }),
      fc.constantFrom(undefined, 'a', { l3Network: 'a' }),
    ),
  }),
});

function made({ namespace, spec }: { namespace: string; spec: object }): PlumbObject {
  return { apiVersion: 'plumb.dev/v1', kind: 'Instance', metadata: { name: 'x', uid: 'u', namespace }, spec } as never;
}

test('what has the same references has the same keys of them, and its own copy has', () => {
  fc.assert(
    fc.property(object, object, fc.boolean(), (one, other, alike) => {
      const a = made(one);
      const b = made(alike ? { ...other, spec: { ...other.spec, ...one.spec }, namespace: one.namespace } : other);
      if (sameReferences(instance, a, b)) expect(referenceKeys(instance, b)).toEqual(referenceKeys(instance, a));
    }),
    { numRuns: 2000 },
  );
});

test('of plain words, the same keys of everything say that nothing changed, another word says that it did', () => {
  const spec = (l3Network: string) => ({
    zone: 'z',
    image: 'i',
    offering: 'o',
    interfaces: [{ name: 'e', l3Network }],
  });
  const a = made({ namespace: 'default', spec: spec('lab') });
  expect(sameReferences(instance, a, made({ namespace: 'default', spec: spec('lab') }))).toBe(true);
  expect(sameReferences(instance, a, made({ namespace: 'default', spec: spec('hall') }))).toBe(false);
  expect(sameReferences(instance, a, made({ namespace: 'other', spec: spec('lab') }))).toBe(false);
  const two = { ...spec('lab'), interfaces: [...spec('lab').interfaces, ...spec('hall').interfaces] };
  expect(sameReferences(instance, a, made({ namespace: 'default', spec: two }))).toBe(false);
  expect(sameReferences(instance, made({ namespace: 'default', spec: two }), a)).toBe(false);
});
