import { expect, test } from 'vitest';
import { generate } from './generate.ts';
import { play } from './play.ts';

test('the same seed replays exactly, another does not', async () => {
  const scenario = (seed: string) => ({
    seed,
    hosts: 3,
    teardown: true,
    actions: generate(`${seed}/actions`, { length: 40, hosts: 3, violence: 40, restores: true }),
  });
  const first = await play(scenario('replay-1'), 1_000_000);
  const again = await play(scenario('replay-1'), 1_000_000);
  expect(again.lines).toEqual(first.lines);
  expect(again.hash).toBe(first.hash);
  expect(first.counts.controlCrashes).toBeGreaterThan(1);
  expect((await play(scenario('replay-2'))).hash).not.toBe(first.hash);
});
