import { expect, test } from 'vitest';
import { backoffMs } from './backoff.ts';

test('doubles from a quarter of a second to 30 s, half of it drawn', () => {
  const least = { next: () => 0 };
  const most = { next: () => 1 };
  expect([0, 1, 2, 6, 7, 1000].map((failures) => backoffMs(failures, least))).toEqual([
    125, 250, 500, 8000, 15_000, 15_000,
  ]);
  expect([0, 7, 1000].map((failures) => backoffMs(failures, most))).toEqual([250, 30_000, 30_000]);
});
