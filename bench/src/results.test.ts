import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Surroundings } from './machine.ts';
import { formatResults, type Results, readResults, writeResults } from './results.ts';

const spread = (median: number) => ({ median, min: median - 1, max: median + 1 });
const measured: Surroundings = {
  date: '2026-01-01T00:00:00.000Z',
  commit: 'abc1234',
  processor: 'A processor',
  cores: 2,
  memoryGiB: 24,
  kernel: 'linux 6.1',
  loadBefore: 0.1,
  versions: { node: '26.0.0' },
};
const burst = (instances: number): Results['bursts'][string] => ({
  ...{ instances, repetitions: 5, hosts: 100, connections: 50, measured },
  ...{ ready: spread(250), answered: spread(50), readyHalf: 120.04, gone: spread(99), ratio: 2.5 },
  floor: { total: spread(100), posts: spread(60), records: spread(30), roundTrips: spread(10) },
  perCreate: {
    ...{ records: 6, bytes: 4096.4, batches: 3, transactions: 0.125 },
    ...{ messagesToAgents: 1, messagesFromAgents: 2, serverCpuMs: 1.5, agentCpuMs: 0.25 },
  },
});

test('the table shows each burst beside its floor, small ones first', () => {
  const lines = formatResults({ bursts: { 'burst-100': burst(100), 'burst-1': burst(1) } }).split('\n');
  const row = (n: number) =>
    `| ${n} | 250 (249 – 251) | 100 (99.0 – 101) | **2.5** | 120 | 50.0 (49.0 – 51.0) | 99.0 (98.0 – 100) | 5 |`;
  expect(lines.indexOf(row(1))).toBeGreaterThan(0);
  expect(lines.indexOf(row(100))).toBe(lines.indexOf(row(1)) + 1);
  expect(lines).toContain('| 1 | 6.0 | 4096 | 3.0 | 0.13 | 1.0 | 2.0 | 1.50 | 0.25 |');
  // Measured in one run: said once.
  expect(lines.filter((line) => line.includes('abc1234'))).toEqual([
    '- 2026-01-01T00:00:00.000Z, commit abc1234: A processor, 2 cores, 24 GiB, linux 6.1, load before 0.1; node 26.0.0',
  ]);
});

test('results are kept, and a folder without any begins empty', () => {
  const folder = mkdtempSync(join(tmpdir(), 'plumb-results-'));
  try {
    expect(readResults(join(folder, 'none'))).toEqual({ bursts: {} });
    const results: Results = { bursts: { 'burst-1': burst(1) } };
    writeResults(folder, results);
    expect(readResults(folder)).toEqual(results);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
