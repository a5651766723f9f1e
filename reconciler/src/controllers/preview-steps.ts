import type { Disruption } from '@plumb/schemas';
import type { PlanStep } from '../plan/plan.ts';
import { stepWords } from '../plan/step-words.ts';

/** A step as a preview tells it: its id may hold the uid of an object that is not there yet. */
export interface StepView {
  id: string;
  host: string;
  disruption: Disruption;
  why: string;
}

export function stepView(step: PlanStep): StepView {
  const { host, disruption, why } = step;
  return { id: stepWords(step), host, disruption, why };
}
