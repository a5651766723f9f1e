import { expect, test } from 'vitest';
import { sentence } from './drift.ts';

const scan = { way: 'content' as const, compared: 12, missed: 0, tookMs: 1234, differing: [] };

test('what a scan found is one sentence, without what there is none of', () => {
  const counts = { same: 10, differs: 2, unknown: 0, underWay: 0 };
  expect(sentence({ ...scan, counts })).toBe(
    '12 instances: 10 as declared, 2 not as declared; 12 compared in 1.23 s.\n',
  );
  expect(sentence({ ...scan, counts: { same: 1, differs: 0, unknown: 3, underWay: 2 } })).toBe(
    '6 instances: 1 as declared, 0 not as declared, 2 under way, 3 on hosts that are not connected; 12 compared in 1.23 s.\n',
  );
});
