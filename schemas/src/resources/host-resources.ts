/**
 * What an agent makes and removes on a host. A host's desired state is a set of resources, its live state is another,
 * and a plan is the difference. Each resource is declared whole, so making it twice is making it once.
 *
 * The spec of a resource crosses the wire as JSON text (agent.proto, `HostResource.spec`); both ends take its type from here.
 * Identity is (kind, id) on one host. `owner` is the uid of the object that it exists for. What a type is, its file says.
 */
import type { FromSchema, JSONSchema } from 'json-schema-to-ts';
import type { KindDefinition } from '../kinds/define.ts';
import * as kindList from '../kinds/list.ts';
import type { DomainFacts } from './domain.ts';
import * as list from './list.ts';
import { type ResourceRef, ResourceRegistry, together } from './registry.ts';

export type { DomainFacts } from './domain.ts';

/** The types that are known here: those that several kinds use, and those that a kind brings along. */
export const resourceTypes = new ResourceRegistry(
  together(list, ...Object.values(kindList).map(({ resources }: KindDefinition) => resources ?? {})),
);

type Kinds = (typeof kindList)[keyof typeof kindList];
type Brought = Kinds extends infer K ? (K extends { readonly resources?: infer R } ? NonNullable<R> : never) : never;
type Definitions = typeof list & UnionToIntersection<Brought>;
type UnionToIntersection<U> = (U extends unknown ? (member: U) => void : never) extends (all: infer I) => void
  ? I
  : never;

export type ResourceType = keyof Definitions;
export type ResourceSpec<K extends ResourceType = ResourceType> = {
  [P in ResourceType]: Definitions[P] extends { readonly spec: infer S extends JSONSchema } ? FromSchema<S> : never;
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
