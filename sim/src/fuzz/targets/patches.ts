import { parseJson, reread } from '@plumb/reconciler/api/body/json.ts';
import { jsonPatch } from '@plumb/reconciler/api/body/json-patch.ts';
import { mergePatch } from '@plumb/reconciler/api/body/merge-patch.ts';
import { defaultServerLimits as limits } from '@plumb/schemas/limits/server.ts';
import type { Dice } from '../../core/dice.ts';
import { anyJson, anyText, deepText, mutatedJson } from '../generate.ts';
import { type FuzzTarget, Wrong } from '../target.ts';

const DOCUMENT = {
  apiVersion: 'plumb.dev/v1',
  kind: 'Instance',
  metadata: { name: 'a', labels: { a: 'b', 'x/y': 'z', '~': '' }, finalizers: ['one', 'two'] },
  spec: { cpus: 1, list: [1, [2, { three: 3 }], null], empty: {}, nothing: null },
};
const NAMES = [
  '',
  'metadata',
  'spec',
  'labels',
  'list',
  '0',
  '1',
  '2',
  '-',
  '01',
  'x~1y',
  '~0',
  '~',
  'name',
  'cpus',
  'kind',
];
const PROTOTYPES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '~0__proto__'];
const OPS = ['add', 'remove', 'replace', 'move', 'copy', 'test', 'Add', '', '__proto__'];

function pointer(dice: Dice): unknown {
  if (dice.chance(0.02)) return anyJson(dice);
  let path = '';
  for (let count = dice.between(0, 4); count > 0; count--)
    path += `/${dice.chance(0.1) ? dice.pick(PROTOTYPES) : dice.chance(0.05) ? anyText(dice) : dice.pick(NAMES)}`;
  return dice.chance(0.02) ? `${path}${'/spec'.repeat(2_000)}` : path;
}

function operation(dice: Dice): unknown {
  const op = {
    op: dice.pick(OPS.slice(0, dice.chance(0.05) ? undefined : 6)),
    path: pointer(dice),
    from: pointer(dice),
  };
  const value = anyJson(dice, [...NAMES, ...PROTOTYPES]);
  return dice.chance(0.02) ? mutatedJson(dice, { ...op, value }) : { ...op, value };
}

/** Operations that fit, and ask for much: the same list doubled, long lists shifted, large values compared. */
function greedy(dice: Dice): unknown[] {
  const count = dice.between(1, 10_000);
  const long = Array.from({ length: dice.pick([10, 1_000, 100_000]) }, () => dice.pick([0, 'x']));
  const first = { op: 'add', path: '/spec/x', value: dice.pick([{ a: 1 }, long, 'x'.repeat(100_000)]) };
  const each = dice.pick([
    (i: number) => ({ op: 'copy', from: '/spec/x', path: `/spec/x/k${i}` }),
    (i: number) => ({ op: 'copy', from: '/spec', path: `/spec/k${i}` }),
    () => ({ op: 'copy', from: '', path: '/spec/x' }),
    () => ({ op: 'add', path: '/spec/x/0', value: 1 }),
    () => ({ op: 'remove', path: '/spec/x/0' }),
    () => ({ op: 'test', path: '/spec/x', value: dice.pick([{}, [], { a: 2 }, [0]]) }),
    () => ({ op: 'move', from: '/spec/x', path: '/spec/y' }),
    (i: number) => ({ op: 'move', from: i % 2 ? '/spec/a/b/x' : '/spec/x', path: i % 2 ? '/spec/x' : '/spec/a/b/x' }),
  ]);
  return [first, { op: 'add', path: '/spec/a', value: { b: {} } }, ...Array.from({ length: count }, (_, i) => each(i))];
}

function textOf(dice: Dice): string {
  if (dice.chance(0.02)) return deepText(dice, dice.pick([10, 99, 101, 10_000, 400_000]));
  if (dice.chance(0.1)) return JSON.stringify(greedy(dice));
  if (dice.chance(0.3)) return JSON.stringify(mutatedJson(dice, DOCUMENT, [...NAMES, ...PROTOTYPES]));
  return JSON.stringify(Array.from({ length: dice.between(0, 12) }, () => operation(dice)));
}

/** Patches of each form, as text. What a patch makes must be the JSON that it looks like, within bounds. */
export const patches: FuzzTarget<string> = {
  name: 'patches',
  make: textOf,
  run(text) {
    if (text.length > limits.bodyBytes) return undefined;
    const { value } = parseJson(Buffer.from(text), limits.jsonDepth);
    const before = structuredClone(DOCUMENT);
    const made = Array.isArray(value) ? jsonPatch(value, limits)(before) : mergePatch(before, value);
    const read = reread(made, limits.jsonDepth, limits.bodyBytes + limits.patchGrowthBytes);
    // V8 14.6 takes some names that are escaped in the text for a backslash (no name of ours is).
    if (!JSON.stringify(made).includes('\\') && !same(made, read))
      return new Wrong('makes something that is not stored as it is looked at');
    return read;
  },
};

/** Field by field, and without a prototype of its own. */
function same(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return Object.is(a, b) || a === b;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (Array.isArray(a))
    return a.length === (b as unknown[]).length && a.every((item, i) => same(item, (b as unknown[])[i]));
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && same(Reflect.get(a, name), Reflect.get(b, name)))
  );
}
