import type { HostResource, LiveResource, ResourceType } from '@plumb/schemas';
import { type ResourceRef, resourceKey, resourceTypes, retryable } from '@plumb/schemas';

/** Throws `MissingDependency` (retry) unless everything that `resource` refers to is there. */
export function requireDependencies(resource: HostResource, isThere: (ref: ResourceRef) => boolean): void {
  const missing = resourceTypes.requirements(resource).filter((ref) => !isThere(ref));
  if (missing.length > 0)
    throw retryable(
      'MissingDependency',
      `${resourceKey(resource)} needs ${missing.map(resourceKey).join(', ')}, which is not on this host: make it first`,
    );
}

/** Whether the resource to be removed is an image that another object has taken over. */
export function isAnothersImage(ref: { kind: ResourceType; owner: string }, live: LiveResource | undefined): boolean {
  return ref.kind === 'image' && live !== undefined && live.owner !== ref.owner;
}

/** Throws `InUse` (retry) when one of `others` refers to the resource. */
export function requireUnused(ref: ResourceRef, others: Iterable<LiveResource>): void {
  const users: string[] = [];
  for (const other of others)
    if (resourceTypes.requirements(other).some((needed) => needed.kind === ref.kind && needed.id === ref.id))
      users.push(resourceKey(other));
  if (users.length > 0)
    throw retryable('InUse', `${resourceKey(ref)} is used by ${users.join(', ')}: remove that first`);
}
