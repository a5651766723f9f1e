/** Whether an object has become what was declared, or never will without a change of its inputs. */
import { isBuiltin } from '@plumb/schemas/kinds/define.ts';
import { kindOf } from '@plumb/schemas/kinds/index.ts';
import type { Condition, PlumbObject } from '@plumb/schemas/meta/object.ts';

export type Settled =
  | { state: 'ready' }
  /** Only a change of inputs helps. */
  | { state: 'failed'; reason: string; message: string; field?: string }
  /** What it waits for, as far as it says. */
  | { state: 'waiting'; reason: string; message: string };

/**
 * What the conditions say of a generation, the object's own if none is given, or of a later one; what they say of an older one
 * does not count.
 */
export function settled(object: PlumbObject, generation = object.metadata.generation): Settled {
  // Kubernetes' own kinds are what they are once they are written.
  const kind = kindOf(object);
  if (kind && isBuiltin(kind)) return { state: 'ready' };
  const said = (type: string): Condition | undefined => {
    const condition = conditionOf(object, type);
    const seen = condition?.observedGeneration ?? object.status?.observedGeneration ?? 0;
    return seen >= generation ? condition : undefined;
  };
  const stalled = said('Stalled');
  if (stalled?.status === 'True') {
    const { reason, message, field } = stalled;
    return { state: 'failed', reason, message, ...(field === undefined ? {} : { field }) };
  }
  const ready = said('Ready');
  if (ready?.status === 'True') return { state: 'ready' };
  return { state: 'waiting', reason: ready?.reason ?? 'Pending', message: ready?.message ?? '' };
}

export function conditionOf(object: PlumbObject | undefined, type: string): Condition | undefined {
  return object?.status?.conditions?.find((candidate) => candidate.type === type);
}
