/** What a number was over several repetitions. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

/** Throws when there are no values: a result without a measurement is none. */
export function spread(values: readonly number[]): Spread {
  if (values.length === 0) throw new Error('nothing was measured');
  return { median: quantile(values, 0.5), min: Math.min(...values), max: Math.max(...values) };
}

/** The value below which the share `q` of the values lies, between neighbours in proportion. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)] as number;
  const high = sorted[Math.ceil(at)] as number;
  return low + (high - low) * (at - Math.floor(at));
}

/** Each value by its neighbour of the same repetition: what disturbed one disturbed the other. */
export function ratios(values: readonly number[], floor: readonly number[]): number[] {
  return values.slice(0, floor.length).map((value, i) => value / (floor[i] as number));
}

/**
 * How probable it is that two sets of values of the same thing differ by rank as much as these do: the two-sided exact
 * test of Wilcoxon, Mann and Whitney, ties sharing their ranks. Takes every way to deal the values out, so it is for
 * the few values of repetitions: of more than 12 a side only the first 12 count.
 */
export function sameProbability(a: readonly number[], b: readonly number[]): number {
  const [left, right] = [a.slice(0, 12), b.slice(0, 12)];
  const all = [...left, ...right];
  const sorted = all.toSorted((x, y) => x - y);
  // Twice the mean rank: whole, also among ties.
  const ranks = all.map((value) => sorted.indexOf(value) + sorted.lastIndexOf(value) + 2);
  const expected = left.length * (all.length + 1);
  const seen = Math.abs(ranks.slice(0, left.length).reduce((sum, rank) => sum + rank, 0) - expected);
  // ways[k] : sum of ranks → in how many ways k of the values make it
  const ways: Map<number, number>[] = Array.from({ length: left.length + 1 }, () => new Map());
  ways[0]!.set(0, 1);
  for (const rank of ranks)
    for (let k = left.length; k > 0; k--)
      for (const [sum, count] of ways[k - 1]!) ways[k]!.set(sum + rank, (ways[k]!.get(sum + rank) ?? 0) + count);
  let total = 0;
  let asFar = 0;
  for (const [sum, count] of ways[left.length]!) {
    total += count;
    if (Math.abs(sum - expected) >= seen) asFar += count;
  }
  return asFar / total;
}
