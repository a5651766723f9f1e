/** The JSON Schema of an object as people and clients send it. Editors and the server's validators share it. */
import type { JSONSchema } from 'json-schema-to-ts';
import { apiVersionOf, type KindDefinition } from '../kinds/define.ts';
import { labels, nameRules, objectMeta } from '../meta/schema.ts';

/** A schema as the projections walk it. The declarations are typed; walking them needs no more than this. */
export interface SchemaNode {
  type?: string;
  description?: string;
  properties?: Record<string, SchemaNode>;
  required?: readonly string[];
  additionalProperties?: boolean | SchemaNode;
  items?: SchemaNode;
  enum?: readonly unknown[];
  default?: unknown;
  format?: string;
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-list-map-keys'?: readonly string[];
  'x-plumb-sensitive'?: true | 'url' | 'object';
  [keyword: string]: unknown;
}

/** Lets a projection walk a declared schema. */
export function schemaNode(schema: JSONSchema): SchemaNode {
  return schema as unknown as SchemaNode;
}

/** Set by the server or kept by other programs: accepted from clients, since they send back what they read. */
const tolerated = {
  uid: {},
  resourceVersion: {},
  generation: {},
  creationTimestamp: {},
  deletionTimestamp: {},
  deletionGracePeriodSeconds: {},
  selfLink: {},
  managedFields: {},
} as const;

const QUALIFIED_NAME = '^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$';
const LABEL_VALUE = '^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$';

const keyRule = {
  type: 'string',
  pattern: QUALIFIED_NAME,
  description: 'Letters, digits, dashes, dots and underscores, at most 63, with an optional DNS prefix and a slash.',
} as const;

/** As Kubernetes: in a key of an annotation the case of the prefix does not count. */
const noteRule = {
  ...keyRule,
  pattern: QUALIFIED_NAME.replaceAll('[a-z0-9]', '[A-Za-z0-9]').replace('[-a-z0-9.]', '[-A-Za-z0-9.]'),
};

const filled = { type: 'string', minLength: 1 } as const;
const ownerFields = {
  ...objectMeta.properties.ownerReferences.items.properties,
  ...{ apiVersion: filled, kind: filled, name: filled, uid: filled },
} as const;

const secretText = { type: 'string', 'x-plumb-sensitive': true } as const;

/** Metadata of an object that a client sends. The syntax of label keys and values is Kubernetes' (apimachinery). */
export function inputMetadata(kind: Pick<KindDefinition, 'scope' | 'names'>): SchemaNode {
  const name = nameRules[kind.names ?? 'label'];
  const { namespace, annotations, finalizers, ownerReferences } = objectMeta.properties;
  // As Kubernetes: two references to one object are taken, if they differ.
  const { 'x-kubernetes-list-map-keys': _, ...references } = ownerReferences;
  return schemaNode({
    type: 'object',
    additionalProperties: false,
    required: ['name'],
    properties: {
      name,
      ...(kind.scope === 'Namespaced' ? { namespace } : {}),
      labels: {
        ...labels,
        propertyNames: keyRule,
        additionalProperties: {
          type: 'string',
          pattern: LABEL_VALUE,
          description: 'Letters, digits, dashes, dots and underscores, at most 63, or nothing.',
        },
      },
      // Tools keep whole objects in them, and people all kinds of things.
      annotations: { ...annotations, propertyNames: noteRule, additionalProperties: secretText },
      finalizers: { ...finalizers, items: keyRule },
      ownerReferences: { ...references, items: { ...ownerReferences.items, properties: ownerFields } },
      generateName: {
        type: 'string',
        maxLength: 253,
        pattern: '^([a-z0-9][-a-z0-9.]*)?$',
        description: 'Lower case letters, digits and dashes with which the name begins that the server makes.',
      },
      ...tolerated,
    },
  });
}

/** The whole object as sent: closed at the top, any status (it is not a client's to write here). */
export function inputSchema(kind: KindDefinition): SchemaNode {
  return {
    type: 'object',
    additionalProperties: false,
    description: kind.description,
    required: ['apiVersion', 'kind', 'metadata', ...requiredOf(kind)],
    properties: {
      apiVersion: { type: 'string', enum: [apiVersionOf(kind)], description: 'Group and version of the schema.' },
      kind: { type: 'string', enum: [kind.kind], description: 'The kind.' },
      metadata: inputMetadata(kind),
      ...bodyOf(kind),
      ...(hasStatus(kind) ? { status: { description: 'What is; written by the server.' } } : {}),
    },
  };
}

/** The same as a server holds objects to it whose metadata it judges by itself: all but that of a name's form. */
export function servedSchema(kind: KindDefinition): SchemaNode {
  const { pattern } = nameRules[kind.names ?? 'label'];
  return {
    type: 'object',
    required: requiredOf(kind),
    properties: {
      ...(kind.names === undefined
        ? { metadata: { type: 'object', properties: { name: { type: 'string', pattern } } } }
        : {}),
      ...bodyOf(kind),
      ...(hasStatus(kind) ? { status: {} } : {}),
    },
  };
}

/** What an object of the kind has beside apiVersion, kind and metadata: spec and status, or fields of its own. */
export function bodyOf(kind: KindDefinition): Record<string, SchemaNode> {
  if (kind.fields) return schemaNode(kind.fields).properties!;
  return {
    spec: { description: `What is wanted of the ${kind.singular}.`, ...schemaNode(kind.spec) },
    ...(hasStatus(kind)
      ? { status: { description: 'What is; written by the server.', ...schemaNode(kind.status) } }
      : {}),
  };
}

/** Names of the fields of the body without which there is no object. */
function requiredOf(kind: KindDefinition): readonly string[] {
  return kind.fields ? (kind.fields.required ?? []) : ['spec'];
}

/** Names of the fields of the body that clients write: all but status. */
export function writtenFields(kind: KindDefinition): string[] {
  return kind.fields ? Object.keys(kind.fields.properties) : ['spec'];
}

/** Whether objects of the kind have a status, with a subresource of its own. */
export function hasStatus(kind: Pick<KindDefinition, 'status' | 'fields'>): boolean {
  return !kind.fields && Object.keys(kind.status.properties).length > 0;
}

/** Whether nothing of a value at this place may be shown; see conceal.ts for what is shown in part. */
export function isSensitive(schema: SchemaNode | undefined): boolean {
  return schema?.['x-plumb-sensitive'] === true;
}

/** Of a map: whether what is in it is secret. */
export function hasSensitiveValues({ additionalProperties }: SchemaNode): boolean {
  return typeof additionalProperties === 'object' && isSensitive(additionalProperties);
}
