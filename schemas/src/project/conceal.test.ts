import { describe, expect, test } from 'vitest';
import { kindByName, kinds } from '../kinds/index.ts';
import { tableRow } from './columns.ts';
import { conceal, concealAnnotations, concealObject, HIDDEN, isSecretAt, shownBy } from './conceal.ts';
import { objectPlaces, type Sample, sampleHolding, sampleWith, secretPlaces, withAt } from './testing/secret-places.ts';
import { validateObject } from './validate.ts';
import { immutableErrors } from './validate-immutable.ts';

const SECRET = 'hush-hush-hush';
const places = secretPlaces();
const named = places.map((place) => [`${place.kind.kind} ${place.path.join('.')}`, place] as const);
const objects = objectPlaces();

/** Everything that a value at `path`, or above it, may be sent as instead. */
const wrongs: ((value: unknown) => unknown)[] = [
  () => SECRET,
  () => [SECRET],
  () => [[SECRET]],
  () => ({ [SECRET.slice(0, 4)]: SECRET }),
  (value) => [value],
  (value) => JSON.stringify(value),
  (value) => ({ value }),
  (value) => [value, value],
];

const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);

function* wrongOnes(object: Sample, path: readonly (string | number)[]): Generator<Sample> {
  for (let depth = path.length; depth >= 0; depth--)
    for (const wrong of wrongs) yield withAt(object, path.slice(0, depth), wrong);
}

test('there are secrets, and objects that hold objects', () => {
  expect(named.map(([name]) => name)).toEqual(expect.arrayContaining(['Instance spec.userData', 'Image spec.url']));
  expect(objects.map(({ kind }) => kind.kind)).toContain('ChangeSet');
});

describe.each(named)('%s', (_, place) => {
  const sample = sampleWith(place, 'x', SECRET);
  const holders = objects.map((where) => sampleHolding(where, 'set', sample));

  test('is a good object, and is hidden where it is shown, by itself and in others', () => {
    if (place.path[0] === 'spec') expect(validateObject(place.kind, sample, { strictUnknown: true })).toEqual([]);
    for (const object of [sample, ...holders]) {
      expect(JSON.stringify(object)).toContain(SECRET);
      const shown = JSON.stringify(concealObject(object));
      expect(shown).not.toContain('hush');
      expect(shown).toContain('"x"');
    }
    expect(
      JSON.stringify(tableRow(place.kind, { ...sample, metadata: { name: 'x', creationTimestamp: '' } }, 0)),
    ).not.toContain('hush');
  });

  test('is in no message of what is wrong with it, whatever it is sent as', () => {
    let messages = 0;
    for (const object of [sample, ...holders]) {
      const kind = kindByName(object.kind)!;
      const path = object === sample ? place.path : ['spec', 'objects', 0, ...place.path];
      for (const wrong of wrongOnes(object, path)) {
        const errors = validateObject(kind, wrong, { strictUnknown: true });
        messages += errors.length;
        expect(errors.map(({ message }) => message).join('\n')).not.toContain('hush');
        if (isObject(wrong)) expect(JSON.stringify(concealObject(wrong))).not.toContain('hush-');
      }
    }
    expect(messages).toBeGreaterThan(10);
  });

  test('is in no message of what cannot be changed', () => {
    for (const kind of kinds)
      for (const field of kind.immutable) {
        const holder = [sample, ...holders].find((object) => object.kind === kind.kind);
        if (!holder) continue;
        const old = { ...holder, metadata: { name: 'x' } };
        const wanted = withAt(old, ['spec', ...field.split('.')], () => `${SECRET}2`);
        expect(
          immutableErrors(kind, old, wanted)
            .map(({ message }) => message)
            .join(),
        ).not.toContain(
          isSecretAt({ properties: { spec: kind.spec as never } }, ['spec', ...field.split('.')]) ? 'hush' : '\0',
        );
      }
  });
});

test('annotations that are copies of objects are left out or hidden, whatever tool made them', () => {
  const copy = JSON.stringify({ kind: 'Instance', spec: { userData: SECRET } });
  expect(
    concealAnnotations({
      'kubectl.kubernetes.io/last-applied-configuration': copy,
      'kapp.k14s.io/original': copy,
      'other.example/list': ` [${copy}]`,
      'other.example/yaml': `kind: Instance\nspec:\n  userData: ${SECRET}\n`,
      'other.example/wrong': { a: SECRET },
      note: 'plain words',
    }),
  ).toEqual({
    'other.example/list': HIDDEN,
    'other.example/yaml': HIDDEN,
    'other.example/wrong': HIDDEN,
    note: 'plain words',
  });
});

test('an object of a kind that nobody knows is hidden but for its name', () => {
  expect(
    concealObject({ kind: 'Secret', metadata: { name: 'x' }, spec: { a: SECRET }, status: { b: SECRET } }),
  ).toEqual({
    kind: 'Secret',
    metadata: { name: 'x' },
    spec: HIDDEN,
    status: HIDDEN,
  });
});

test('what a schema does not know is hidden where secrets are, and what is no secret is shown as it is', () => {
  const schema = { type: 'object', properties: { secret: { 'x-plumb-sensitive': true }, open: {} } } as const;
  expect(conceal(schema as never, { secret: 1, open: 2, unknown: 3 })).toEqual({
    secret: HIDDEN,
    open: 2,
    unknown: HIDDEN,
  });
  expect(conceal({ type: 'object', properties: { open: {} } }, { open: 1, unknown: 2 })).toEqual({
    open: 1,
    unknown: 2,
  });
  expect(shownBy(schema as never, SECRET)).toBe(`"${HIDDEN}"`);
});
