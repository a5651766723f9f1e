import type { Case } from './case.ts';
import { type Axis, drawChart, type Point, type Series } from './chart/chart.ts';
import { limitAt } from './goals.ts';
import type { Row } from './results.ts';
import { spread } from './statistics.ts';
import { digits, figure } from './words.ts';

/** The picture of a case: its own figure at each size, beside the floor and the goal. */
export function drawCase(one: Case, rows: readonly Row[]): string {
  const [own, ...figures] = one.figures;
  const also = figures.filter(({ name }) => one.picture?.also?.includes(name));
  const line = (values: (row: Row) => number[] | undefined, labelled = false): Point[] =>
    rows.flatMap((row) => {
      const seen = values(row);
      if (!seen) return [];
      const { median, min, max } = spread(seen);
      return [{ x: row.size, y: median, min, max, ...(labelled ? { label: figure(median, own.unit) } : {}) }];
    });
  const medians = (points: Point[]) => points.map(({ x, y }) => ({ x, y }));
  const series: Series[] = [
    { name: own.title, role: 'own', points: line((row) => row.figures[own.name], true) },
    ...also.map(({ name, title }): Series => {
      return { name: title, role: 'other', points: medians(line((row) => row.figures[name])) };
    }),
    { name: 'floor', role: 'floor', points: line((row) => row.floor[own.name]) },
    ...one.goals
      .filter((goal) => goal.figure === own.name)
      .map((goal): Series => {
        const points = rows.flatMap((row) => {
          const y = limitAt(goal, row, rows);
          return y === undefined ? [] : [{ x: row.size, y }];
        });
        return { name: goal.times === 'floor' ? `goal: ${goal.atMost} × floor` : 'goal', role: 'goal', points };
      }),
  ];
  const scale = one.picture?.y ?? 'log';
  const y: Axis = {
    label: `${own.title}, ${own.unit}${scale === 'log' ? ', log scale' : ''}`,
    scale,
    tick: (value) => digits(value),
  };
  const x = one.picture?.x ?? 'log';
  const { measured } = rows.at(-1)!;
  const counts = rows.map((row) => row.repetitions);
  const repetitions = [...new Set([Math.min(...counts), Math.max(...counts)])].join(' to ');
  return drawChart({
    title: one.title,
    subtitle: `Median and range of ${repetitions} repetitions; ${measured.cores} cores, everything durable`,
    x: { label: `${one.axis}${x === 'log' ? ', log scale' : ''}`, scale: x, tick: (value) => digits(value) },
    y,
    series: series.filter(({ points }) => points.length > 0),
    footnote: `${measured.date.slice(0, 10)} · commit ${measured.commit} · ${measured.processor} · Node ${measured.versions.node}, SQLite ${measured.versions.sqlite}`,
  });
}
