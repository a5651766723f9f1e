import type { Random } from '@plumb/schemas';

const FIRST_MS = 250;
export const LONGEST_MS = 30_000;

/**
 * Milliseconds to wait before attempt `failures + 1`: doubling up to 30 s, of which half is drawn at random, so that
 * agents that were cut off together do not come back together.
 */
export function backoffMs(failures: number, random: Random): number {
  const whole = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures, 20));
  return whole / 2 + (whole / 2) * random.next();
}
