/** One run of the soak: a random list of actions, or two blows at random points of a flow. */
import { Dice } from './core/dice.ts';
import { fatesAt, strike } from './matrix/run.ts';
import { scenarios } from './matrix/scenarios.ts';
import { generate } from './workload/generate.ts';
import { play, type Scenario } from './workload/play.ts';
import { asTest, shrink } from './workload/shrink.ts';

export interface SoakRun {
  kind: 'actions' | 'blows';
  seed: string;
  crashes: number;
  failures: number;
  cuts: number;
  simulatedMs: number;
  settledAfterMs: number;
  wrong: string[];
  /** How to see it again, when something was wrong. */
  again?: string;
}

/** What the seed stands for. */
export function scenarioOf(seed: string): Scenario {
  const dice = new Dice(`${seed}/mood`);
  const hosts = dice.between(1, 5);
  const mood = {
    hosts,
    length: dice.between(30, 110),
    violence: dice.between(25, 70),
    restores: dice.chance(0.15),
  };
  return { seed, hosts, teardown: dice.chance(0.35), actions: generate(`${seed}/actions`, mood) };
}

export async function soakActions(seed: string): Promise<SoakRun> {
  const scenario = scenarioOf(seed);
  const { wrong, counts, simulatedMs, settledAfterMs } = await play(scenario);
  const run: SoakRun = {
    ...{ kind: 'actions', seed, wrong, simulatedMs, settledAfterMs, failures: counts.failures, cuts: counts.cuts },
    crashes: counts.controlCrashes + counts.agentCrashes + counts.reboots,
  };
  if (wrong.length > 0) {
    const small = await shrink(scenario);
    run.again = asTest(small, (await play(small)).wrong);
  }
  return run;
}

/** Two blows, the second somewhere in what follows the first. */
export async function soakBlows(seed: string): Promise<SoakRun> {
  const dice = new Dice(seed);
  const scenario = dice.pick(scenarios);
  const peace = await strike(scenario, []);
  const at = dice.between(0, peace.points.length - 1);
  const fate = dice.pick(fatesAt(peace.points[at]!));
  const once = await strike(scenario, [{ at, fate }]);
  const blows = [{ at, fate }];
  let outcome = once;
  if (once.wrong.length === 0 && once.points.length > 0) {
    const then = dice.between(0, once.points.length - 1);
    blows.push({ at: then, fate: dice.pick(fatesAt(once.points[then]!)) });
    outcome = await strike(scenario, blows);
  }
  return {
    ...{ kind: 'blows', seed, wrong: outcome.wrong, failures: 0, cuts: 0, simulatedMs: 0, settledAfterMs: 0 },
    crashes: once.crashes + (outcome === once ? 0 : outcome.crashes),
    ...(outcome.wrong.length > 0
      ? { again: `strike(${JSON.stringify(scenario.name)}, ${JSON.stringify(blows)})` }
      : {}),
  };
}
