import { defaultServerLimits as limits } from '@plumb/schemas/limits/server.ts';
import { describe, expect, test } from 'vitest';
import { parseJson, reread } from './json.ts';
import { jsonPatch } from './json-patch.ts';

const document = () => ({ a: { b: [1, 2, 3], 'x/y': 't', '~': 0, n: null }, list: ['p', 'q'] });

function patched(operations: unknown, given: unknown = document()): unknown {
  const { value } = parseJson(Buffer.from(JSON.stringify(operations)), limits.jsonDepth);
  return jsonPatch(value, limits)(given);
}

const reason = (operations: unknown, given?: unknown): unknown => {
  try {
    return patched(operations, given);
  } catch (error) {
    return (error as { reason?: string }).reason ?? error;
  }
};

test.each([
  [[{ op: 'add', path: '/a/c', value: 1 }], '/a/c', 1],
  [[{ op: 'add', path: '/a/b/1', value: 9 }], '/a/b', [1, 9, 2, 3]],
  [[{ op: 'add', path: '/a/b/-', value: 9 }], '/a/b', [1, 2, 3, 9]],
  [[{ op: 'add', path: '/a/b/3', value: 9 }], '/a/b', [1, 2, 3, 9]],
  [[{ op: 'remove', path: '/a/b/0' }], '/a/b', [2, 3]],
  [[{ op: 'remove', path: '/a/x~1y' }], '/a', { b: [1, 2, 3], '~': 0, n: null }],
  [[{ op: 'replace', path: '/a/~0', value: {} }], '/a/~0', {}],
  [[{ op: 'replace', path: '/a/b/2', value: 9 }], '/a/b', [1, 2, 9]],
  [[{ op: 'move', from: '/list', path: '/a/b' }], '', { a: { b: ['p', 'q'], 'x/y': 't', '~': 0, n: null } }],
  [[{ op: 'move', from: '/list/0', path: '/list/1' }], '/list', ['q', 'p']],
  [[{ op: 'move', from: '/a', path: '/a' }], '/a', document().a],
  [[{ op: 'copy', from: '/list', path: '/list/0' }], '/list', [['p', 'q'], 'p', 'q']],
  [[{ op: 'copy', from: '', path: '/a/all' }], '/a/all', document()],
  [[{ op: 'test', path: '/a/n', value: null }], '/list', ['p', 'q']],
  [[{ op: 'test', path: '/a', value: { n: null, '~': 0, 'x/y': 't', b: [1, 2, 3] } }], '/list', ['p', 'q']],
  [[{ op: 'replace', path: '', value: 5 }], '', 5],
  [[], '', document()],
])('%j', (operations, at, expected) => {
  const made = patched(operations);
  const names = at
    .split('/')
    .slice(1)
    .map((name) => name.replaceAll('~0', '~'));
  expect(names.reduce((value, name) => (value as Record<string, unknown>)[name], made)).toEqual(expected);
});

test.each([
  [{ op: 'remove', path: '/nothing' }],
  [{ op: 'remove', path: '' }],
  [{ op: 'remove', path: '/a/b/3' }],
  [{ op: 'remove', path: '/a/b/-' }],
  [{ op: 'add', path: '/a/b/4', value: 1 }],
  [{ op: 'add', path: '/a/b/01', value: 1 }],
  [{ op: 'add', path: '/a/b/-5', value: 1 }],
  [{ op: 'add', path: '/a/b/length', value: 0 }],
  [{ op: 'add', path: '/a/x~1y/0', value: 1 }],
  [{ op: 'add', path: '/a/n/deeper', value: 1 }],
  [{ op: 'replace', path: '/a/toString/x', value: 1 }],
  [{ op: 'test', path: '/a/hasOwnProperty', value: 1 }],
  [{ op: 'test', path: '/a/n', value: { toString: 'x' } }],
  [{ op: 'test', path: '/a/b', value: { 0: 1, 1: 2, 2: 3 } }],
  [{ op: 'test', path: '/a/b', value: [1, 2] }],
  [{ op: 'test', path: '/list', value: {} }],
  [{ op: 'copy', from: '/a/valueOf/x', path: '/a/c' }],
  [{ op: 'add', path: '', value: { a: 1 } }],
  [{ op: 'move', from: '/a', path: '/a/b/0' }],
  [{ op: 'move', from: '', path: '/a/b/0' }],
])('%j does not fit', (operation) => {
  expect(reason([operation])).toBe('Invalid');
});

test.each([
  ...['__proto__', 'constructor', 'prototype'].flatMap((name) => [
    { op: 'add', path: `/${name}`, value: {} },
    { op: 'add', path: `/a/${name}/polluted`, value: {} },
    { op: 'replace', path: `/a/${name}`, value: null },
    { op: 'remove', path: `/a/${name}` },
    { op: 'test', path: `/a/${name}`, value: {} },
    { op: 'copy', from: `/a/${name}`, path: '/a/c' },
    { op: 'move', from: `/${name}`, path: '/a/c' },
  ]),
  { op: 'copy', path: '/a' },
  { op: 'copy', from: 5, path: '/a' },
  { op: 'add', path: 'a', value: 1 },
  { op: 'add', path: { toString: '/a' }, value: 1 },
  { op: { toString: 'add' }, path: '/a', value: 1 },
  { op: 'frobnicate', path: '/a' },
  { path: '/a', value: 1 },
  { op: 'add', path: '/x'.repeat(101), value: 1 },
  [],
  null,
  'add',
])('%j is no operation', (operation) => {
  expect(reason([operation])).toBeOneOf(['BadRequest', 'Invalid']);
});

test('a name escaped as ~0__proto__ is no prototype', () => {
  expect(patched([{ op: 'add', path: '/a/~0__proto__', value: 1 }])).toMatchObject({ a: { '~__proto__': 1 } });
});

test('a value that holds __proto__ stays a value', () => {
  const { value } = parseJson(Buffer.from('[{"op":"add","path":"/a","value":{"__proto__":{"cpus":1}}}]'), 100);
  const made = reread(jsonPatch(value, limits)(document()), 100, 1_000) as unknown as { a: object };
  expect(Object.getPrototypeOf(made.a)).toBe(Object.prototype);
  expect(Object.keys(made.a)).toEqual(['__proto__']);
  expect((made.a as { cpus?: number }).cpus).toBeUndefined();
});

describe('a small patch cannot ask for much', () => {
  const many = (count: number, operation: (i: number) => object) =>
    Array.from({ length: count }, (_, i) => operation(i));
  const long = Array.from({ length: 100_000 }, () => 0);

  test.each([
    [
      'doubles',
      [{ op: 'add', path: '/x', value: { a: 1 } }, ...many(26, (i) => ({ op: 'copy', from: '/x', path: `/x/k${i}` }))],
    ],
    ['copies all', many(40, (i) => ({ op: 'copy', from: '', path: `/k${i}` }))],
    [
      'copies texts',
      [
        { op: 'add', path: '/t', value: 'x'.repeat(100_000) },
        ...many(40, (i) => ({ op: 'copy', from: '/t', path: `/t${i}` })),
      ],
    ],
    [
      'shifts lists',
      [{ op: 'add', path: '/x', value: long }, ...many(9_000, () => ({ op: 'add', path: '/x/0', value: 1 }))],
    ],
    [
      'takes the first',
      [{ op: 'add', path: '/x', value: long }, ...many(9_000, () => ({ op: 'remove', path: '/x/0' }))],
    ],
    [
      'compares lists',
      [{ op: 'add', path: '/x', value: long }, ...many(9, () => ({ op: 'test', path: '/x', value: long }))],
    ],
    [
      'compares keys',
      [
        { op: 'add', path: '/x', value: Object.fromEntries(long.map((_, i) => [i, 0])) },
        ...many(9_000, () => ({ op: 'test', path: '/x', value: {} })),
      ],
    ],
    ['has many operations', many(10_001, () => ({ op: 'test', path: '/a/n', value: null }))],
    [
      'goes down',
      [{ op: 'add', path: '/d', value: {} }, ...many(9_000, () => ({ op: 'copy', from: '/d', path: '/d/d' }))],
    ],
  ])('that %s is refused as too large', (_, operations) => {
    const { value } = parseJson(Buffer.from(JSON.stringify(operations)), limits.jsonDepth);
    const before = process.threadCpuUsage().user;
    expect(() => reread(jsonPatch(value, limits)(document()), limits.jsonDepth, limits.objectBytes)).toThrow(
      expect.objectContaining({ reason: expect.stringMatching(/^(RequestEntityTooLarge|Invalid)$/) }),
    );
    expect(process.threadCpuUsage().user - before).toBeLessThan(1_000_000);
  });

  test('moves that go ever deeper end in a refusal', () => {
    const deeper = many(2_000, () => [
      { op: 'add', path: '/w', value: { w: {} } },
      { op: 'move', from: '/d', path: '/w/w/d' },
      { op: 'move', from: '/w', path: '/d' },
    ]).flat();
    const operations = [{ op: 'add', path: '/d', value: {} }, ...deeper];
    const { value } = parseJson(Buffer.from(JSON.stringify(operations)), limits.jsonDepth);
    expect(() => reread(jsonPatch(value, limits)(document()), limits.jsonDepth, limits.objectBytes)).toThrow(
      expect.objectContaining({ reason: 'RequestEntityTooLarge' }),
    );
  });

  test('thousands of operations on an ordinary list are taken', () => {
    const tags = { list: many(500, () => ({})) };
    const operations = many(9_000, (i) => ({ op: i % 2 ? 'remove' : 'add', path: '/list/480', value: i }));
    expect(patched(operations, tags)).toEqual(tags);
  });
});

test('messages hold no values', () => {
  const secret = 'hunter2';
  for (const operation of [
    { op: 'test', path: '/a', value: secret },
    { op: 'add', path: '/a/b/9', value: secret },
    { op: secret, path: '/a' },
  ]) {
    try {
      patched([operation]);
      expect.unreachable();
    } catch (error) {
      expect(JSON.stringify([(error as Error).message, (error as { fields?: unknown }).fields])).not.toContain(secret);
    }
  }
});
