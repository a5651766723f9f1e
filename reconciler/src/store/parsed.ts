import { hasShape } from '@plumb/schemas/project/shape.ts';
import type { SchemaNode } from '@plumb/schemas/project/validate-schema.ts';

/** The JSON text of a record, if it has that shape; undefined otherwise. */
export function parsedRecord<T>(schema: SchemaNode, text: string): T | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return hasShape(schema, value) ? (value as T) : undefined;
  } catch {
    return undefined;
  }
}
