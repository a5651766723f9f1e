import type { Random } from '@plumb/schemas';

/** Draws how many milliseconds one operation takes. */
export type Latency = (random: Random) => number;

/**
 * Half of the mean always, the other half drawn from an exponential distribution: most operations take a little less
 * than the mean, a few take several times as long, as on real hosts.
 */
export function latencyAround(meanMs: number): Latency {
  return (random) => meanMs / 2 - (meanMs / 2) * Math.log(1 - random.next());
}
