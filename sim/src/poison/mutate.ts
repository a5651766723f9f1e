/** Records of a store, damaged: cut, flipped, doubled, of another record, without a field, of another type, of a newer Plumb. */

import { inFull } from '@plumb/reconciler/flow/record-text.ts';
import type { Dice } from '../core/dice.ts';
import { anyJson } from '../fuzz/generate.ts';

export interface Stored {
  key: string;
  value: string;
}

const WRONG: readonly unknown[] = [null, true, 0, -1, 1.5, 1e308, '', 'x', [], [null], {}, { toString: 1 }];

/** What is put into the store in place of the record, or beside it. */
export function damaged(dice: Dice, record: Stored, all: readonly Stored[]): Stored {
  const { key, value } = record;
  switch (dice.between(0, 9)) {
    case 0:
      return { key, value: value.slice(0, dice.between(0, Math.max(0, value.length - 1))) };
    case 1:
    case 2:
      return { key, value: flipped(dice, value) };
    case 3:
      return {
        key,
        value: dice.chance(0.5) ? value + value : dice.pick(['', 'null', '[]', '{}', '"', '['.repeat(50_000)]),
      };
    case 4:
      return { key: `${key}-double`, value };
    case 5:
      return { key, value: dice.pick(all).value };
    case 6:
      return { key, value: value.replace('plumb.dev/v1', 'plumb.dev/v9').replace('"version":2', '"version":9') };
    default:
      return { key, value: withoutOrOtherwise(dice, value) };
  }
}

/** One bit of one character: what a disk does. It stays text that a store takes. */
function flipped(dice: Dice, value: string): string {
  if (value === '') return 'x';
  const at = dice.between(0, value.length - 1);
  const code = (value.charCodeAt(at) ^ (1 << dice.between(0, 6))) & 127;
  return value.slice(0, at) + String.fromCharCode(code) + value.slice(at + 1);
}

/** One place of it is taken away, or is something else. */
function withoutOrOtherwise(dice: Dice, value: string): string {
  let root: unknown;
  try {
    root = JSON.parse(inFull(value));
  } catch {
    return JSON.stringify(anyJson(dice));
  }
  let place = root;
  for (;;) {
    if (typeof place !== 'object' || place === null) return JSON.stringify(anyJson(dice));
    const names = Object.keys(place);
    if (names.length === 0) return JSON.stringify(root);
    const name = dice.pick(names);
    const inner = (place as Record<string, unknown>)[name];
    if (typeof inner === 'object' && inner !== null && dice.chance(0.75)) {
      place = inner;
      continue;
    }
    if (dice.chance(0.3)) Reflect.deleteProperty(place, name);
    else (place as Record<string, unknown>)[name] = dice.chance(0.8) ? dice.pick(WRONG) : anyJson(dice);
    return JSON.stringify(root);
  }
}
