/**
 * A declared schema as a structural schema of apiextensions.k8s.io/v1: what the API server of Kubernetes takes in a
 * CustomResourceDefinition. A closed object is one with properties there, and what only Plumb reads is left out.
 */
import type { SchemaNode } from './validate-schema.ts';

/** Keywords that mean the same on both sides. */
const SAME = [
  ...['type', 'description', 'enum', 'default', 'format', 'pattern', 'minLength', 'maxLength', 'minItems', 'maxItems'],
  ...[
    'minimum',
    'maximum',
    'required',
    'x-kubernetes-list-type',
    'x-kubernetes-list-map-keys',
    'x-kubernetes-map-type',
  ],
] as const;

/** Throws on a keyword of which it is not known what it is there. */
export function structural(schema: SchemaNode): SchemaNode {
  const made: SchemaNode = {};
  const kept: Record<string, unknown> = made;
  for (const keyword of SAME) if (schema[keyword] !== undefined) kept[keyword] = schema[keyword];
  // Kubernetes matches with RE2, which does not look around: such a pattern is checked by Plumb alone.
  const pattern = made.pattern as string | undefined;
  if (pattern !== undefined && LOOKS_AROUND.test(pattern)) delete made.pattern;
  else if (pattern !== undefined) made.pattern = pattern.replaceAll(/\\u([0-9a-fA-F]{4})/g, '\\x{$1}');
  for (const keyword of Object.keys(schema))
    if (!KNOWN.has(keyword) && !keyword.startsWith('x-plumb-'))
      throw new Error(`the schema keyword ${keyword} has no projection into a structural schema`);
  if (schema.properties && Object.keys(schema.properties).length > 0)
    made.properties = Object.fromEntries(Object.entries(schema.properties).map(([key, of]) => [key, structural(of)]));
  if (schema.items) made.items = structural(schema.items);
  const others = schema.additionalProperties;
  if (typeof others === 'object') made.additionalProperties = structural(others);
  // Fields that no schema names are cut off there unless this is said.
  else if (schema.type === 'object' && !made.properties && others !== false)
    made['x-kubernetes-preserve-unknown-fields'] = true;
  else if (others === true) made['x-kubernetes-preserve-unknown-fields'] = true;
  return made;
}

const LOOKS_AROUND = /\(\?<?[=!]/;

const KNOWN: ReadonlySet<string> = new Set([...SAME, 'properties', 'items', 'additionalProperties']);
