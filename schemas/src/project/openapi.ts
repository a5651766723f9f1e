/** OpenAPI v3 of one group and version, as `kubectl explain`, `apply` and `diff` read it. */
import type { KindDefinition } from '../kinds/define.ts';
import type { OpenApiGroup, OpenApiKind } from './openapi-group.ts';
import { operations } from './openapi-paths.ts';
import { LIST_META, OBJECT_META, ref, sharedDefinitions } from './openapi-shared.ts';
import { bodyOf, hasStatus, type SchemaNode, schemaNode } from './validate-schema.ts';

export type OpenApiDocument = Record<string, unknown>;

/** A declared kind as the document needs it. */
export function openApiKind(kind: KindDefinition, verbs: ReadonlySet<string>): OpenApiKind {
  return {
    kind: kind.kind,
    plural: kind.plural,
    scope: kind.scope,
    description: kind.description,
    properties: bodyOf(kind),
    required: schemaNode(kind.spec).required?.length ? ['spec'] : [],
    verbs,
    hasStatus: hasStatus(kind),
  };
}

/** The document. Definition names are dotted, reversed group first: `dev.plumb.v1.Instance`. */
export function openApiDocument(group: OpenApiGroup): OpenApiDocument {
  const schemas: Record<string, SchemaNode> = sharedDefinitions();
  const paths: Record<string, unknown> = {};
  for (const kind of group.kinds) {
    const name = definitionName(group, kind.kind);
    schemas[name] = objectDefinition(group, kind);
    schemas[`${name}List`] = listDefinition(group, kind, name);
    Object.assign(paths, operations(group, kind, name));
  }
  return {
    openapi: '3.0.0',
    info: { title: 'Plumb', version: group.version },
    paths,
    components: {
      schemas,
      securitySchemes: { BearerToken: { type: 'http', scheme: 'bearer', description: 'Token of the kubeconfig.' } },
    },
    security: [{ BearerToken: [] }],
  };
}

/** `dev.plumb.v1.Instance`; `core.v1.Namespace` for the core group. */
export function definitionName(group: { group: string; version: string }, kind: string): string {
  const reversed = group.group === '' ? 'core' : group.group.split('.').reverse().join('.');
  return `${reversed}.${group.version}.${kind}`;
}

const apiVersion = { type: 'string', description: 'Group and version of the schema.' } as const;
const kindName = { type: 'string', description: 'The kind.' } as const;

function objectDefinition(group: OpenApiGroup, kind: OpenApiKind): SchemaNode {
  return {
    type: 'object',
    description: kind.description,
    properties: {
      apiVersion,
      kind: kindName,
      metadata: { description: 'Name, labels and what the server keeps.', allOf: [ref(OBJECT_META)] },
      ...kind.properties,
    },
    ...(kind.required?.length ? { required: kind.required } : {}),
    'x-kubernetes-group-version-kind': [{ group: group.group, kind: kind.kind, version: group.version }],
  };
}

function listDefinition(group: OpenApiGroup, kind: OpenApiKind, name: string): SchemaNode {
  return {
    type: 'object',
    description: `A list of ${kind.plural}.`,
    required: ['items'],
    properties: {
      apiVersion,
      kind: kindName,
      metadata: { description: 'Revision and continuation.', allOf: [ref(LIST_META)] },
      items: { type: 'array', description: 'The objects.', items: { allOf: [ref(name)] } },
    },
    'x-kubernetes-group-version-kind': [{ group: group.group, kind: `${kind.kind}List`, version: group.version }],
  };
}
