/** A JSON Schema (draft 7) of manifests, so that editors complete fields and mark mistakes while a person types. */
import type { KindDefinition } from '../kinds/define.ts';
import { inputSchema, type SchemaNode } from './validate-schema.ts';

/** One schema for all kinds: `kind` decides which of them a document is held against. */
export function editorSchema(kinds: readonly KindDefinition[]): Record<string, unknown> {
  const definitions = Object.fromEntries(kinds.map((kind) => [kind.kind, editable(inputSchema(kind))]));
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Plumb manifest',
    type: 'object',
    required: ['apiVersion', 'kind', 'metadata'],
    properties: { kind: { enum: kinds.map((kind) => kind.kind) } },
    allOf: kinds.map((kind) => ({
      if: { properties: { kind: { const: kind.kind } }, required: ['kind'] },
      // biome-ignore lint/suspicious/noThenProperty: `then` is a keyword of JSON Schema
      then: { $ref: `#/definitions/${kind.kind}` },
    })),
    definitions,
  };
}

/** Without status, which nobody writes by hand; spec is only required where it has required fields. */
function editable(schema: SchemaNode): SchemaNode {
  const { status: _, ...properties } = schema.properties ?? {};
  const needsSpec = (properties.spec?.required?.length ?? 0) > 0;
  return {
    ...schema,
    properties,
    required: (schema.required ?? []).filter((name) => name !== 'spec' || needsSpec),
  };
}
