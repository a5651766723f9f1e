import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { formatResults } from './report.ts';
import { addRow, parseResults, type Results, readResults, resultsOf, writeResults } from './results.ts';
import { lifted, lifting } from './testing.ts';

const results: Results = {
  format: 2,
  cases: {
    lift: [lifted(1, [4, 5, 6], [2, 2, 2], [40, 41, 42]), lifted(100, [70, 80, 96], [20, 40, 24], [45, 50, 55])],
  },
};

test('each size is shown beside its floor, with the ratio of neighbours', () => {
  const lines = formatResults([lifting], results, {}).split('\n');
  expect(lines).toContain('| 1 | 5 (4 – 6) ms | 2 (2 – 2) ms | **2.5** | 3 | 0.05 |');
  // 3.5, 2 and 4: the median of the ratios, not the ratio of the medians.
  expect(lines).toContain('| 100 | 80 (70 – 96) ms | 24 (20 – 40) ms | **3.5** | 3 | 0.05 |');
  expect(lines).toContain('| 100 | 30 | 1.5 | 2 | 3 | 4.25 | 5 |');
  expect(lines).toContain('| sweat | 41 (40 – 42) B | 50 (45 – 55) B |');
  expect(lines.filter((line) => line.includes('abc1234'))).toHaveLength(1);
});

test('goals are met or missed, and what was found out about it is told', () => {
  const text = formatResults([lifting], results, { lift: 'The arms are short.\n', other: 'nothing' });
  expect(text).toContain('| [lift](#lifting-again--again) | 100 | all up ≤ 3 × floor | 3.5 × | **missed** |');
  expect(text).toContain('| 100 | sweat ≤ 1.2 × that at 1 | 1.22 × | **missed** |');
  expect(text).toContain('| 1 | sweat ≤ 50 bytes | 41 bytes | met |');
  expect(text).toContain('\n\nThe arms are short.\n\n');
  expect(text).not.toContain('nothing');
});

test('results are kept, a folder without any begins empty, and a size is replaced', () => {
  const folder = mkdtempSync(join(tmpdir(), 'plumb-results-'));
  try {
    expect(readResults(join(folder, 'none'))).toEqual({ format: 2, cases: {} });
    writeResults(folder, results);
    expect(readResults(folder)).toEqual(results);
    expect(resultsOf(join(folder, 'results.json'))).toEqual(results);
  } finally {
    rmSync(folder, { recursive: true });
  }
  const copy = structuredClone(results);
  addRow(copy, 'lift', lifted(1, [1], [1], [1]));
  expect(copy.cases.lift?.map(({ size, repetitions }) => [size, repetitions])).toEqual([
    [1, 1],
    [100, 3],
  ]);
});

test('what are no results is told', () => {
  expect(() => parseResults('{"bursts":{}}', 'old.json')).toThrow('old.json');
  expect(() => resultsOf('no-such-commit')).toThrow('neither a file with results nor a commit');
});
