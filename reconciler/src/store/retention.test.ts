import { expect, test } from 'vitest';
import { addMark, compactTo, type Mark, type Retention } from './retention.ts';

const retention: Retention = { maxRevisions: 10_000, maxAgeMs: 600_000, minRevisions: 1_000 };
const MINUTE = 60_000;

test('nothing goes while history is young and short', () => {
  const marks = [{ time: 0, revision: 1 }];
  expect(compactTo(retention, { newest: 9_000, oldest: 0, now: 9 * MINUTE, marks })).toBeUndefined();
});

test('what is older than the age limit goes', () => {
  const marks = [
    { time: 0, revision: 2_000 },
    { time: 5 * MINUTE, revision: 4_000 },
    { time: 10 * MINUTE, revision: 6_000 },
  ];
  expect(compactTo(retention, { newest: 7_000, oldest: 0, now: 10 * MINUTE, marks })).toBe(2_000);
  expect(compactTo(retention, { newest: 7_000, oldest: 2_000, now: 16 * MINUTE, marks })).toBe(4_000);
});

test('some revisions stay, whatever their age', () => {
  const marks = [{ time: 0, revision: 3_000 }];
  expect(compactTo(retention, { newest: 3_200, oldest: 0, now: 60 * MINUTE, marks })).toBe(2_200);
});

test('what exceeds the greatest number goes, however young', () => {
  expect(compactTo(retention, { newest: 11_000, oldest: 0, now: 0, marks: [] })).toBe(1_000);
});

test('compaction waits until it is worth a transaction', () => {
  expect(compactTo(retention, { newest: 10_999, oldest: 0, now: 0, marks: [] })).toBeUndefined();
  expect(compactTo(retention, { newest: 11_500, oldest: 1_000, now: 0, marks: [] })).toBeUndefined();
});

test('marks are few, and one of them is older than the age limit', () => {
  let marks: readonly Mark[] = [];
  for (let second = 0; second < 7_200; second++) {
    marks = addMark(retention, marks, { time: second * 1000, revision: second });
  }
  const now = 7_199_000;
  expect(marks.length).toBeLessThanOrEqual(12);
  expect(marks.filter((mark) => mark.time <= now - retention.maxAgeMs).length).toBeGreaterThanOrEqual(1);
  const target = compactTo({ ...retention, minRevisions: 0 }, { newest: 7_199, oldest: 0, now, marks });
  // Between ten and twelve minutes are kept.
  expect(target).toBeGreaterThan(7_199 - 720);
  expect(target).toBeLessThanOrEqual(7_199 - 600);
});
