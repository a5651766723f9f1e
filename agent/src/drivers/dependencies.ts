import type { HostResource, LiveResource, ResourceType } from '@plumb/schemas';
import { resourceKey, retryable } from '@plumb/schemas';

export interface ResourceRef {
  kind: ResourceType;
  id: string;
}

/** The resources that must be on the host before this one can be made, and that may not go before it. */
export function dependenciesOf(resource: HostResource): ResourceRef[] {
  switch (resource.kind) {
    case 'image':
    case 'bridge':
    case 'seed':
      return [];
    case 'subnet':
      return [{ kind: 'bridge', id: resource.spec.bridge }];
    case 'disk':
      return [{ kind: 'image', id: resource.spec.image }];
    case 'port':
      return [
        { kind: 'bridge', id: resource.spec.bridge },
        { kind: 'subnet', id: resource.spec.subnet },
      ];
    case 'domain':
      return [
        ...resource.spec.disks.map((id): ResourceRef => ({ kind: 'disk', id })),
        ...(resource.spec.seed === undefined ? [] : [{ kind: 'seed', id: resource.spec.seed } as const]),
        ...resource.spec.ports.map((port): ResourceRef => ({ kind: 'port', id: port.id })),
      ];
  }
}

/** Throws `MissingDependency` (retry) unless everything that `resource` refers to is there. */
export function requireDependencies(resource: HostResource, isThere: (ref: ResourceRef) => boolean): void {
  const missing = dependenciesOf(resource).filter((ref) => !isThere(ref));
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
    if (dependenciesOf(other).some((needed) => needed.kind === ref.kind && needed.id === ref.id))
      users.push(resourceKey(other));
  if (users.length > 0)
    throw retryable('InUse', `${resourceKey(ref)} is used by ${users.join(', ')}: remove that first`);
}
