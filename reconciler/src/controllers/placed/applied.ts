/** Whether the declaration was carried out: then whatever differs since is drift, not work that is still to do. */
import { type HostResource, type LiveResource, type PlumbObject, resourceKey } from '@plumb/schemas';
import { findCondition } from '../../runtime/conditions.ts';
import type { Context } from '../controller.ts';

/** The host on which a placed object is settled, as its status says. */
export function settledOn({ status }: Pick<PlumbObject, 'status'>): string | undefined {
  return (status as { host?: string } | undefined)?.host;
}

/** True when the object was once as declared at its present generation. */
export function isApplied(object: PlumbObject): boolean {
  if (settledOn(object) === undefined || object.status?.observedGeneration !== object.metadata.generation) return false;
  if (findCondition(object, 'Stalled')?.status === 'True') return false;
  const ready = findCondition(object, 'Ready')?.status;
  return ready === 'True' || ready === 'Unknown' || findCondition(object, 'Drifted')?.status === 'True';
}

/** The resource as it lives on the host; undefined when it does not. */
export function liveOf(
  context: Context,
  { host, resource }: { host: string; resource: HostResource },
): LiveResource | undefined {
  return context.fleet.host(host)?.resources.get(resourceKey(resource));
}
