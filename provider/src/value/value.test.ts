import { showDuration } from '@plumb/client/deadline.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { durationMs } from './duration.ts';
import { objectFromState, parseState } from './json.ts';
import { equal, isWhollyKnown, NumberText, numberFrom, UNKNOWN } from './value.ts';

describe('numbers', () => {
  test('every double survives its text', () => {
    fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (n) => numberFrom(String(n)) === n + 0));
  });

  test('equal as decimals, however they are written', () => {
    expect(equal(new NumberText('1.00000000000000000001'), new NumberText('1.000000000000000000010'))).toBe(true);
    expect(equal(new NumberText('1.00000000000000000001'), new NumberText('1.00000000000000000002'))).toBe(false);
    expect(equal(new NumberText('1.00000000000000000001'), 1)).toBe(false);
  });

  test('a big integer is exact or text', () => {
    expect(numberFrom(12n)).toBe(12);
    expect(numberFrom(2n ** 60n + 1n)).toEqual(new NumberText('1152921504606846977'));
  });
});

test('equality is deep, and an unknown equals an unknown', () => {
  expect(equal({ a: [1, { b: UNKNOWN }] }, { a: [1, { b: UNKNOWN }] })).toBe(true);
  expect(equal({ a: [1] }, { a: [1, 2] })).toBe(false);
  expect(equal({ a: null }, {})).toBe(false);
  expect(equal(null, {})).toBe(false);
  expect(isWhollyKnown({ a: [{ b: UNKNOWN }] })).toBe(false);
});

test('state that was stored keeps long numbers, loses what is unknown, and gets null for what is new', () => {
  const attributes = [
    { name: 'n', field: 'n', description: '', type: 'number' as const },
    { name: 'new', field: 'new', description: '', type: 'string' as const },
  ];
  expect(objectFromState(parseState('{"n": 0.333333333333333333333333, "old": 1}'), attributes)).toEqual({
    n: new NumberText('0.333333333333333333333333'),
    new: null,
  });
});

test.each<[string, number | undefined]>([
  ['90s', 90_000],
  ['5m', 300_000],
  ['1h30m', 5_400_000],
  ['1.5h', 5_400_000],
  ['250ms', 250],
  ['0s', undefined],
  ['5', undefined],
  ['5 minutes', undefined],
  ['-5m', undefined],
  ['', undefined],
])('the duration %s', (text, ms) => expect(durationMs(text)).toBe(ms));

test.each([
  [5_400_000, '90m'],
  [7_200_000, '2h'],
  [90_000, '90s'],
  [250, '250ms'],
])('%s ms is shown as %s', (ms, text) => expect(showDuration(ms)).toBe(text));
