/** Whether the declaration was carried out: then whatever differs since is drift, not work that is still to do. */
import { type HostResource, type Instance, type LiveResource, resourceKey } from '@plumb/schemas';
import { resourceIds } from '../../plan/instance-resources.ts';
import { findCondition } from '../../runtime/conditions.ts';
import type { Context } from '../controller.ts';

/** True when the instance was once as declared at its present generation. */
export function isApplied(instance: Instance): boolean {
  if (instance.status?.host === undefined || instance.status.observedGeneration !== instance.metadata.generation)
    return false;
  if (findCondition(instance, 'Stalled')?.status === 'True') return false;
  const ready = findCondition(instance, 'Ready')?.status;
  return ready === 'True' || ready === 'Unknown' || findCondition(instance, 'Drifted')?.status === 'True';
}

/** Whether the domain runs on the host; undefined when it is not there. */
export function livePower(context: Context, instance: Instance, host: string): 'Running' | 'Stopped' | undefined {
  const resource = liveDomain(context, instance, host);
  if (resource === undefined) return undefined;
  return resource.domain?.state === 'running' ? 'Running' : 'Stopped';
}

/** The instance's domain as it lives on the host; undefined when it does not. */
export function liveDomain(context: Context, { metadata }: Instance, host: string): LiveResource<'domain'> | undefined {
  const resource = context.fleet.host(host)?.resources.get(`domain/${resourceIds.domain(metadata.uid)}`);
  return resource?.kind === 'domain' ? resource : undefined;
}

/** The resource as it lives on the host; undefined when it does not. */
export function liveOf(
  context: Context,
  { host, resource }: { host: string; resource: HostResource },
): LiveResource | undefined {
  return context.fleet.host(host)?.resources.get(resourceKey(resource));
}
