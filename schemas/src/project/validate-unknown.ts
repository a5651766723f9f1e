/** Unknown fields as the field validation levels `Warn` and `Ignore` treat them: they are dropped. */
import type { KindDefinition } from '../kinds/define.ts';
import type { FieldError } from '../meta/error.ts';
import { Mistakes } from './validate-mistakes.ts';
import { inputSchema, type SchemaNode } from './validate-schema.ts';
import { unknownField } from './validate-words.ts';

const schemas = new WeakMap<KindDefinition, SchemaNode>();

/** Removes, in place, every field of the object that its kind does not know, and says which. */
export function dropUnknownFields(kind: KindDefinition, object: unknown): FieldError[] {
  return dropUnknownTo(
    schemas.getOrInsertComputed(kind, () => inputSchema(kind)),
    object,
  );
}

/** Removes, in place, every field of the value that the schema does not know, and says which. */
export function dropUnknownTo(schema: SchemaNode, object: unknown): FieldError[] {
  const dropped = new Mistakes();
  drop(schema, object, dropped);
  return dropped.list();
}

function drop(schema: SchemaNode, value: unknown, dropped: Mistakes): void {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items) for (let index = 0; index < value.length; index++) dropInside(items, value[index], index, dropped);
    return;
  }
  if (typeof value !== 'object' || value === null || !schema.properties) return;
  const fields = value as Record<string, unknown>;
  for (const key of Object.keys(fields)) {
    const property = Object.hasOwn(schema.properties, key) ? schema.properties[key] : undefined;
    if (property) dropInside(property, fields[key], key, dropped);
    else if (schema.additionalProperties === false) {
      delete fields[key];
      if (dropped.isFull) dropped.addUntold(1);
      else dropped.add(unknownField(key, Object.keys(schema.properties)), key);
    }
  }
}

function dropInside(schema: SchemaNode, value: unknown, key: string | number, dropped: Mistakes): void {
  if (typeof value !== 'object' || value === null) return;
  dropped.enter(key);
  drop(schema, value, dropped);
  dropped.leave();
}
