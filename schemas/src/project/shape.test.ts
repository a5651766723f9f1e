import fc from 'fast-check';
import { expect, test } from 'vitest';
import { kinds } from '../kinds/index.ts';
import { hasShape, shapeErrors } from './shape.ts';
import { type SchemaNode, schemaNode } from './validate-schema.ts';

const schema: SchemaNode = {
  type: 'object',
  required: ['name', 'sizes'],
  properties: {
    name: { type: 'string', pattern: '^never$' },
    sizes: { type: 'array', items: { type: 'integer', minimum: 1, maximum: 9 } },
    power: { type: 'string', enum: ['On', 'Off'] },
    ratio: { type: 'number' },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    flag: { type: 'boolean' },
  },
};
const whole = { name: 'a', sizes: [1, 9], power: 'On', ratio: 0.5, labels: { a: 'b' }, flag: false };

test('what one version knows and another does not is no wrong shape: unknown fields, patterns', () => {
  expect(hasShape(schema, { ...whole, more: { of: 'it' } })).toBe(true);
  expect(hasShape(schema, JSON.parse('{"name":"a","sizes":[],"__proto__":{"name":7}}'))).toBe(true);
});

test.each([
  ['name', undefined, 'object.name is missing'],
  ['name', null, 'object.name is null, not a text'],
  ['sizes', {}, 'object.sizes is an object, not a list'],
  ['sizes', [1, 0], 'object.sizes[1] is no whole number of at least 1 and at most 9'],
  ['sizes', [1.5], 'object.sizes[0] is no whole number of at least 1 and at most 9'],
  ['ratio', JSON.parse('1e999'), 'object.ratio is no number that can be counted with'],
  ['power', 'on', 'object.power is none of On, Off'],
  ['labels', { a: 1 }, 'object.labels.a is a number, not a text'],
  ['labels', [], 'object.labels is a list, not an object'],
  ['flag', 'false', 'object.flag is a text, not true or false'],
])('%s as %j is told with its place, without the value', (field, value, error) => {
  const wrong = { ...whole, [field]: value };
  expect(hasShape(schema, wrong)).toBe(false);
  expect(shapeErrors(schema, wrong, 'object', 5).map(({ field, message }) => `${field} ${message}`)).toEqual([error]);
});

test('the first few of many are told', () => {
  expect(shapeErrors(schema, { name: 'a', sizes: Array(1_000).fill('x') }, 'object', 3)).toHaveLength(3);
  expect(shapeErrors(schema, 7, 'object', 3)).toEqual([{ field: 'object', message: 'is a number, not an object' }]);
});

test('of any value the check says yes just when no error is told', () => {
  for (const { spec } of kinds)
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.dictionary(fc.constantFrom(...Object.keys(spec.properties), 'x'), fc.jsonValue()),
        (any, near) => {
          for (const value of [any, near])
            expect(hasShape(schemaNode(spec), value)).toBe(shapeErrors(schemaNode(spec), value, '', 1).length === 0);
        },
      ),
      { numRuns: 200 },
    );
});
