import type { Case, Figure, Goal } from './case.ts';
import type { Row } from './results.ts';
import { ratios, spread } from './statistics.ts';
import { digits, figure } from './words.ts';

/** How one goal was met at one size. */
export interface Reached {
  size: number;
  goal: Goal;
  /** In words, e.g. `all Running ≤ 3 × floor`. */
  words: string;
  /** What was measured, in words. */
  measured: string;
  met: boolean;
}

/** The goals of a case at each size that was measured. */
export function reached(one: Case, rows: readonly Row[]): Reached[] {
  return one.goals.flatMap((goal) =>
    rows
      .filter(({ size }) => goal.sizes?.includes(size) ?? true)
      .flatMap((row) => {
        const values = row.figures[goal.figure];
        const by = values && timesOf(goal, values, row, rows);
        if (by === undefined) return [];
        const wanted = one.figures.find(({ name }) => name === goal.figure)!;
        const met = by <= goal.atMost;
        return [
          { size: row.size, goal, words: goalWords(goal, wanted), measured: measuredWords(goal, wanted, by), met },
        ];
      }),
  );
}

/** The figure as the goal counts it; undefined where what it is a multiple of was not measured. */
function timesOf({ figure, times }: Goal, values: number[], row: Row, rows: readonly Row[]): number | undefined {
  if (times === undefined) return spread(values).median;
  if (times === 'floor') return row.floor[figure] && spread(ratios(values, row.floor[figure])).median;
  const base = rows.find(({ size }) => size === times.size)?.figures[figure];
  return base && spread(values).median / spread(base).median;
}

function goalWords({ atMost, times }: Goal, { title, unit }: Figure): string {
  if (times === undefined) return `${title} ≤ ${figure(atMost, unit)}`;
  if (times === 'floor') return `${title} ≤ ${atMost} × floor`;
  return `${title} ≤ ${atMost} × that at ${digits(times.size)}`;
}

function measuredWords({ times }: Goal, { unit }: Figure, value: number): string {
  return times === undefined ? figure(value, unit) : `${digits(value)} ×`;
}

/** What the goal comes to in the figure's unit at one size, for pictures; undefined where it does not hold. */
export function limitAt(goal: Goal, row: Row, rows: readonly Row[]): number | undefined {
  if (goal.sizes && !goal.sizes.includes(row.size)) return undefined;
  if (goal.times === undefined) return goal.atMost;
  const of = goal.times;
  const values = of === 'floor' ? row.floor : rows.find(({ size }) => size === of.size)?.figures;
  const base = values?.[goal.figure];
  return base && goal.atMost * spread(base).median;
}
