import { describe, expect, test } from 'vitest';
import type { ResourceDefinition } from './define.ts';
import { resourceTypes } from './host-resources.ts';
import { ResourceRegistry, together } from './registry.ts';

const of = (more: Partial<ResourceDefinition> = {}): ResourceDefinition => ({
  ...{ spec: {}, sharing: 'owned', label: () => 'the part' },
  ...more,
});
const requires = (...types: string[]) => Object.fromEntries(types.map((type) => [type, () => [`${type}-1`]]));
const refused = (definitions: Record<string, ResourceDefinition>) => {
  try {
    return new ResourceRegistry(definitions).types;
  } catch (error) {
    return (error as Error).message;
  }
};

test('are made in the order in which plans of every version have made them', () => {
  const first = ['image', 'bridge', 'subnet', 'disk', 'seed', 'port', 'domain'];
  expect(resourceTypes.types.filter((type) => first.includes(type))).toEqual(first);
});

test('each can be told from all others by its letter, and letters sort as types are made', () => {
  const many = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`type-${n}`, of()]));
  const registry = new ResourceRegistry(many);
  const letters = registry.types.map((type) => registry.letter(type));
  expect(new Set(letters).size).toBe(40);
  expect([...letters].sort()).toEqual(letters);
  expect(letters.map((letter) => registry.ofLetter(letter))).toEqual(registry.types);
});

test('what is shared comes first, and what is required before what requires it', () => {
  const registry = new ResourceRegistry({
    guest: of({ requires: requires('filter', 'disk') }),
    filter: of({ requires: requires('ruleset') }),
    ruleset: of({ sharing: 'shared', requires: requires('addresses') }),
    addresses: of({ sharing: 'shared' }),
    disk: of({ holdsData: true }),
  });
  expect(registry.types).toEqual(['addresses', 'ruleset', 'disk', 'filter', 'guest']);
  expect(registry.types.map((type) => registry.isSharedLetter(registry.letter(type)))).toEqual([
    ...[true, true, false, false, false],
  ]);
  expect(registry.requirements({ kind: 'guest', spec: {} })).toEqual([
    { kind: 'filter', id: 'filter-1' },
    { kind: 'disk', id: 'disk-1' },
  ]);
});

test('what says so comes before others that do not require it', () => {
  const order = (filter: Partial<ResourceDefinition>) =>
    new ResourceRegistry({
      a: of(filter),
      guest: of({ requires: requires('disk') }),
      disk: of({ requires: requires('z') }),
      z: of(),
    }).types;
  expect(order({ requires: requires('guest') }).at(-1)).toBe('a');
  expect(order({})).toEqual(['z', 'a', 'disk', 'guest']);
  expect(order({ before: ['z'] })[0]).toBe('a');
  expect(resourceTypes.definition('port-filter').before).toEqual(['domain']);
});

describe('types that cannot be used are refused with the reason', () => {
  test.each<[string, Record<string, ResourceDefinition>, string]>([
    [
      'a circle',
      { a: of({ requires: requires('b') }), b: of({ requires: requires('a') }), c: of() },
      'a, b require each other',
    ],
    ['itself', { a: of({ requires: requires('a') }) }, 'a require each other'],
    ['an unknown one', { a: of({ requires: requires('b') }) }, 'a requires "b", which nothing defines'],
    [
      'a shared one that requires an owned one',
      { a: of({ sharing: 'shared', requires: requires('b') }), b: of() },
      'belongs to one',
    ],
    [
      'one that comes before what nothing defines',
      { a: of({ before: ['b'] }) },
      'a comes before "b", which nothing defines',
    ],
    ['one that comes before what is shared', { a: of({ before: ['b'] }), b: of({ sharing: 'shared' }) }, 'made first'],
    ['one before what it requires', { a: of({ before: ['b'], requires: requires('b') }), b: of() }, 'in a circle'],
    ['a name with a slash', { 'a/b': of() }, 'is no name'],
    ['no name', { '': of() }, 'is no name'],
    ['too many', Object.fromEntries(Array.from({ length: 80 }, (_, n) => [`t${n}`, of()])), '79 are possible'],
  ])('%s', (_, definitions, why) => {
    expect(refused(definitions)).toContain(why);
  });
});

test('a type that nothing here handles comes last, is owned and holds no data', () => {
  expect(resourceTypes.order('volume')).toBe(resourceTypes.types.length);
  expect([resourceTypes.has('volume'), resourceTypes.isShared('volume'), resourceTypes.holdsData('volume')]).toEqual([
    ...[false, false, false],
  ]);
});

test('types come from several places, and none is defined twice', () => {
  expect(Object.keys(together({ a: of() }, { b: of() }))).toEqual(['a', 'b']);
  expect(() => together({ a: of() }, { a: of() })).toThrow(/a is defined twice/);
});
