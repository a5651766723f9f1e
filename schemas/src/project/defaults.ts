/** Defaulting: what a person left out becomes what the schema says, before validation and storage. */
import type { KindDefinition } from '../kinds/define.ts';
import { type SchemaNode, schemaNode, writtenFields } from './validate-schema.ts';

/** Sets the defaults of `value` in place. */
type Defaulter = (value: unknown) => void;

const compiled = new WeakMap<KindDefinition, Defaulter | undefined>();

/**
 * Fills in, in place, the defaults of the spec and returns the object. `null` means absent, as in Kubernetes. A default
 * inside an object or a list item applies only where that object or item was given. An absent spec becomes `{}`, so
 * that validation can name the fields that it lacks.
 */
export function applyDefaults<T>(kind: KindDefinition, object: T): T {
  const holder = object as Record<string, unknown>;
  dropNulls(kind, holder);
  if (!kind.fields) holder.spec ??= {};
  kind.normalize?.(holder as never);
  fillDefaults(kind, holder);
  return object;
}

/** Takes away, in place, the fields of what clients write that are null: they are absent. */
export function dropNulls(kind: KindDefinition, object: Record<string, unknown>): void {
  for (const field of writtenFields(kind)) {
    if (object[field] === null) delete object[field];
    else if (object[field] !== undefined) withoutNulls(object[field]);
  }
}

/** Fills in, in place, what a stored object lacks: it may have been written before there was a field with a default. */
export function fillDefaults(kind: KindDefinition, object: Record<string, unknown>): void {
  if (!compiled.has(kind)) compiled.set(kind, defaulter(schemaNode(kind.fields ?? kind.spec)));
  compiled.get(kind)?.(kind.fields ? object : object.spec);
}

/** The value without the null fields of its objects. Items of lists are kept: a null there is an error. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) {
    for (const item of value) withoutNulls(item);
  } else if (typeof value === 'object' && value !== null) {
    const fields = value as Record<string, unknown>;
    for (const key of Object.keys(fields)) {
      // That name is no field, whatever its value: validation says so.
      if (fields[key] === null && key !== '__proto__') delete fields[key];
      else withoutNulls(fields[key]);
    }
  }
  return value;
}

/** A function for the defaults at and below `schema`; undefined where there are none, so that nothing is walked. */
function defaulter(schema: SchemaNode): Defaulter | undefined {
  const item = schema.items ? defaulter(schema.items) : undefined;
  if (item) {
    return (value) => {
      if (Array.isArray(value)) value.forEach(item);
    };
  }
  const own: [string, unknown][] = [];
  const below: [string, Defaulter][] = [];
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    if (property.default !== undefined) own.push([key, property.default]);
    const inner = defaulter(property);
    if (inner) below.push([key, inner]);
  }
  if (own.length === 0 && below.length === 0) return undefined;
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
    const fields = value as Record<string, unknown>;
    for (const [key, given] of own) fields[key] ??= typeof given === 'object' ? structuredClone(given) : given;
    for (const [key, run] of below) run(fields[key]);
  };
}
