/** Pure: what takes the steps of a plan back. */
import { equal, type Plan, type PlanStep } from '../plan/plan.ts';

/**
 * The steps that undo the plan, last first. A step that made something removes it; one that changed or removed
 * something puts back what was there. Whether a step was carried out does not matter: undoing is idempotent, and a step
 * that failed may have done half. What is shared stays: others may use it, and its own controller removes it. A step that
 * only repaired a thing changed no declaration, so there is nothing to return to.
 */
export function undoSteps(plan: Plan): PlanStep[] {
  return plan.steps
    .filter(
      (step) => step.undo === 'undoable' && !(step.verb === 'ensure' && equal(step.previous?.spec, step.thing.spec)),
    )
    .reverse()
    .map((step): PlanStep => {
      const base = { ...step, id: `undo ${step.id}`, why: `undoes: ${step.id}` };
      return step.previous === undefined
        ? { ...base, verb: 'remove' }
        : { ...base, verb: 'ensure', thing: step.previous };
    });
}

/** True when the plan destroys data at or before the step: from there a flow only goes forward. */
export function passesPivot(plan: Plan, stepId: string): boolean {
  for (const step of plan.steps) {
    if (step.undo === 'pivot') return true;
    if (step.id === stepId) return false;
  }
  return false;
}
