/** What a document of OpenAPI is made of: the kinds of a group, as clients see them. */
import type { SchemaNode } from './validate-schema.ts';

export interface OpenApiGroup {
  /** Empty for the core group. */
  group: string;
  version: string;
  kinds: readonly OpenApiKind[];
}

export interface OpenApiKind {
  kind: string;
  plural: string;
  scope: 'Cluster' | 'Namespaced';
  description: string;
  /** Properties of the object beside apiVersion, kind and metadata. */
  properties: Record<string, SchemaNode>;
  required?: readonly string[];
  verbs: ReadonlySet<string>;
  hasStatus: boolean;
}
