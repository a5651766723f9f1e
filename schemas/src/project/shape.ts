/**
 * The shape of a stored value: what a program relies on that reads it. Types, required fields, enumerations and the bounds of
 * numbers. Not patterns, formats or lengths: rules that one version adds must not make unreadable what an earlier one took.
 * Unknown fields are allowed for the same reason.
 *
 * Every object is looked at when it is loaded and after each write, so a check is compiled once and takes less than a
 * microsecond for a whole instance.
 */
import type { FieldError } from '../meta/error.ts';
import type { SchemaNode } from './validate-schema.ts';

type Check = (value: unknown) => boolean;

const compiled = new WeakMap<SchemaNode, Check>();

/** Whether the value has the shape that the schema describes. */
export function hasShape(schema: SchemaNode, value: unknown): boolean {
  return compiled.getOrInsertComputed(schema, checkOf)(value);
}

/** Where the value does not have the shape, at most `most` places. `at`: path of the value, for people. */
export function shapeErrors(schema: SchemaNode, value: unknown, at: string, most: number): FieldError[] {
  const errors: FieldError[] = [];
  collect(schema, value, at, errors, most);
  return errors;
}

function checkOf(schema: SchemaNode): Check {
  const { type, enum: allowed, minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = schema;
  if (allowed) return (value) => allowed.includes(value);
  switch (type) {
    case 'string':
      return (value) => typeof value === 'string';
    case 'boolean':
      return (value) => typeof value === 'boolean';
    case 'integer':
      return (value) =>
        Number.isSafeInteger(value) && (value as number) >= Number(minimum) && (value as number) <= Number(maximum);
    case 'number':
      return (value) =>
        Number.isFinite(value) && (value as number) >= Number(minimum) && (value as number) <= Number(maximum);
    case 'array':
      return arrayCheck(schema);
    case 'object':
      return objectCheck(schema);
    default:
      return () => true;
  }
}

function arrayCheck({ items }: SchemaNode): Check {
  if (!items) return Array.isArray;
  const item = checkOf(items);
  return (value) => {
    if (!Array.isArray(value)) return false;
    for (const one of value) if (!item(one)) return false;
    return true;
  };
}

function objectCheck({ properties = {}, required = [], additionalProperties }: SchemaNode): Check {
  const fields = Object.entries(properties).map(([name, schema]) => ({
    name,
    check: checkOf(schema),
    needed: required.includes(name),
  }));
  const others = typeof additionalProperties === 'object' ? checkOf(additionalProperties) : undefined;
  return (value) => {
    if (!isRecord(value)) return false;
    for (const { name, check, needed } of fields) {
      const field = value[name];
      if (field === undefined ? needed : !check(field)) return false;
    }
    if (others)
      for (const name of Object.keys(value)) if (!Object.hasOwn(properties, name) && !others(value[name])) return false;
    return true;
  };
}

function collect(schema: SchemaNode, value: unknown, at: string, errors: FieldError[], most: number): void {
  if (errors.length >= most || hasShape(schema, value)) return;
  if (schema.type === 'array' && Array.isArray(value) && schema.items) {
    for (const [i, item] of value.entries()) collect(schema.items, item, `${at}[${i}]`, errors, most);
  } else if (schema.type === 'object' && isRecord(value) && !schema.enum) {
    const { properties = {}, required = [], additionalProperties } = schema;
    for (const [name, field] of Object.entries(properties)) {
      if (errors.length >= most) return;
      if (value[name] !== undefined) collect(field, value[name], `${at}.${name}`, errors, most);
      else if (required.includes(name)) errors.push({ field: `${at}.${name}`, message: 'is missing' });
    }
    if (typeof additionalProperties !== 'object') return;
    for (const name of Object.keys(value))
      if (!Object.hasOwn(properties, name)) collect(additionalProperties, value[name], `${at}.${name}`, errors, most);
  } else errors.push({ field: at, message: ruleOf(schema, value) });
}

/** Never the value itself, which may be a secret. */
function ruleOf({ type, enum: allowed, minimum, maximum }: SchemaNode, value: unknown): string {
  if (allowed) return `is none of ${allowed.map(String).join(', ')}`;
  if (typeof value === 'number' && (type === 'integer' || type === 'number')) {
    const bounds = [
      minimum === undefined ? '' : `at least ${minimum}`,
      maximum === undefined ? '' : `at most ${maximum}`,
    ];
    const words = bounds.filter(Boolean).join(' and ');
    return `is no ${type === 'integer' ? 'whole number' : 'number'}${words ? ` of ${words}` : ' that can be counted with'}`;
  }
  return `is ${nameOf(value)}, not ${type === undefined ? 'anything' : (nouns[type] ?? type)}`;
}

const nouns: Record<string, string> = {
  string: 'a text',
  boolean: 'true or false',
  integer: 'a whole number',
  number: 'a number',
  array: 'a list',
  object: 'an object',
};

function nameOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return nouns[typeof value] ?? typeof value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
