import type { ResourceType } from '@plumb/schemas';
import { expect, test } from 'vitest';
import { PLAN_VERSION, type Plan, type PlanStep } from '../plan/plan.ts';
import { doneSteps, undoSteps } from './undo.ts';

const made = (kind: ResourceType, id: string): PlanStep => ({
  id: `ensure ${kind} ${id}`,
  host: 'host-1',
  verb: 'ensure',
  resource: { kind, id, owner: 'uid', spec: {} } as PlanStep['resource'],
  undo: 'undoable',
  disruption: 'none',
  why: 'it is declared',
});
const changed = (kind: ResourceType, id: string): PlanStep => {
  const step = made(kind, id);
  return { ...step, previous: { ...step.resource, spec: { before: true } } as unknown as PlanStep['previous'] };
};
const order = (steps: readonly PlanStep[]) => undoSteps(steps).map(({ verb, resource }) => `${verb} ${resource.id}`);

test('what a plan made goes last first', () => {
  expect(order([made('disk', 'root'), made('port', 'eth0'), made('domain', 'vm')])).toEqual([
    'remove vm',
    'remove eth0',
    'remove root',
  ]);
});

test('a create that was superseded, and then undone, removes its domain before the ports of both plans', () => {
  const carried = [made('disk', 'root'), made('port', 'eth0'), made('domain', 'vm')];
  const plan: Plan = { version: PLAN_VERSION, steps: [made('port', 'eth1'), made('domain', 'vm')] };
  expect(order(doneSteps({ carried, plan }))).toEqual(['remove vm', 'remove eth1', 'remove eth0', 'remove root']);
});

test('what several updates changed comes back in the order of making, before what they made goes', () => {
  const carried = [changed('domain', 'vm'), made('port', 'eth1')];
  const plan: Plan = { version: PLAN_VERSION, steps: [changed('port', 'eth0'), made('port', 'eth2')] };
  expect(order(doneSteps({ carried, plan }))).toEqual(['ensure eth0', 'ensure vm', 'remove eth2', 'remove eth1']);
});
