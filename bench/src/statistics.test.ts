import { expect, test } from 'vitest';
import { quantile, ratios, sameProbability, spread } from './statistics.ts';

test('median, min and max', () => {
  expect(spread([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
  expect(spread([4, 1, 2, 3])).toEqual({ median: 2.5, min: 1, max: 4 });
  expect(() => spread([])).toThrow('nothing was measured');
});

test('quantiles lie between their neighbours', () => {
  expect(quantile([10, 20, 30, 40, 50], 0.99)).toBeCloseTo(49.6);
  expect(quantile([7], 0.5)).toBe(7);
});

test('ratios are taken within a repetition', () => {
  expect(ratios([6, 8, 9], [2, 4, 3])).toEqual([3, 2, 3]);
});

test('the rank test is exact', () => {
  // Of the C(6,3) = 20 ways to deal out six values, 2 are as far apart as 1 2 3 and 4 5 6.
  expect(sameProbability([1, 2, 3], [4, 5, 6])).toBeCloseTo(0.1);
  expect(sameProbability([1, 3, 5], [2, 4, 6])).toBeCloseTo(0.7);
  expect(sameProbability([1, 2, 3, 4, 5, 6, 7], [8, 9, 10, 11, 12, 13, 14])).toBeCloseTo(2 / 3432);
});

test('equal values share their ranks', () => {
  expect(sameProbability([5, 5, 5], [5, 5, 5])).toBe(1);
  expect(sameProbability([5, 5, 5, 5], [5, 5, 5, 6])).toBe(1);
});
