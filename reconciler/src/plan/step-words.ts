/**
 * A step of an instance's plan for its reader, who knows whose plan it is: `make disk root`, `make subnet default/lab`,
 * where the step's id says uids.
 */
import { type HostResource, resourceTypes } from '@plumb/schemas';

export function stepWords({ id, resource }: { id: string; resource: HostResource }): string {
  return [id.slice(0, id.indexOf(' ')), resource.kind, partName(resource)].filter((word) => word !== '').join(' ');
}

/** The name of a resource among those of its kind that an instance needs; empty where there is one of them only. */
export function partName(resource: HostResource): string {
  return resourceTypes.definition(resource.kind).part?.(resource) ?? '';
}
