/**
 * Two commits in turns (A B B A A B …), on the same machine in the same minutes: what one costs more than the other, with the
 * 95 % confidence interval of the ratio. Single runs differ here by a fifth within an hour; their ratios in turns do not.
 */
import type { Case, Figure, Ground, Rig } from './case.ts';
import { quantile } from './statistics.ts';
import { figure } from './words.ts';

/** Ratio of B to A, and the interval in which it is with a probability of 95 %. */
export interface Ratio {
  ratio: number;
  low: number;
  high: number;
}

/** Two-sided 95 % quantiles of Student's t for 1 to 30 degrees of freedom; 1.96 beyond. */
const T = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/** Of values measured in pairs: the geometric mean of b / a, from the logarithms, which are nearly normal. At least two pairs. */
export function pairedRatio(a: readonly number[], b: readonly number[]): Ratio {
  const logs = a.map((value, i) => Math.log((b[i] as number) / value));
  const n = logs.length;
  const mean = logs.reduce((sum, log) => sum + log, 0) / n;
  const variance = logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / (n - 1);
  const half = (T[n - 2] ?? 1.96) * Math.sqrt(variance / n);
  return { ratio: Math.exp(mean), low: Math.exp(mean - half), high: Math.exp(mean + half) };
}

/** Which side begins each pair: alternating, so that a drift of the machine's speed falls on both. */
export function order(pair: number): readonly ['a' | 'b', 'a' | 'b'] {
  return pair % 2 === 0 ? ['a', 'b'] : ['b', 'a'];
}

export interface TurnsOptions {
  /** At least 10 say something. */
  pairs: number;
  trees: { a: string; b: string };
  ground: Ground;
}

/** What both sides measured, by the names of the case's figures. */
export type Turns = Record<'a' | 'b', Record<string, number[]>>;

/** Sets both sides up, warms each up once, and measures them in turns. */
export async function takeTurns(one: Case, size: number, { pairs, trees, ground }: TurnsOptions): Promise<Turns> {
  await using rigs = new AsyncDisposableStack();
  const sides = {} as Record<'a' | 'b', Rig>;
  for (const side of ['a', 'b'] as const) {
    const folder = `${ground.folder}/${side}`;
    sides[side] = await one.open(size, { ...ground, folder, tree: trees[side] });
    rigs.defer(() => sides[side].close());
    await sides[side].run(0);
  }
  const turns: Turns = { a: {}, b: {} };
  for (let pair = 0; pair < pairs; pair++) {
    for (const side of order(pair)) {
      const { figures } = await sides[side].run(pair + 1);
      for (const [name, value] of Object.entries(figures)) turns[side][name] = [...(turns[side][name] ?? []), value];
    }
    ground.say(`pair ${pair + 1} of ${pairs}`);
  }
  return turns;
}

/** A line per figure that both sides have: both medians, the ratio and its interval. Wall time says little, and says so. */
export function formatTurns(figures: readonly Figure[], { a, b }: Turns): string {
  const lines = figures.flatMap(({ name, title, unit }) => {
    const [before, after] = [a[name], b[name]];
    if (!before || !after || before.some((value) => value === 0)) return [];
    const { ratio, low, high } = pairedRatio(before, after);
    const verdict = low > 1 ? 'more' : high < 1 ? 'less' : 'no difference shown';
    const wall = unit === 'ms' && !/CPU|work/.test(title) ? '; wall time, shown only' : '';
    const medians = `${figure(quantile(before, 0.5), unit)} → ${figure(quantile(after, 0.5), unit)}`;
    return [`${title}: ${medians}, × ${ratio.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)}), ${verdict}${wall}`];
  });
  return lines.join('\n');
}
