/**
 * JSON Schemas (draft 7) of manifests, so that editors complete fields and mark mistakes while a person types: one for each kind,
 * one for all, and one for lists, in which the others stand as well.
 */
import type { KindDefinition } from '../kinds/define.ts';
import { inputSchema, type SchemaNode } from './validate-schema.ts';

const DRAFT = 'http://json-schema.org/draft-07/schema#';

/** For all kinds: `kind` decides which of them a document is held against. A `v1 List` holds any of them. */
export function editorSchema(kinds: readonly KindDefinition[]): Record<string, unknown> {
  const names = kinds.map(({ kind }) => kind);
  return {
    $schema: DRAFT,
    title: 'Plumb manifest',
    ...choice([...names, LIST]),
    definitions: {
      ...Object.fromEntries(kinds.map((kind) => [kind.kind, editable(kind)])),
      [ONE]: choice(names),
      [LIST]: {
        type: 'object',
        additionalProperties: false,
        description: 'Several objects as one document.',
        required: ['apiVersion', 'kind', 'items'],
        properties: {
          apiVersion: { enum: ['v1'], description: 'Group and version of the schema.' },
          kind: { enum: [LIST], description: 'The kind.' },
          metadata: { type: 'object' },
          items: { type: 'array', items: { $ref: `#/definitions/${ONE}` }, description: 'The objects.' },
        },
      },
    },
  };
}

/** For one kind alone. */
export function editorSchemaOf(kind: KindDefinition): Record<string, unknown> {
  return { $schema: DRAFT, title: kind.kind, ...editable(kind) };
}

const LIST = 'List';
/** An object, and no list. */
const ONE = 'Object';

function choice(names: readonly string[]): Record<string, unknown> {
  return {
    type: 'object',
    required: ['apiVersion', 'kind'],
    properties: { kind: { enum: names } },
    allOf: names.map((name) => ({
      if: { properties: { kind: { const: name } }, required: ['kind'] },
      // biome-ignore lint/suspicious/noThenProperty: `then` is a keyword of JSON Schema
      then: { $ref: `#/definitions/${name}` },
    })),
  };
}

/** Without status, which nobody writes by hand; spec is only required where it has required fields. */
function editable(kind: KindDefinition): SchemaNode {
  const schema = inputSchema(kind);
  const { status: _, ...properties } = schema.properties ?? {};
  const needsSpec = (properties.spec?.required?.length ?? 0) > 0;
  return {
    ...schema,
    properties,
    required: (schema.required ?? []).filter((name) => name !== 'spec' || needsSpec),
  };
}
