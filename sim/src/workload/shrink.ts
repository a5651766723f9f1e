/** The shortest list of actions that still goes wrong in the same way, and its text as a test. */
import type { Action } from './actions.ts';
import { actionText } from './actions.ts';
import { type Outcome, play, type Scenario } from './play.ts';

/** What went wrong, without names of the moment: two runs that fail alike have the same. */
export function signature(outcome: Pick<Outcome, 'wrong'>): string {
  const first = outcome.wrong[0] ?? '';
  return first
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}/g, 'uid')
    .replaceAll(/[a-f0-9]{64}/g, 'sum')
    .replaceAll(/\d+(\.\d+)*/g, 'n')
    .replaceAll(/[{"][^}]*[}"]/g, 'x')
    .slice(0, 60);
}

/** Delta debugging: leaves out ever smaller parts while the failure stays. At most `tries` runs. */
export async function shrink(scenario: Scenario, tries = 600): Promise<Scenario> {
  const wanted = signature(await play(scenario));
  let left = tries;
  const fails = async (actions: readonly Action[], teardown: boolean | undefined) => {
    if (left-- <= 0) return false;
    return signature(await play({ ...scenario, actions, teardown })) === wanted;
  };
  let { actions, teardown } = scenario;
  if (teardown && (await fails(actions, false))) teardown = false;
  for (let size = Math.ceil(actions.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let again = true; again; ) {
      again = false;
      for (let at = actions.length - size; at >= 0 && at < actions.length; at -= size) {
        const without = [...actions.slice(0, at), ...actions.slice(at + size)];
        if (without.length === actions.length || !(await fails(without, teardown))) continue;
        actions = without;
        again = true;
      }
      if (size > 1) again = false;
    }
  }
  return { ...scenario, actions, teardown };
}

/** The scenario as a test that can be put into sim/src/regressions. */
export function asTest(scenario: Scenario, wrong: readonly string[]): string {
  const actions = scenario.actions.map((action) => `      ${actionText(action)},`).join('\n');
  const found = wrong.slice(0, 3).map((what) => `  // ${what}`);
  return [
    `test('seed ${scenario.seed}', async () => {`,
    ...found,
    '  const { wrong } = await play({',
    `    seed: '${scenario.seed}',`,
    `    hosts: ${scenario.hosts},`,
    `    teardown: ${scenario.teardown ?? false},`,
    '    actions: [',
    actions,
    '    ],',
    '  });',
    '  expect(wrong).toEqual([]);',
    '});',
  ].join('\n');
}
