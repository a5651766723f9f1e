import { expect, test } from 'vitest';
import { fencedText } from './host.ts';

test('a fence says how many instances it concerns, what becomes of them, and how an evicted host comes back', () => {
  expect(fencedText('host-1', 0, false)).toBe('host host-1 is fenced; 0 instances are placed there.\n');
  const next =
    ' With spec.allowDataLoss an instance is made elsewhere; without, it waits for the host, and can be deleted.';
  expect(fencedText('host-1', 1, false)).toBe(`host host-1 is fenced; 1 instance is placed there.${next}\n`);
  expect(fencedText('host-1', 2, true)).toBe(
    `host host-1 is fenced; 2 instances are placed there.${next}\n` +
      'its credential is void: plumb host readmit host-1 lets an agent in again\n',
  );
});
