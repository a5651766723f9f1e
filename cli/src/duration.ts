/** Durations as people write them on the command line. */
import { terminal } from '@plumb/schemas/meta/error.ts';

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of `90s`, `5m`, `1h30m`, `7d`. Throws PlumbError `BadArgument` (terminal). */
export function parseDuration(text: string, option: string): number {
  const parts = [...text.matchAll(/(\d+)(ms|s|m|h|d)/gy)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) {
    throw terminal(
      'BadArgument',
      `${option} must be a duration such as 90s, 5m or 1h30m, but is ${JSON.stringify(text)}`,
    );
  }
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * UNITS[unit!]!, 0);
}
