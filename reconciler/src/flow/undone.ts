/** Pure: what undoing takes back, in the words of the person whose instance it is. */
import type { LiveResource } from '@plumb/schemas';
import { isDone, type PlanStep } from '../plan/plan.ts';
import { labelOf } from '../plan/step-words.ts';

/** Of each resource that is not as it was before, what becomes of it. `liveOf`: the resource as it is now. */
export function undoneWords(undo: readonly PlanStep[], liveOf: (step: PlanStep) => LiveResource | undefined): string[] {
  const words: string[] = [];
  for (const step of undo) {
    const now = liveOf(step);
    if (isDone(step, now)) continue;
    if (step.verb === 'remove') words.push(`${labelOf(step.resource)} was removed`);
    else words.push(`${labelOf(step.resource)} ${now ? 'was put back as it was' : 'was made again'}`);
  }
  return words;
}
