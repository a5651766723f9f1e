/** One scenario, hurt at chosen points, and judged. */
import { monitor } from '../oracle/monitor.ts';
import { Player } from '../workload/play.ts';
import { settle } from '../workload/settle.ts';
import { type Fate, type Point, pointName } from '../world/fates.ts';
import { World } from '../world/world.ts';
import type { MatrixScenario } from './scenarios.ts';

/** `at` counts the points since the fate before, or since the beginning of what is hurt. */
export interface Blow {
  at: number;
  fate: Fate;
}

export interface MatrixOutcome {
  wrong: string[];
  /** Points that were reached when all blows had fallen: what a further blow could hit. */
  points: Point[];
  /** Where each blow fell; shorter than the blows when a point was not reached any more. */
  fell: Point[];
  crashes: number;
}

/** What can happen at the point. */
export function fatesAt(point: Point): Fate[] {
  switch (point.at) {
    case 'commit':
      return point.when === 'before' ? ['crash control', 'fail'] : ['crash control'];
    case 'step':
      return [
        ...(['crash control', 'crash agent', 'crash both', 'fail', 'repeat', 'reboot host'] as const),
        ...(point.when === 'before' ? (['fail terminal'] as const) : []),
      ];
    case 'frame':
      return point.to === 'agent' ? ['cut', 'crash agent', 'again late'] : ['cut', 'crash control'];
  }
}

export async function strike(scenario: MatrixScenario, blows: readonly Blow[]): Promise<MatrixOutcome> {
  const { name, hosts, before, under } = scenario;
  const world = new World({ seed: `matrix ${name}`, hosts, zone: 'home', cpus: 4, memoryMiB: 8192 });
  const fell: Point[] = [];
  let points: Point[] = [];
  const wrong: string[] = [];
  try {
    monitor(world);
    const player = new Player(world);
    for (const action of before) await player.do(action);
    await player.answers();
    const peaceful = await settle(world, 0);
    wrong.push(...peaceful.wrong.map((what) => `before anything was hurt: ${what}`));
    const left = [...blows];
    world.fates = {
      at(point) {
        const next = left[0];
        points.push(point);
        if (!next || points.length - 1 < next.at) return undefined;
        left.shift();
        points = [];
        fell.push(point);
        return next.fate;
      },
    };
    for (const action of under) await player.do(action);
    await player.answers();
    await world.run(1_500);
    if (left.length > 0) await world.run(6_000);
    wrong.push(...(await settle(world, 4_000)).wrong, ...player.model.broken());
  } catch (error) {
    wrong.push(`the simulation threw: ${(error as Error).stack}`);
  } finally {
    world.close();
  }
  const { controlCrashes, agentCrashes, reboots } = world.counts;
  return { wrong: [...world.violations, ...wrong], points, fell, crashes: controlCrashes + agentCrashes + reboots };
}

/** Which points were hit by what: `point × fate` → how often. */
export class Coverage {
  readonly hits = new Map<string, number>();

  add(fell: readonly Point[], blows: readonly Blow[]): void {
    for (const [i, point] of fell.entries()) {
      const key = `${pointName(point)} × ${blows[i]!.fate}`;
      this.hits.set(key, (this.hits.get(key) ?? 0) + 1);
    }
  }

  has(...words: string[]): boolean {
    for (const key of this.hits.keys()) if (words.every((word) => key.includes(word))) return true;
    return false;
  }
}
