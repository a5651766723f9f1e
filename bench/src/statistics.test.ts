import { expect, test } from 'vitest';
import { quantile, spread } from './statistics.ts';

test('median, min and max', () => {
  expect(spread([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
  expect(spread([4, 1, 2, 3])).toEqual({ median: 2.5, min: 1, max: 4 });
  expect(() => spread([])).toThrow('nothing was measured');
});

test('quantiles lie between their neighbours', () => {
  expect(quantile([10, 20, 30, 40, 50], 0.99)).toBeCloseTo(49.6);
  expect(quantile([7], 0.5)).toBe(7);
});
