/** Pure: what takes the steps of a plan back. */
import { resourceKey, resourceOrder } from '@plumb/schemas';
import { equal, type Plan, type PlanStep } from '../plan/plan.ts';
import { stepWords } from '../plan/step-words.ts';
import type { FlowRecord } from './record.ts';

/**
 * What undoes the steps, last first. A step that made something removes it; one that changed or removed
 * something puts back what was there. Whether a step was carried out does not matter: undoing is idempotent, and a step
 * that failed may have done half. What is shared stays: others may use it, and its own controller removes it. A step that
 * only repaired a resource changed no declaration, so there is nothing to return to.
 */
export function undoSteps(steps: readonly PlanStep[]): PlanStep[] {
  return steps
    .filter(
      (step) => step.undo === 'undoable' && !(step.verb === 'ensure' && equal(step.previous?.spec, step.resource.spec)),
    )
    .reverse()
    .map((step): PlanStep => {
      const base = { ...step, id: `undo ${step.id}`, why: `undoes: ${stepWords(step)}` };
      return step.previous === undefined
        ? { ...base, verb: 'remove' }
        : { ...base, verb: 'ensure', resource: step.previous };
    })
    .sort((a, b) => rank(a) - rank(b));
}

/** What comes back comes in the order of making, before what goes, in reverse: steps of several flows are in no order. */
function rank({ verb, resource }: PlanStep): number {
  return verb === 'ensure' ? resourceOrder(resource.kind) : 100 - resourceOrder(resource.kind);
}

/** Everything that the flow and those before it may have done: of each resource one step, from what was there at first. */
export function doneSteps({ carried = [], plan }: Pick<FlowRecord, 'carried' | 'plan'>): PlanStep[] {
  const done = new Map<string, PlanStep>();
  for (const step of [...carried, ...plan.steps]) {
    const key = `${step.host} ${resourceKey(step.resource)}`;
    const before = done.get(key);
    done.set(key, before ? { ...step, id: before.id, previous: before.previous } : step);
  }
  return [...done.values()];
}

/**
 * True when data that the flow destroys is gone: there is no way back any more, whichever step fails when it is tried
 * again. `lives`: whether the resource of a step is still on its host.
 */
export function isPastPivot({ plan }: Pick<FlowRecord, 'plan'>, lives: (step: PlanStep) => boolean): boolean {
  return plan.steps.some((step) => step.undo === 'pivot' && !lives(step));
}

/** True when the plan destroys data at or before the step: from there a flow only goes forward. */
export function passesPivot(plan: Plan, stepId: string): boolean {
  for (const step of plan.steps) {
    if (step.undo === 'pivot') return true;
    if (step.id === stepId) return false;
  }
  return false;
}
