import type { Figure } from './case.ts';
import type { Spread } from './statistics.ts';

/** How numbers are written for people. */

/** With its unit: `87.8 ms`, `1.25 s`, `512 MiB`. */
export function figure(value: number, unit: Figure['unit']): string {
  if (unit === 'count') return digits(value);
  if (unit === 'per second') return `${digits(value)} per second`;
  if (unit === '%') return `${digits(value)} %`;
  if (unit === 'ms' && value >= 10_000) return `${digits(value / 1000)} s`;
  return `${digits(value)} ${unit}`;
}

/** Three significant digits, and no fewer than the whole number has. */
export function digits(value: number): string {
  if (value === 0) return '0';
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}

/** `median (min – max)`, all in the unit of the median. */
export function range({ median, min, max }: Spread, unit: Figure['unit']): string {
  const seconds = unit === 'ms' && median >= 10_000;
  const by = seconds ? 1000 : 1;
  const shown = seconds ? 's' : { count: '', 'per second': '', ms: 'ms', MiB: 'MiB', bytes: 'B', '%': '%' }[unit];
  return `${digits(median / by)} (${digits(min / by)} – ${digits(max / by)}) ${shown}`.trimEnd();
}
