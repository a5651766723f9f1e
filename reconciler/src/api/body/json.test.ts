import { expect, test } from 'vitest';
import { parseJson, refuseDuplicates, reread } from './json.ts';

const parse = (text: string, depth = 100) => parseJson(Buffer.from(text), depth);

test.each([
  ['{"a":1}', []],
  ['{"a":1,"a":2}', ['a']],
  ['{"spec":{"cpus":1,"cpus":2}}', ['spec.cpus']],
  ['{"spec":{"list":[{"a":1},{"a":1,"b":2,"a":3}]}}', ['spec.list[1].a']],
  ['[[{"a":[],"a":[]}]]', ['[0][0].a']],
  ['{"a":1,"\\u0061":2}', ['a']],
  ['{"a\\"b":1,"a\\"b":2}', ['a"b']],
  ['{"__proto__":1,"__proto__":2}', ['__proto__']],
  ['{"a":{"x":1},"b":{"x":1},"a":{"x":1}}', ['a']],
  ['{"a":"\\\\","b":"{\\"a\\":1,\\"a\\":1}","a ":": : \\" :"}', []],
  [`{"long":"${'\\\\'.repeat(500)}:\\"","b":":","long2":"${':'.repeat(5_000)}"}`, []],
  [`{"a":1,"b":"${'x"'.repeat(300).replaceAll('"', '\\"')}:","a":2}`, ['a']],
  ['  {  "a" : 1 , "a" : [ ] }  ', ['a']],
  ['{"é":1,"é":2}', ['é']],
])('%s: twice stand %j', (text, paths) => {
  expect(parse(text).duplicates).toEqual({ paths, count: paths.length });
});

test('a hundred are named, the others are counted', () => {
  const { duplicates } = parse(`{"a":1${',"a":1'.repeat(8_000)}}`);
  expect([duplicates.paths.length, duplicates.count]).toEqual([100, 8_000]);
  expect(() => refuseDuplicates(duplicates)).toThrow(
    /^strict decoding error: duplicate field "a", .*, duplicate fields: and 7,900 more$/,
  );
});

test('a long name is cut where it is told', () => {
  const name = 'x'.repeat(100_000);
  const { duplicates } = parse(`{"${name}":{"${name}":1,"${name}":1}}`);
  expect(duplicates.paths[0]!.length).toBeLessThan(600);
});

test.each(['', '{', '{"a":1', 'nul', '{"a":1}}', '\ufeff{}', "{'a':1}", '[1,]', '"\n"'])('%j is not JSON', (text) => {
  expect(() => parse(text)).toThrow('the body is not JSON');
});

test.each(['{"a":1e999}', '[-1e999]', `{"a":[{"b":${'9'.repeat(400)}}]}`])('%s has no number to store', (text) => {
  expect(() => parse(text)).toThrow('too large');
});

test.each([
  ['['.repeat(101) + ']'.repeat(101)],
  [`${'{"a":'.repeat(101)}1${'}'.repeat(101)}`],
  ['['.repeat(400_000)],
  [`${'{"a":'.repeat(400_000)}1${'}'.repeat(400_000)}`],
])('more than 100 levels are refused', (text) => {
  expect(() => parse(text)).toThrow('more than 100 objects and lists in each other');
});

test('100 levels are taken, and brackets in strings are none', () => {
  parse('['.repeat(100) + ']'.repeat(100));
  parse(JSON.stringify({ a: '[{'.repeat(1_000) }));
  parse('[]'.repeat(1).concat(''));
  parse(`[${'[],{},'.repeat(1_000)}[]]`);
});

test('what was made is read again: cycles and depth are refused, prototypes are gone', () => {
  const cycle: Record<string, unknown> = {};
  cycle.self = [cycle];
  expect(() => reread(cycle, 100, 1_000)).toThrow(expect.objectContaining({ reason: 'RequestEntityTooLarge' }));
  let deep: unknown = 1;
  for (let i = 0; i < 100_000; i++) deep = [deep];
  expect(() => reread(deep, 100, 1_000_000)).toThrow(/more than 100 objects/);
  expect(() => reread({ a: 'é'.repeat(600) }, 100, 1_000)).toThrow(/more than 1000 bytes/);
  const inherited = Object.create({ cpus: 1 }, { a: { value: 2, enumerable: true } });
  const read = reread(inherited, 100, 1_000);
  expect(read).toEqual({ a: 2 });
  expect((read as unknown as { cpus?: number }).cpus).toBeUndefined();
});
