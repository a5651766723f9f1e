/** One run of the soak: a random list of actions, two blows at random points of a flow, or requests in peace. */
import { Dice } from './core/dice.ts';
import { fatesAt, strike } from './matrix/run.ts';
import { scenarios } from './matrix/scenarios.ts';
import { checkApi } from './workload/api-model.ts';
import { generate } from './workload/generate.ts';
import { play, type Scenario } from './workload/play.ts';
import { asTest, shrink } from './workload/shrink.ts';

export interface SoakRun {
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

/** Which sort of run the seed stands for: its last number says so. */
export function sortOf(seed: string): 'actions' | 'blows' | 'requests' {
  const n = Number(seed.split('-').at(-1));
  if (n % 8 === 7) return 'blows';
  return n % 64 === 32 ? 'requests' : 'actions';
}

export function soakRun(seed: string): Promise<SoakRun> {
  return { actions: soakActions, blows: soakBlows, requests: soakRequests }[sortOf(seed)](seed);
}

/** The actions that the seed stands for. */
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

async function soakActions(seed: string): Promise<SoakRun> {
  const scenario = scenarioOf(seed);
  const { wrong, counts, simulatedMs, settledAfterMs } = await play(scenario);
  const run: SoakRun = {
    ...{ seed, wrong, simulatedMs, settledAfterMs, failures: counts.failures, cuts: counts.cuts },
    crashes: counts.controlCrashes + counts.agentCrashes + counts.reboots,
  };
  if (wrong.length > 0) {
    const small = await shrink(scenario);
    run.again = asTest(small, (await play(small)).wrong);
  }
  return run;
}

/** Two blows, the second somewhere in what follows the first. */
async function soakBlows(seed: string): Promise<SoakRun> {
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
    ...{ seed, wrong: outcome.wrong, failures: 0, cuts: 0, simulatedMs: 0, settledAfterMs: 0 },
    crashes: once.crashes + (outcome === once ? 0 : outcome.crashes),
    ...(outcome.wrong.length > 0
      ? { again: `strike(${JSON.stringify(scenario.name)}, ${JSON.stringify(blows)})` }
      : {}),
  };
}

/** A few lists of requests in peace: nothing is hurt, and every answer is known before. */
async function soakRequests(seed: string): Promise<SoakRun> {
  const wrong = await checkApi(new Dice(seed).bits() | 0, 4).then(
    () => [],
    (error: Error) => [`${(error.cause as Error | undefined)?.message}: ${error.message}`],
  );
  return { seed, wrong, crashes: 0, failures: 0, cuts: 0, simulatedMs: 0, settledAfterMs: 0 };
}
