/**
 * What an agent makes and removes on a host. A host's desired state is a set of resources, its live state is another,
 * and a plan is the difference. Each resource is declared whole, so making it twice is making it once.
 *
 * The spec of a resource crosses the wire as JSON text (agent.proto, `HostResource.spec`); both ends take its type from here.
 * Identity is (kind, id) on one host. `owner` is the uid of the object that it exists for. What a type is, its file says.
 */
import type { FromSchema } from 'json-schema-to-ts';
import type { DomainFacts } from './domain.ts';
import * as list from './list.ts';
import { type ResourceRef, ResourceRegistry } from './registry.ts';

export type { DomainFacts } from './domain.ts';

/** The types that are known here. */
export const resourceTypes = new ResourceRegistry(list);

export type ResourceType = keyof typeof list;
export type ResourceSpec<K extends ResourceType = ResourceType> = {
  [P in ResourceType]: FromSchema<(typeof list)[P]['spec']>;
}[K];

/** A resource as desired. Distributes over kinds, so that `kind` narrows `spec`. */
export type HostResource<K extends ResourceType = ResourceType> = {
  [P in K]: { kind: P; id: string; owner: string; spec: ResourceSpec<P> };
}[K];

/** A resource as it is found on a host. */
export type LiveResource<K extends ResourceType = ResourceType> = HostResource<K> & {
  /** What differs from `spec` in reality, as sentences; empty when the resource is as it was made. */
  drift: string[];
  /** Present on domains. */
  domain?: DomainFacts;
};

/** A resource of a type that is not known here: of a newer agent, or of a plug-in that is gone. Nothing but its identity is kept. */
export interface OpaqueResource {
  kind: string;
  id: string;
  owner: string;
}

/** `kind/id`: the identity of a resource on its host. */
export function resourceKey(resource: ResourceRef): string {
  return `${resource.kind}/${resource.id}`;
}

/** Position of the type in the order of making. */
export function resourceOrder(kind: string): number {
  return resourceTypes.order(kind);
}
