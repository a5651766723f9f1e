/** Values that a schema describes, nearly always valid: to be sent as they are, or changed in a few places. */
import { type KindDefinition, kinds } from '@plumb/schemas';
import { inputSchema, type SchemaNode } from '@plumb/schemas/project/validate-schema.ts';
import type { Dice } from '../core/dice.ts';

const SAMPLES = [
  'a',
  'home',
  'lab',
  'web-0',
  'eth0',
  '52:54:00:12:34:56',
  'a'.repeat(64),
  'https://example.com/a',
  'a.b/c',
];

export function fromSchema(dice: Dice, schema: SchemaNode): unknown {
  if (schema.enum) return dice.pick(schema.enum);
  const { minimum = 0, maximum = 100, minItems = 0, maxItems = 3 } = schema as Record<string, number>;
  switch (schema.type) {
    case 'object':
      return objectFrom(dice, schema);
    case 'array': {
      const length = dice.between(minItems, Math.max(minItems, Math.min(maxItems, 3)));
      return Array.from({ length }, () => fromSchema(dice, schema.items ?? {}));
    }
    case 'integer':
      return dice.between(Math.ceil(minimum), Math.min(maximum, minimum + 100));
    case 'number':
      return minimum + dice.next();
    case 'boolean':
      return dice.chance(0.5);
    case 'string':
      return textFrom(dice, schema);
    default:
      return dice.pick([{}, { a: 1 }, []]);
  }
}

function objectFrom(dice: Dice, { properties = {}, required = [], additionalProperties }: SchemaNode): unknown {
  const fields: Record<string, unknown> = {};
  for (const [key, property] of Object.entries(properties))
    if (required.includes(key) || dice.chance(0.3)) fields[key] = fromSchema(dice, property);
  if (typeof additionalProperties === 'object')
    for (let count = dice.between(0, 3); count > 0; count--)
      fields[dice.pick(SAMPLES)] = fromSchema(dice, additionalProperties);
  return fields;
}

function textFrom(dice: Dice, { pattern, format }: SchemaNode): string {
  if (format === 'ipv4') return `10.0.${dice.between(0, 255)}.${dice.between(0, 255)}`;
  if (format === 'cidr') return `10.0.${dice.between(0, 255)}.0/24`;
  if (pattern === undefined) return dice.pick(SAMPLES);
  const fitting = [...SAMPLES, '0'.repeat(64), dice.hex(8)].filter((sample) =>
    new RegExp(pattern as string, 'u').test(sample),
  );
  return fitting.length > 0 ? dice.pick(fitting) : '';
}

/** An object of the kind as a client would send it. */
export function objectOf(dice: Dice, kind: KindDefinition, name: string): Record<string, unknown> {
  const object = fromSchema(dice, inputSchema(kind)) as Record<string, unknown> & { metadata: Record<string, unknown> };
  const { uid: _u, resourceVersion: _r, ...metadata } = object.metadata;
  delete metadata.generateName;
  delete metadata.namespace;
  delete object.status;
  return { ...object, metadata: { ...metadata, name } };
}

/** Every name that a schema of ours has. */
export const knownNames: readonly string[] = [
  ...new Set(kinds.flatMap((kind) => [kind.kind, kind.plural, ...namesIn(inputSchema(kind))])),
];

function namesIn(schema: SchemaNode): string[] {
  const inner = [schema.items, ...Object.values(schema.properties ?? {})].filter((node) => node !== undefined);
  return [...Object.keys(schema.properties ?? {}), ...inner.flatMap(namesIn)];
}
