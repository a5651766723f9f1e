/** The server's rules, applied to a configuration before the server sees it. Pure. */
import type { FieldError, KindDefinition } from '@plumb/schemas';
import { apiVersionOf } from '@plumb/schemas/kinds/define.ts';
import { applyDefaults } from '@plumb/schemas/project/defaults.ts';
import type { TerraformAttribute, TerraformKind } from '@plumb/schemas/project/terraform.ts';
import { validateObject } from '@plumb/schemas/project/validate.ts';
import { type Diagnostic, failure, fieldDiagnostic } from '../diagnostic.ts';
import { durationMs } from './duration.ts';
import { doubleOf, isObject, NumberText, type ObjectValue, UNKNOWN, type Value } from './value.ts';

/**
 * Every violation in what is known of a configuration. Rules across fields are applied only when all of it is known,
 * since an unknown may satisfy them.
 */
export function checkConfig(kind: TerraformKind, config: ObjectValue): Diagnostic[] {
  const unknown: string[] = [];
  const object = candidate(kind, config, unknown);
  const definition = unknown.length === 0 ? kind.kind : withoutRules(kind.kind);
  const errors = validateObject(definition, applyDefaults(definition, object), { strictUnknown: true });
  const known = errors.filter(({ field }) => !unknown.some((path) => isWithin(field, path)));
  return [...known.map((error: FieldError) => fieldDiagnostic(error, kind)), ...checkTimeouts(config.timeouts ?? null)];
}

const ruleless = new WeakMap<KindDefinition, KindDefinition>();

/** The kind without its rules across fields: always the same object, since validators are kept per kind. */
function withoutRules(kind: KindDefinition): KindDefinition {
  return ruleless.getOrInsertComputed(kind, () => ({
    ...kind,
    rules: undefined,
    validate: undefined,
    normalize: undefined,
  }));
}

function isWithin(field: string, path: string): boolean {
  return field === path || field.startsWith(`${path}.`) || field.startsWith(`${path}[`);
}

/** The object as it would be sent. In the place of an unknown stands a text like no other, and its path is noted. */
function candidate(kind: TerraformKind, config: ObjectValue, unknown: string[]): Record<string, unknown> {
  const metadata: Record<string, unknown> = {};
  for (const attribute of kind.resource) {
    const { name, field } = attribute;
    if (!['name', 'project', 'labels', 'annotations'].includes(name) || (config[name] ?? null) === null) continue;
    metadata[field] = fieldOf(config[name]!, attribute, `metadata.${field}`, unknown);
  }
  return {
    apiVersion: apiVersionOf(kind.kind),
    kind: kind.kind.kind,
    metadata,
    ...(kind.kind.fields
      ? fieldsOf(config, kind.spec, '', unknown)
      : { spec: fieldsOf(config, kind.spec, 'spec', unknown) }),
  };
}

function fieldsOf(
  object: ObjectValue,
  attributes: readonly TerraformAttribute[],
  path: string,
  unknown: string[],
): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const attribute of attributes) {
    const value = object[attribute.name] ?? null;
    if (value !== null) fields[attribute.field] = fieldOf(value, attribute, joined(path, attribute.field), unknown);
  }
  return fields;
}

function joined(path: string, field: string): string {
  return path === '' ? field : `${path}.${field}`;
}

function fieldOf(
  value: Value,
  { nested }: Pick<TerraformAttribute, 'nested'>,
  path: string,
  unknown: string[],
): unknown {
  if (value === UNKNOWN) {
    unknown.push(path);
    return `\u0000 unknown ${unknown.length}`;
  }
  if (Array.isArray(value)) return value.map((item, index) => fieldOf(item, { nested }, `${path}[${index}]`, unknown));
  if (typeof value === 'number' || value instanceof NumberText) return doubleOf(value);
  if (!isObject(value)) return value;
  if (nested) return fieldsOf(value, nested.attributes, path, unknown);
  // The path of a key is written in both ways that the validator may write it.
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      if (item === UNKNOWN) unknown.push(`${path}.${key}`);
      return [key, fieldOf(item, {}, `${path}[${key}]`, unknown)];
    }),
  );
}

function checkTimeouts(timeouts: Value): Diagnostic[] {
  if (!isObject(timeouts)) return [];
  return Object.entries(timeouts).flatMap(([name, value]) => {
    if (typeof value !== 'string' || durationMs(value) !== undefined) return [];
    const where = `timeouts.${name}`;
    const detail = `${where} must be a duration as in 90s, 5m or 1h30m, but is ${JSON.stringify(value)}.`;
    return [failure(`Invalid ${where}`, detail, [{ attribute: 'timeouts' }, { attribute: name }])];
  });
}
