/** Attributes of HCL and fields of the API's objects, in both directions. */
import type { TerraformAttribute, TerraformType } from '@plumb/schemas/project/terraform.ts';
import { doubleOf, equal, isObject, NumberText, type ObjectValue, UNKNOWN, type Value } from './value.ts';

export type Fields = Record<string, unknown>;

/** The fields that these attributes stand for. Null attributes are left out; nothing may be unknown. */
export function fieldsOf(value: ObjectValue, attributes: readonly TerraformAttribute[]): Fields {
  const fields: Fields = {};
  for (const attribute of attributes) {
    const inner = value[attribute.name] ?? null;
    if (inner !== null) fields[attribute.field] = fieldOf(inner, attribute);
  }
  return fields;
}

function fieldOf(value: Value, { nested }: TerraformAttribute): unknown {
  if (!nested) return plain(value);
  const one = (item: Value) => (isObject(item) ? fieldsOf(item, nested.attributes) : item);
  return Array.isArray(value) ? value.map(one) : one(value);
}

function plain(value: Value): unknown {
  if (value === UNKNOWN) throw new Error('an unknown value cannot be sent');
  if (typeof value === 'number' || value instanceof NumberText) return doubleOf(value);
  if (Array.isArray(value)) return value.map(plain);
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  return value;
}

/**
 * The attributes for these fields. `prior` is what Terraform holds: a number that means the same double, and a set with
 * the same items, stay as they are written there.
 */
export function attributesFrom(
  fields: Fields | undefined,
  attributes: readonly TerraformAttribute[],
  prior?: Value,
): ObjectValue {
  const before = isObject(prior) ? prior : {};
  return Object.fromEntries(attributes.map((a) => [a.name, attributeFrom(fields?.[a.field], a, before[a.name])]));
}

function attributeFrom(field: unknown, { type, nested }: TerraformAttribute, prior: Value | undefined): Value {
  if (field === undefined || field === null) return null;
  if (type) return typedFrom(field, type, prior);
  if (nested?.nesting === 'single') return attributesFrom(field as Fields, nested.attributes, prior);
  const before = Array.isArray(prior) ? prior : [];
  return (field as Fields[]).map((item, index) => attributesFrom(item, nested!.attributes, before[index]));
}

function typedFrom(field: unknown, type: TerraformType, prior: Value | undefined): Value {
  if (type === 'number') {
    return prior instanceof NumberText && doubleOf(prior) === field ? prior : (field as number);
  }
  if (Array.isArray(type) && type[0] === 'set' && Array.isArray(prior)) {
    const found = field as Value[];
    const same = found.length === prior.length && found.every((item) => prior.some((other) => equal(item, other)));
    return same ? prior : found;
  }
  return field as Value;
}
