import { expect, test } from 'vitest';
import { linearScale, logScale, namesScale } from './scale.ts';

test('a linear scale goes from 0 to a round number', () => {
  const scale = linearScale(430, 100);
  expect(scale.ticks).toEqual([0, 100, 200, 300, 400, 500]);
  expect(scale.at(250)).toBe(50);
});

test('a logarithmic scale has a tick per decade, or three where there are few', () => {
  const wide = logScale(1, 10_000, 100);
  expect(wide.ticks).toEqual([1, 10, 100, 1000, 10_000]);
  expect(wide.at(100)).toBeCloseTo(50);
  const narrow = logScale(3, 40, 100);
  expect(narrow.ticks).toEqual([2, 5, 10, 20, 50]);
  expect(narrow.minor).toEqual([3, 4, 6, 7, 8, 9, 30, 40]);
});

test('names stand at equal distances', () => {
  const scale = namesScale([0, 1_000, 100_000], 90);
  expect(scale.ticks.map(scale.at)).toEqual([15, 45, 75]);
});
