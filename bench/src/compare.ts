import type { Case } from './case.ts';
import type { Results } from './results.ts';
import { ratios, sameProbability, spread } from './statistics.ts';
import { digits, figure } from './words.ts';

/** What became of one figure. */
export interface Difference {
  case: string;
  size: number;
  /** The figure's title; `ratio to the floor` for the case's own one beside its floor. */
  figure: string;
  before: string;
  after: string;
  /** After by before: 0.8 is a fifth less. */
  factor: number;
  /** How probable so great a difference is between measurements of the same thing. */
  probability: number;
  verdict: 'better' | 'worse' | 'same';
}

/** A difference counts when chance makes one like it in less than one of twenty cases… */
const SIGNIFICANT = 0.05;
/** …and when it is more than what another hour on the same machine brings. */
const LEAST_CHANGE = 0.05;

/** Every figure that both have, case by case. Figures of other machines differ by machine: look at the ratios then. */
export function compare(cases: readonly Case[], before: Results, after: Results): Difference[] {
  const differences: Difference[] = [];
  for (const one of cases) {
    for (const row of after.cases[one.name] ?? []) {
      const old = before.cases[one.name]?.find(({ size }) => size === row.size);
      if (!old) continue;
      const add = (title: string, was: number[], is: number[], more: boolean, show: (value: number) => string) => {
        const medians = [spread(was).median, spread(is).median] as const;
        const factor = medians[1] / medians[0];
        const probability = sameProbability(was, is);
        differences.push({
          ...{ case: one.name, size: row.size, figure: title, factor, probability },
          ...{ before: show(medians[0]), after: show(medians[1]) },
          verdict: verdict(factor, probability, more),
        });
      };
      const [{ name: own }] = one.figures;
      const floors = [old.floor[own], row.floor[own]] as const;
      if (floors[0] && floors[1]) {
        const was = ratios(old.figures[own] ?? [], floors[0]);
        add('ratio to the floor', was, ratios(row.figures[own] ?? [], floors[1]), false, digits);
      }
      for (const { name, title, unit } of one.figures) {
        const [was, is] = [old.figures[name], row.figures[name]];
        if (was && is) add(title, was, is, unit === 'per second', (value) => figure(value, unit));
      }
    }
  }
  return differences;
}

function verdict(factor: number, probability: number, moreIsBetter: boolean): Difference['verdict'] {
  if (!(probability < SIGNIFICANT) || !(Math.abs(factor - 1) > LEAST_CHANGE)) return 'same';
  return factor > 1 === moreIsBetter ? 'better' : 'worse';
}

const MARK = { better: '✓ better', worse: '✗ worse', same: '' };

/** As a table for a terminal; what changed is marked. */
export function formatDifferences(differences: readonly Difference[]): string {
  if (differences.length === 0) return 'They have no case and size in common.';
  const rows = differences.map((d) => [
    `${d.case}-${d.size}`,
    d.figure,
    d.before,
    d.after,
    Number.isFinite(d.factor) ? `${d.factor < 1 ? '−' : '+'}${Math.abs((d.factor - 1) * 100).toFixed(0)} %` : '',
    d.probability.toFixed(3),
    MARK[d.verdict],
  ]);
  const table = [['case', 'figure', 'before', 'after', 'change', 'by chance', ''], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
  const count = (verdict: Difference['verdict']) => differences.filter((d) => d.verdict === verdict).length;
  return `${lines.join('\n')}\n\n${count('better')} better, ${count('worse')} worse, ${count('same')} the same within their noise.`;
}
