import { realAmbient, timeOrderedUid } from '@plumb/schemas';
import { expect, test } from 'vitest';
import { macFromUid } from './mac.ts';

const RANDOM = '01234567-89ab-4def-8123-456789abcdef';

test('the address of a uid that begins with a time comes from its end', () => {
  const uid = timeOrderedUid(Date.UTC(2026, 0, 1), RANDOM);
  expect(uid).toBe('019b76da-a800-7def-8123-456789abcdef');
  expect(macFromUid('02', uid)).toBe('02:67:89:ab:cd:ef');
  expect(macFromUid('02', uid, 17)).toBe('02:67:89:ab:cd:00');
});

test('the address of a uid of version 4 stays what it always was', () => {
  expect(macFromUid('0a', RANDOM)).toBe('0a:01:23:45:67:89');
});

test('what is made at the same time has addresses of its own', () => {
  const { ids } = realAmbient();
  const uids = Array.from({ length: 1_000 }, () => ids.uid());
  expect(uids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(new Set(uids.map((uid) => macFromUid('02', uid))).size).toBe(1_000);
});
