import type { Case } from './case.ts';
import type { Surroundings } from './machine.ts';
import type { Row } from './results.ts';

/** For tests: a case and rows of it that were never measured. */

export const lifting: Case = {
  name: 'lift',
  title: 'Lifting, again & again',
  about: 'N weights are lifted.',
  axis: 'weights',
  sizes: [1, 100],
  figures: [
    { name: 'up', title: 'all up', unit: 'ms' },
    { name: 'sweat', title: 'sweat', unit: 'bytes' },
  ],
  goals: [
    { figure: 'up', atMost: 3, times: 'floor', sizes: [100] },
    { figure: 'sweat', atMost: 1.2, times: { size: 1 }, sizes: [100] },
    { figure: 'sweat', atMost: 50, sizes: [1] },
  ],
  open: () => Promise.reject(new Error('never measured')),
};

const measured: Surroundings = {
  date: '2026-01-01T00:00:00.000Z',
  commit: 'abc1234',
  processor: 'A processor',
  cores: 2,
  memoryGiB: 24,
  kernel: 'linux 6.1',
  versions: { node: '26.0.0', sqlite: '3.0.0' },
};

export function lifted(size: number, up: number[], floor: number[], sweat: number[]): Row {
  return {
    ...{ size, repetitions: up.length, measured, othersCores: 0.05 },
    figures: { up, sweat },
    floor: { up: floor },
    latencies: { count: 30, p50: 1.5, p90: 2, p99: 3, p999: 4.25, max: 5 },
  };
}
