/** Validation of objects at admission: the schema of the kind, then its rules; every violation at once. */
import type { ValidateFunction } from 'ajv';
import type { KindDefinition } from '../kinds/define.ts';
import type { FieldError } from '../meta/error.ts';
import { compile } from './validate-ajv.ts';
import { fieldError } from './validate-message.ts';
import { inputSchema, type SchemaNode, schemaNode } from './validate-schema.ts';

export interface ValidateOptions {
  /** Whether a field that the schema does not know is an error. */
  strictUnknown: boolean;
  /** apiVersion that the object must bear; `plumb.dev/v1`, if absent. */
  apiVersion?: string;
}

interface Compiled {
  schema: SchemaNode;
  run: ValidateFunction;
}

/** A rule that reads fields may run only when these hold; other violations do not mislead it. */
const SHAPE = new Set(['type', 'required', 'enum', 'const', 'minItems']);

const objects = new WeakMap<KindDefinition, Map<string | undefined, Compiled>>();
const statuses = new WeakMap<KindDefinition, Compiled>();

/**
 * Checks an object as a client sends it, after defaulting: apiVersion, kind, metadata and spec; not status.
 * Empty when it may be stored. A validator is compiled at the first use of its kind.
 */
export function validateObject(kind: KindDefinition, object: unknown, options: ValidateOptions): FieldError[] {
  const compiled = objects
    .getOrInsertComputed(kind, () => new Map())
    .getOrInsertComputed(options.apiVersion, () => compiledFor(inputSchema(kind, options.apiVersion)));
  return check(compiled, object, options.strictUnknown, kind);
}

/** Checks `status`; fields are named from `status.` on. */
export function validateStatus(kind: KindDefinition, status: unknown, options: ValidateOptions): FieldError[] {
  const compiled = statuses.getOrInsertComputed(kind, () =>
    compiledFor({ type: 'object', properties: { status: schemaNode(kind.status) } }),
  );
  return check(compiled, { status }, options.strictUnknown);
}

function compiledFor(schema: SchemaNode): Compiled {
  return { schema, run: compile(schema) };
}

function check(compiled: Compiled, root: unknown, strictUnknown: boolean, kind?: KindDefinition): FieldError[] {
  const errors: FieldError[] = [];
  let shapeHolds = true;
  if (!compiled.run(root)) {
    for (const error of compiled.run.errors ?? []) {
      if (SHAPE.has(error.keyword)) shapeHolds = false;
      if (error.keyword === 'additionalProperties' && !strictUnknown) continue;
      const found = fieldError(error, root, compiled.schema);
      if (found) errors.push(found);
    }
  }
  if (kind?.rules && shapeHolds) errors.push(...kind.rules((root as { spec: never }).spec));
  return errors;
}
