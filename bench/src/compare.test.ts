import { expect, test } from 'vitest';
import { compare, formatDifferences } from './compare.ts';
import type { Results } from './results.ts';
import { lifted, lifting } from './testing.ts';

const floor = [10, 11, 10, 12, 11, 10, 11];
const of = (up: number[], sweat: number[]): Results => ({
  format: 2,
  cases: { lift: [lifted(100, up, floor, sweat)] },
});
const before = of([30, 31, 32, 33, 34, 35, 36], [5, 5, 5, 5, 5, 5, 5]);

test('a difference beyond noise is marked, in both directions', () => {
  const faster = compare([lifting], before, of([20, 21, 22, 23, 24, 25, 26], [5, 5, 5, 5, 5, 5, 5]));
  expect(faster.map(({ figure, verdict }) => [figure, verdict])).toEqual([
    ['ratio to the floor', 'better'],
    ['all up', 'better'],
    ['sweat', 'same'],
  ]);
  const slower = compare([lifting], before, of([40, 41, 42, 43, 44, 45, 46], [9, 9, 9, 9, 9, 9, 9]));
  expect(slower.map(({ verdict }) => verdict)).toEqual(['worse', 'worse', 'worse']);
  expect(formatDifferences(slower)).toContain(
    'lift-100  sweat               5 bytes  9 bytes  +80 %   0.001      ✗ worse',
  );
});

test('what repetitions differ by is no difference, however far a single one is off', () => {
  const noisy = compare([lifting], before, of([29, 90, 33, 31, 36, 34, 30], [5, 5, 5, 9, 5, 5, 5]));
  expect(noisy.map(({ verdict }) => verdict)).toEqual(['same', 'same', 'same']);
});

test('a small difference is none, however sure it is', () => {
  const [, up] = compare([lifting], of([100, 101, 102, 103, 104], [1]), of([105, 105.1, 105.2, 105.3, 105.4], [1]));
  expect(up).toMatchObject({ verdict: 'same', probability: expect.closeTo(2 / 252) });
});

test('cases and sizes that only one has are not compared', () => {
  expect(compare([lifting], { format: 2, cases: {} }, before)).toEqual([]);
  expect(formatDifferences([])).toContain('no case and size in common');
});
