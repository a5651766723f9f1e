/** Unknown fields as the field validation levels `Warn` and `Ignore` treat them: they are dropped. */
import type { KindDefinition } from '../kinds/define.ts';
import type { FieldError } from '../meta/error.ts';
import { unknownField } from './validate-message.ts';
import { joinPath } from './validate-path.ts';
import { inputSchema, type SchemaNode } from './validate-schema.ts';

const schemas = new WeakMap<KindDefinition, SchemaNode>();

/** Removes, in place, every field of the object that its kind does not know, and says which. */
export function dropUnknownFields(kind: KindDefinition, object: unknown): FieldError[] {
  const schema = schemas.getOrInsertComputed(kind, () => inputSchema(kind));
  const dropped: FieldError[] = [];
  drop(schema, object, '', dropped);
  return dropped;
}

function drop(schema: SchemaNode, value: unknown, path: string, dropped: FieldError[]): void {
  if (Array.isArray(value)) {
    if (schema.items)
      for (const [index, item] of value.entries()) drop(schema.items, item, joinPath(path, index), dropped);
    return;
  }
  if (typeof value !== 'object' || value === null || !schema.properties) return;
  const fields = value as Record<string, unknown>;
  for (const key of Object.keys(fields)) {
    const property = Object.hasOwn(schema.properties, key) ? schema.properties[key] : undefined;
    if (property) drop(property, fields[key], joinPath(path, key), dropped);
    else if (schema.additionalProperties === false) {
      delete fields[key];
      dropped.push({ field: joinPath(path, key), message: unknownField(key, Object.keys(schema.properties)) });
    }
  }
}
