/** Inputs of many shapes. What is tried most is what readers get wrong: names of prototypes, depth, repetition, half of a thing. */
import type { Dice } from '../core/dice.ts';

const KEYS = ['__proto__', 'constructor', 'prototype', 'toString', 'valueOf', 'toJSON', 'length', 'hasOwnProperty', ''];
const TEXTS = [
  '',
  ' ',
  '\0',
  '\n',
  'é',
  '𝒳',
  '\ud800',
  '"',
  '\\',
  '~1',
  '~0',
  '/',
  '-',
  '0',
  '-1',
  '1e999',
  'null',
  'true',
];
const NUMBERS = [0, -0, 1, -1, 0.1, 1e308, 5e-324, 2 ** 31, 2 ** 53, -(2 ** 63), 65_536, 4_294_967_296];

/** Some words of the list, with blanks, and now and then one word very often. */
export function words(dice: Dice, list: readonly string[], most: number): string {
  if (dice.chance(0.03)) return repeated(dice, list);
  let text = '';
  for (let count = dice.between(0, most); count > 0; count--) text += dice.pick(list);
  return text;
}

/** One or two words up to some 10,000 times: what is not linear takes long. */
export function repeated(dice: Dice, list: readonly string[]): string {
  const part = dice.pick(list) + (dice.chance(0.3) ? dice.pick(list) : '');
  return dice.pick(list) + part.repeat(dice.between(1, 40_000 / (part.length + 1))) + dice.pick(list);
}

export function anyText(dice: Dice): string {
  if (dice.chance(0.4)) return dice.pick(dice.chance(0.5) ? KEYS : TEXTS);
  let text = '';
  for (let count = dice.between(0, 12); count > 0; count--)
    text += String.fromCharCode(dice.chance(0.9) ? dice.between(32, 126) : dice.between(0, 0xffff));
  return dice.chance(0.01) ? text.repeat(5_000) : text;
}

/** Any JSON value; `known` are keys and texts that the reader looks for. */
export function anyJson(dice: Dice, known: readonly string[] = [], depth = 4): unknown {
  const kind = dice.between(0, depth > 0 ? 9 : 5);
  if (kind === 0) return null;
  if (kind === 1) return dice.chance(0.5);
  if (kind === 2) return dice.pick(NUMBERS);
  if (kind <= 5) return known.length > 0 && dice.chance(0.4) ? dice.pick(known) : anyText(dice);
  if (kind <= 7) return Array.from({ length: dice.between(0, 4) }, () => anyJson(dice, known, depth - 1));
  const fields: [string, unknown][] = [];
  for (let count = dice.between(0, 5); count > 0; count--) {
    const key = known.length > 0 && dice.chance(0.6) ? dice.pick(known) : anyText(dice);
    fields.push([key, anyJson(dice, known, depth - 1)]);
  }
  // Defines own properties, whatever their names are, as JSON.parse does.
  return Object.fromEntries(fields);
}

/** A value with a few places changed: exchanged, taken away, doubled, moved, of another type. */
export function mutatedJson(dice: Dice, value: unknown, known: readonly string[] = []): unknown {
  const copy = structuredClone(value);
  for (let count = dice.between(1, 4); count > 0; count--) mutateOne(dice, copy, known);
  return copy;
}

function mutateOne(dice: Dice, root: unknown, known: readonly string[]): void {
  let place = root;
  for (;;) {
    if (typeof place !== 'object' || place === null) return;
    const keys = Object.keys(place);
    if (Array.isArray(place) && dice.chance(0.2)) {
      if (place.length > 0 && place.length < 2_000 && dice.chance(0.3))
        while (place.length < 2_000) place.push(structuredClone(place[0]));
      else place.splice(dice.between(0, place.length), dice.between(0, 2), anyJson(dice, known, 2));
      return;
    }
    if (keys.length === 0 || dice.chance(0.15)) {
      define(place, dice.chance(0.5) && known.length > 0 ? dice.pick(known) : anyText(dice), anyJson(dice, known, 3));
      return;
    }
    const key = dice.pick(keys);
    const inner = (place as Record<string, unknown>)[key];
    if (typeof inner === 'object' && inner !== null && dice.chance(0.7)) {
      place = inner;
      continue;
    }
    if (dice.chance(0.3)) Reflect.deleteProperty(place, key);
    else if (typeof inner === 'string' && dice.chance(0.5)) define(place, key, mutatedText(dice, inner, known));
    else define(place, key, anyJson(dice, known, 3));
    return;
  }
}

function define(place: object, key: string, value: unknown): void {
  // A list has items, and nothing else that JSON could hold.
  if (Array.isArray(place) && !/^\d{1,4}$/.test(key)) return;
  Object.defineProperty(place, key, { value, writable: true, enumerable: true, configurable: true });
}

/** A text with a few places changed. */
export function mutatedText(dice: Dice, text: string, known: readonly string[] = []): string {
  let now = text;
  for (let count = dice.between(1, 4); count > 0; count--) {
    const at = dice.between(0, now.length);
    const to = Math.min(now.length, at + dice.between(0, 8));
    const part = known.length > 0 && dice.chance(0.5) ? dice.pick(known) : anyText(dice);
    if (dice.chance(0.4)) now = now.slice(0, at) + part + now.slice(dice.chance(0.5) ? at : to);
    else if (dice.chance(0.5)) now = now.slice(0, dice.chance(0.7) ? at : 0) + now.slice(to);
    else now = now.slice(0, to) + now.slice(at, to).repeat(dice.chance(0.05) ? 2_000 : 1) + now.slice(to);
  }
  return now;
}

/** Bytes with a few places changed: bits, bytes, lengths, a piece taken away or doubled. */
export function mutatedBytes(dice: Dice, bytes: Uint8Array): Buffer {
  let now = Buffer.from(bytes);
  for (let count = dice.between(1, 6); count > 0; count--) {
    const at = dice.between(0, Math.max(0, now.length - 1));
    const to = Math.min(now.length, at + dice.between(1, 16));
    const what = dice.between(0, 6);
    if (now.length === 0 || what === 0)
      now = Buffer.concat([now.subarray(0, at), anyBytes(dice, 16), now.subarray(at)]);
    else if (what <= 2)
      now[at] = dice.pick([0, 1, 0x7f, 0x80, 0xff, now[at]! ^ (1 << dice.between(0, 7)), dice.between(0, 255)]);
    else if (what === 3) now = Buffer.concat([now.subarray(0, at), now.subarray(to)]);
    else if (what === 4) now = Buffer.from(now.subarray(0, to));
    else if (what === 5) now = Buffer.concat([now.subarray(0, to), now.subarray(at)]);
    else now.fill(dice.pick([0, 0xff]), at, to);
  }
  return now;
}

export function anyBytes(dice: Dice, most: number): Buffer {
  return Buffer.from(Array.from({ length: dice.between(0, most) }, () => dice.between(0, 255)));
}

/** JSON text of this depth: lists, objects, or both. */
export function deepText(dice: Dice, depth: number): string {
  const [open, close] = dice.pick([
    ['[', ']'],
    ['{"a":', '}'],
    ['[{"a":', '}]'],
  ]);
  return open!.repeat(depth) + (open === '[' ? '' : '1') + close!.repeat(depth);
}
