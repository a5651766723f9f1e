/**
 * The benchmark in short, for every test run. Machines differ and are busy, so only ratios between what is measured in the
 * same minute can fail, and only when they are far from what they should be.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Case } from './case.ts';
import { burst } from './cases/burst.ts';
import { coldStart } from './cases/cold-start.ts';
import { command } from './cases/command.ts';
import { growth } from './cases/growth.ts';
import { measure } from './measure.ts';
import type { Row } from './results.ts';
import { quantile, ratios } from './statistics.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plumb-short-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Behind one that warms up; `npm run bench` repeats more often. */
const REPETITIONS = 1;

async function row(one: Case, size: number): Promise<Row> {
  const ground = { folder, now: Date.now(), profiled: false, say: () => {} };
  const [measured] = await measure(one, size, { repetitions: REPETITIONS, ground });
  return measured;
}

/** Of the figure, or the case's own, to its floor: the best repetition, since others only ever make it slower. */
function bestRatio(one: Case, { figures, floor }: Row, name = one.figures[0].name): number {
  return Math.min(...ratios(figures[name]!, floor[name]!));
}

test('a burst of 500 creates is not far from its floor', async () => {
  const measured = await row(burst, 500);
  expect(measured.latencies?.count).toBe(500 * REPETITIONS);
  expect(bestRatio(burst, measured)).toBeLessThan(12);
});

test('a create costs about the same where ten times as many instances are', async () => {
  const cpu = async (size: number) => quantile((await row(growth, size)).figures.serverCpuPerCreate!, 0);
  const few = await cpu(200);
  expect((await cpu(2_000)) / few).toBeLessThan(2.5);
});

test('a start on a filled store serves soon, and is ready in a few times as long as reading it takes', async () => {
  const measured = await row(coldStart, 5_000);
  expect(bestRatio(coldStart, measured)).toBeLessThan(6);
  expect(bestRatio(coldStart, measured, 'ready')).toBeLessThan(12);
});

test('a start of the command costs little more than one of Node', async () => {
  const measured = await row(command, 3);
  expect(bestRatio(command, measured)).toBeLessThan(3);
  expect(bestRatio(command, measured, 'get')).toBeLessThan(6);
});
