import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Case, Ground, Rig } from './case.ts';
import { newHistogram, recordMs } from './latencies.ts';
import { measure } from './measure.ts';
import { lifting } from './testing.ts';

let ground: Ground & { said: string[] };

beforeEach(() => {
  const said: string[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'plumb-measure-'));
  ground = { folder, now: Date.UTC(2026, 0, 1), profiled: false, say: (line) => said.push(line), said };
});
afterEach(() => rmSync(ground.folder, { recursive: true, force: true }));

const lift = (rig: Partial<Rig>): Case => ({
  ...lifting,
  open: async (_, { folder }) => {
    writeFileSync(join(folder, 'weights'), '');
    return { run: () => Promise.reject(new Error('no run')), close: async () => {}, ...rig };
  },
});

test('each repetition runs behind its floor, and the first one does not count', async () => {
  const order: string[] = [];
  const rig = {
    async run(repetition: number) {
      order.push(`run ${repetition}`);
      const latencies = newHistogram();
      recordMs(latencies, repetition);
      return { figures: { up: 10 + repetition, sweat: 5 }, latencies };
    },
    async floor(repetition: number) {
      order.push(`floor ${repetition}`);
      return { up: 2 };
    },
  };
  const [row] = await measure(lift(rig), 100, { repetitions: 2, ground });
  expect(order).toEqual(['floor 0', 'run 0', 'floor 1', 'run 1', 'floor 2', 'run 2']);
  expect(row).toMatchObject({
    size: 100,
    repetitions: 2,
    figures: { up: [11, 12], sweat: [5, 5] },
    floor: { up: [2, 2] },
  });
  expect(row.latencies).toMatchObject({ count: 2, max: expect.closeTo(2, 2) });
  expect(ground.said[0]).toBe('100: all up 10 ms, floor 2 ms (warms up, does not count)');
});

test('what was set up is ended and removed, also when a repetition fails', async () => {
  let closed = 0;
  const rig = { close: async () => void closed++ };
  await expect(measure(lift(rig), 1, { ground })).rejects.toThrow('no run');
  expect(closed).toBe(1);
  expect(readdirSync(ground.folder)).toEqual([]);
  expect(existsSync(ground.folder)).toBe(true);
});

test('a figure that is no number is no measurement', async () => {
  const rig = { run: async () => ({ figures: { up: Number.NaN } }) };
  await expect(measure(lift(rig), 1, { ground })).rejects.toThrow('up was not measured');
});
