import { expect, test } from 'vitest';
import { everyKind, namespace } from '../index.ts';
import { type ListField, listsOf, metadataLists } from './reference-lists.ts';

/** What is wrong with the declaration of a list. */
function mistakeOf({ path, type, keys }: ListField): string | undefined {
  if (!['map', 'set', 'atomic'].includes(type ?? '')) return `${path} says not what it is: map, set or atomic`;
  if ((type === 'map') !== keys.length > 0) return `${path} is a ${type} with the keys ${JSON.stringify(keys)}`;
  return undefined;
}

test('every list says whether it is a map, a set or atomic: that cannot be changed without a migration', () => {
  const lists = [...metadataLists(), ...everyKind.flatMap(listsOf)];
  expect(lists.length).toBeGreaterThan(10);
  expect(lists.map(mistakeOf).filter(Boolean)).toEqual([]);
});

test('a list that does not say it is found, also below others', () => {
  const [list] = listsOf({
    ...namespace,
    spec: {
      type: 'object',
      additionalProperties: false,
      properties: { rules: { type: 'object', additionalProperties: { type: 'array', items: { type: 'string' } } } },
    },
    status: { type: 'object', additionalProperties: false, properties: {} },
  });
  expect(mistakeOf(list!)).toBe('spec.rules.* says not what it is: map, set or atomic');
});
