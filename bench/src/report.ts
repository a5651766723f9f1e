import type { Case, Figure } from './case.ts';
import { reached } from './goals.ts';
import type { Latencies } from './latencies.ts';
import type { Results, Row } from './results.ts';
import { ratios, spread } from './statistics.ts';
import { digits, range } from './words.ts';

/** The results for people, in Markdown; `notes` by case: what was found out about a goal that was missed. */
export function formatResults(cases: readonly Case[], results: Results, notes: Record<string, string>): string {
  const measured = cases.filter(({ name }) => results.cases[name]?.length);
  const rows = measured.flatMap(({ name }) => results.cases[name]!);
  const parts = [
    '# Benchmark results',
    'Made by `npm run bench`; every repetition is in `results.json`. What the cases mean and how the floors are made: ' +
      '[README](../README.md). Numbers are median (min – max) of the repetitions behind one that warms up.',
    '## Goals',
    goalTable(measured, results),
    ...measured.flatMap((one) => caseParts(one, results.cases[one.name]!, notes[one.name])),
    '## Measured on',
    surroundingsList(rows),
  ];
  return `${parts.join('\n\n')}\n`;
}

function goalTable(cases: readonly Case[], results: Results): string {
  const lines = cases.flatMap((one) =>
    reached(one, results.cases[one.name]!).map(({ size, words, measured, met }) =>
      row(`[${one.name}](#${anchor(one.title)})`, digits(size), words, measured, met ? 'met' : '**missed**'),
    ),
  );
  return table(['case', 'size', 'goal', 'measured', ''], lines);
}

function caseParts(one: Case, rows: readonly Row[], note: string | undefined): string[] {
  return [
    `## ${one.title}`,
    one.about,
    `![${one.title}](${one.name}.svg)`,
    mainTable(one, rows),
    ...latencyTable(one, rows),
    ...moreTable(one, rows),
    ...(note ? [note.trim()] : []),
  ];
}

/** The case's own figure beside its floor, and how busy others kept the machine meanwhile. */
function mainTable(one: Case, rows: readonly Row[]): string {
  const [own] = one.figures;
  const floors = rows.some(({ floor }) => floor[own.name]);
  const head = [one.axis, own.title, ...(floors ? ['floor', 'ratio'] : []), 'repetitions', 'cores that others used'];
  const lines = rows.map((r) => {
    const values = r.figures[own.name]!;
    const floor = r.floor[own.name];
    const beside = floor
      ? [range(spread(floor), own.unit), `**${digits(spread(ratios(values, floor)).median)}**`]
      : ['', ''];
    const cells = [digits(r.size), range(spread(values), own.unit), ...(floors ? beside : [])];
    return row(...cells, r.repetitions, r.othersCores.toFixed(2));
  });
  return table(head, lines);
}

function latencyTable(one: Case, rows: readonly Row[]): string[] {
  const has = rows.filter(({ latencies }) => latencies);
  if (has.length === 0) return [];
  const columns: (keyof Latencies)[] = ['count', 'p50', 'p90', 'p99', 'p999', 'max'];
  const head = [one.axis, 'counted', 'p50 ms', 'p90 ms', 'p99 ms', 'p99.9 ms', 'max ms'];
  const lines = has.map(({ size, latencies }) => row(digits(size), ...columns.map((name) => digits(latencies![name]))));
  return ['Single operations, all repetitions together (HdrHistogram):', table(head, lines)];
}

/** Every other figure, one line each, a column for each size. */
function moreTable(one: Case, rows: readonly Row[]): string[] {
  const [, ...figures] = one.figures;
  const cell = ({ name, unit }: Figure, r: Row) => {
    const values = r.figures[name] ?? r.floor[name];
    return values ? range(spread(values), unit) : '';
  };
  const lines = figures
    .filter(({ name }) => rows.some((r) => r.figures[name] ?? r.floor[name]))
    .map((figure) => row(figure.title, ...rows.map((r) => cell(figure, r))));
  if (lines.length === 0) return [];
  return [`Also measured, by ${one.axis}:`, table(['', ...rows.map((r) => digits(r.size))], lines)];
}

function surroundingsList(rows: readonly Row[]): string {
  const lines = rows.map(({ measured: m }) => {
    const versions = Object.entries(m.versions).map(([name, version]) => `${name} ${version}`);
    const machine = `${m.processor}, ${m.cores} cores, ${m.memoryGiB} GiB, ${m.kernel}`;
    return `- ${m.date}, commit ${m.commit}: ${machine}; ${versions.join(', ')}`;
  });
  return [...new Set(lines)].sort().join('\n');
}

function table(head: string[], lines: string[]): string {
  return [row(...head), `|${head.map(() => '---|').join('')}`, ...lines].join('\n');
}

function row(...cells: (string | number)[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** As GitHub makes one from a heading. */
function anchor(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s-]/gu, '')
    .replace(/\s/g, '-');
}
