import { timestamp } from '@plumb/schemas/meta/timestamp.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';

test('a time is RFC 3339 in whole seconds', () => {
  expect(timestamp(0)).toBe('1970-01-01T00:00:00Z');
  expect(timestamp(1_700_000_000_999)).toBe('2023-11-14T22:13:20Z');
  expect(timestamp(1_700_000_000_000)).toBe('2023-11-14T22:13:20Z');
  fc.assert(
    fc.property(fc.integer({ min: -1e13, max: 1e13 }), (time) => {
      expect(timestamp(time)).toBe(timestamp(time));
    }),
  );
});
