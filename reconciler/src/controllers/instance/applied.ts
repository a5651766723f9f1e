/** Whether the declaration was carried out: then whatever differs since is drift, not work that is still to do. */
import type { Instance } from '@plumb/schemas';
import { findCondition } from '../../runtime/conditions.ts';

/** True when the instance was once as declared at its present generation. */
export function isApplied(instance: Instance): boolean {
  if (instance.status?.host === undefined || instance.status.observedGeneration !== instance.metadata.generation)
    return false;
  const ready = findCondition(instance, 'Ready')?.status;
  return ready === 'True' || ready === 'Unknown' || findCondition(instance, 'Drifted')?.status === 'True';
}
