import { expect, test } from 'vitest';
import { measureQuiet } from '../quiet.ts';
import { scenarioOf } from '../soak-run.ts';
import type { Action } from './actions.ts';
import { play } from './play.ts';
import { asTest, shrink } from './shrink.ts';

/** As many as a few seconds allow; the soak runs as long as there is time. */
const RUNS = 120;

test('random actions, with everything that can break: what was declared is what runs', {
  timeout: 300_000,
}, async () => {
  let crashes = 0;
  let acknowledged = 0;
  for (let n = 0; n < RUNS; n++) {
    const scenario = scenarioOf(`workload-${n}`);
    const outcome = await play(scenario);
    crashes += outcome.counts.controlCrashes + outcome.counts.agentCrashes + outcome.counts.reboots;
    acknowledged += scenario.actions.filter((action) => action.do === 'create').length;
    if (outcome.wrong.length > 0) {
      const small = await shrink(scenario);
      expect.fail(`seed ${scenario.seed} goes wrong:\n\n${asTest(small, (await play(small)).wrong)}`);
    }
  }
  expect(crashes).toBeGreaterThan(RUNS * 4);
  expect(acknowledged).toBeGreaterThan(RUNS * 10);
});

test('a failing run is shrunk to what matters', async () => {
  const scenario = scenarioOf('shrink-1');
  const nowhere: Action = { do: 'slow', host: 'host-99', times: 1 };
  const broken = {
    ...scenario,
    teardown: false,
    actions: [...scenario.actions, nowhere],
  };
  const outcome = await play(broken);
  expect(outcome.wrong.length).toBeGreaterThan(0);
  const small = await shrink(broken);
  expect(small.actions).toEqual([nowhere]);
  expect(asTest(small, outcome.wrong)).toContain("test('seed shrink-1'");
});

test('a quiet fleet of 100 hosts is simulated at least 2,000 times faster than real', { timeout: 60_000 }, async () => {
  const { processorRatio, events } = await measureQuiet(100, 600_000);
  expect(events).toBeGreaterThan(6_000); // the heartbeats are there
  expect(processorRatio).toBeGreaterThan(2_000);
});
