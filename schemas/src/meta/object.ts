import type { FromSchema } from 'json-schema-to-ts';
import type { condition, objectMeta } from './schema.ts';

export const API_GROUP = 'plumb.dev';
export const API_VERSION = 'v1';
export const API_GROUP_VERSION = `${API_GROUP}/${API_VERSION}` as const;

/** `metadata` as stored: Kubernetes' ObjectMeta, the part of it that Plumb keeps. */
export type ObjectMeta = FromSchema<typeof objectMeta>;
/** One entry of `status.conditions`, as in metav1.Condition. */
export type Condition = FromSchema<typeof condition>;
export type OwnerReference = NonNullable<ObjectMeta['ownerReferences']>[number];

/** Any object of any kind. `S` is its spec, `T` its status. */
export interface PlumbObject<S = Record<string, unknown>, T = Record<string, unknown>> {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  spec: S;
  status?: T & { conditions?: Condition[]; observedGeneration?: number };
}

/** `namespace/name`, or `name` for a cluster-scoped object: how people and logs call it. */
export function objectName(metadata: Pick<ObjectMeta, 'name' | 'namespace'>): string {
  return metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name;
}
