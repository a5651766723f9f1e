/** The kinds as Kubernetes' field manager takes them: OpenAPI schemas by the names of their definitions. */
import { kinds } from '@plumb/schemas';
import { structural } from '@plumb/schemas/project/structural.ts';
import { type SchemaNode, schemaNode } from '@plumb/schemas/project/validate-schema.ts';

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
const text = { type: 'string' } as const;
const texts = { type: 'object', additionalProperties: text } as const;

/** metav1.ObjectMeta, by Kubernetes' own OpenAPI document: written here once more, since ours is what is to be compared. */
const objectMeta: SchemaNode = {
  type: 'object',
  properties: {
    ...{ name: text, generateName: text, namespace: text, uid: text, resourceVersion: text, selfLink: text },
    ...{ creationTimestamp: text, deletionTimestamp: text, generation: { type: 'integer', format: 'int64' } },
    labels: texts,
    annotations: texts,
    finalizers: { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
    ownerReferences: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['uid'],
      items: {
        type: 'object',
        'x-kubernetes-map-type': 'atomic',
        properties: {
          ...{ apiVersion: text, kind: text, name: text, uid: text },
          ...{ controller: { type: 'boolean' }, blockOwnerDeletion: { type: 'boolean' } },
        },
      },
    },
    managedFields: {
      type: 'array',
      'x-kubernetes-list-type': 'atomic',
      items: {
        type: 'object',
        properties: {
          ...{ manager: text, operation: text, apiVersion: text, time: text, fieldsType: text, subresource: text },
          fieldsV1: { type: 'object' },
        },
      },
    },
  },
};

export function openApiSchemas(): Record<string, SchemaNode> {
  const schemas: Record<string, SchemaNode> = { [META]: objectMeta };
  for (const kind of kinds) {
    schemas[`dev.plumb.v1.${kind.kind}`] = {
      type: 'object',
      properties: {
        apiVersion: text,
        kind: text,
        metadata: { $ref: `#/components/schemas/${META}` },
        spec: structural(schemaNode(kind.spec)),
        status: structural(schemaNode(kind.status)),
      },
      'x-kubernetes-group-version-kind': [{ group: 'plumb.dev', kind: kind.kind, version: 'v1' }],
    };
  }
  return schemas;
}
