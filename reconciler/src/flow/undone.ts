/** Pure: what undoing takes back, in the words of the person whose instance it is. */
import type { HostResource, LiveResource } from '@plumb/schemas';
import { isDone, type PlanStep } from '../plan/plan.ts';

/** Of each resource that is not as it was before, what becomes of it. `liveOf`: the resource as it is now. */
export function undoneWords(undo: readonly PlanStep[], liveOf: (step: PlanStep) => LiveResource | undefined): string[] {
  const words: string[] = [];
  for (const step of undo) {
    const now = liveOf(step);
    if (isDone(step, now)) continue;
    if (step.verb === 'remove') words.push(`${nameOf(step.resource)} was removed`);
    else words.push(`${nameOf(step.resource)} ${now ? 'was put back as it was' : 'was made again'}`);
  }
  return words;
}

function nameOf({ kind, id }: HostResource): string {
  switch (kind) {
    case 'domain':
      return 'the guest';
    case 'disk':
      return 'the root disk';
    case 'seed':
      return 'the seed';
    case 'port':
      return `the interface ${id.slice(id.indexOf('.') + 1)}`;
    default:
      return `${kind} ${id}`;
  }
}
