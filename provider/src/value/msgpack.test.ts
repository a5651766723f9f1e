import { decode, ExtData, encode } from '@msgpack/msgpack';
import type { TerraformAttribute } from '@plumb/schemas/project/terraform.ts';
import { describe, expect, test } from 'vitest';
import { decodeObject, encodeObject } from './msgpack.ts';
import { NumberText, type ObjectValue, UNKNOWN, type Value } from './value.ts';

const attribute = (name: string, shape: Partial<TerraformAttribute>): TerraformAttribute => ({
  name,
  field: name,
  description: '',
  ...shape,
});

const schema: TerraformAttribute[] = [
  attribute('text', { type: 'string' }),
  attribute('count', { type: 'number' }),
  attribute('on', { type: 'bool' }),
  attribute('list', { type: ['list', 'number'] }),
  attribute('map', { type: ['map', 'string'] }),
  attribute('one', { nested: { nesting: 'single', attributes: [attribute('inner', { type: 'string' })] } }),
  attribute('many', { nested: { nesting: 'list', attributes: [attribute('inner', { type: 'string' })] } }),
];

const empty = { text: null, count: null, on: null, list: null, map: null, one: null, many: null };

describe('decoding', () => {
  const decoded = (fields: object) => decodeObject(encode({ ...empty, ...fields }), schema);

  test('null is no object', () => expect(decodeObject(encode(null), schema)).toBeNull());

  test('unknowns, plain and refined', () => {
    const plain = new ExtData(0, new Uint8Array([0]));
    const refined = new ExtData(12, encode(new Map([[1, false]]) as never));
    const value = decoded({ text: plain, count: refined, one: plain, many: [{ inner: refined }], list: [plain] });
    expect(value).toMatchObject({ text: UNKNOWN, count: UNKNOWN, one: UNKNOWN });
    expect(value?.many).toEqual([{ inner: UNKNOWN }]);
    expect(value?.list).toEqual([UNKNOWN]);
  });

  test('the byte sequence that Terraform sends for an unknown', () => {
    expect(decodeObject(Buffer.from('81a474657874d40000', 'hex'), schema)?.text).toBe(UNKNOWN);
  });

  test('an attribute that is not sent is null', () => {
    expect(decodeObject(encode({ text: 'a' }), schema)).toEqual({ ...empty, text: 'a' });
  });

  test.each<[unknown, Value]>([
    [7, 7],
    [0.5, 0.5],
    ['0.1', 0.1],
    [2 ** 40, 2 ** 40],
    ['100000000000000000000', 1e20],
    ['12345678901234567891', new NumberText('12345678901234567891')],
    ['0.30000000000000000001', new NumberText('0.30000000000000000001')],
  ])('the number %s', (sent, expected) => expect(decoded({ count: sent })?.count).toEqual(expected));
});

describe('encoding', () => {
  const wire = (value: Value) => (decode(encodeObject({ ...empty, count: value }, schema)) as { count: unknown }).count;

  test.each<[Value, unknown]>([
    [7, 7],
    [-3, -3],
    [0.1, '0.1'],
    [1e21, '1e+21'],
    [new NumberText('0.30000000000000000001'), '0.30000000000000000001'],
  ])('the number %s', (value, sent) => expect(wire(value)).toBe(sent));

  test('every attribute of the schema is sent, and nothing else', () => {
    expect(decode(encodeObject({ text: 'a', other: 'b' }, schema))).toEqual({ ...empty, text: 'a' });
  });

  test('values come back as they were', () => {
    const value: ObjectValue = {
      text: 'ä\u0000',
      count: 0.1,
      on: false,
      list: [1, UNKNOWN, 2.5],
      map: { 'a.b/c': 'd' },
      one: { inner: null },
      many: [{ inner: 'x' }, { inner: UNKNOWN }],
    };
    expect(decodeObject(encodeObject(value, schema), schema)).toEqual(value);
  });
});
