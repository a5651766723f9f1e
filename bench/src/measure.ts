import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Case, CpuProfile, Ground } from './case.ts';
import { latenciesOf, newHistogram } from './latencies.ts';
import { surroundings } from './machine.ts';
import { machineBusySeconds, treeCpuSeconds } from './processes/usage.ts';
import type { Row } from './results.ts';
import { figure } from './words.ts';

export interface MeasureOptions {
  /** Measured repetitions, behind one that warms up; the case's own number, or 7, if absent. */
  repetitions?: number;
  ground: Ground;
}

const REPETITIONS = 7;

/** Measures one size of a case: sets it up, warms it up, and repeats it, each repetition beside its floor. */
export async function measure(one: Case, size: number, options: MeasureOptions): Promise<[Row, CpuProfile[]]> {
  const { ground } = options;
  const repetitions = options.repetitions ?? one.repetitions ?? REPETITIONS;
  const folder = join(ground.folder, `${one.name}-${size}`);
  mkdirSync(folder, { recursive: true });
  const measured = surroundings(ground.now);
  const row: Row = { size, repetitions, measured, othersCores: 0, figures: {}, floor: {} };
  const all = newHistogram();
  const profiles: CpuProfile[] = [];
  let others = 0;
  const rig = await one.open(size, { ...ground, folder });
  try {
    const [{ name: own }] = one.figures;
    for (let repetition = 0; repetition <= repetitions; repetition++) {
      const floor = (await rig.floor?.(repetition)) ?? {};
      const busy = watchOthers();
      const { figures, latencies, profile } = await rig.run(repetition);
      const cores = busy();
      const beside = floor[own] === undefined ? '' : `, floor ${figure(floor[own], one.figures[0].unit)}`;
      const counts = repetition === 0 ? ' (warms up, does not count)' : '';
      ground.say(`${size}: ${one.figures[0].title} ${figure(figures[own]!, one.figures[0].unit)}${beside}${counts}`);
      if (repetition === 0) continue;
      keep(row.figures, figures);
      keep(row.floor, floor);
      others += cores;
      if (latencies) all.add(latencies);
      if (profile) profiles.push(profile);
    }
  } finally {
    await rig.close();
    rmSync(folder, { recursive: true, force: true });
  }
  row.othersCores = Number((others / repetitions).toFixed(2));
  if (all.count > 0) row.latencies = latenciesOf(all);
  return [row, profiles];
}

/** Adds a sample, to five significant digits: what is kept is read by people, too. */
function keep(values: Record<string, number[]>, sample: Record<string, number>): void {
  for (const [name, value] of Object.entries(sample)) {
    if (!Number.isFinite(value)) throw new Error(`${name} was not measured`);
    values[name] ??= [];
    values[name].push(Number(value.toPrecision(5)));
  }
}

/** Cores that others kept busy from now until the returned function is called, on average. */
function watchOthers(): () => number {
  const before = { at: performance.now(), busy: machineBusySeconds(), ours: treeCpuSeconds(process.pid) };
  return () => {
    const seconds = (performance.now() - before.at) / 1000;
    const busy = machineBusySeconds() - before.busy;
    const ours = treeCpuSeconds(process.pid) - before.ours;
    return Math.max(0, (busy - ours) / seconds);
  };
}
