/** A configuration that declares what a state has: only what a person would have to write. Pure. */
import type { TerraformAttribute } from '@plumb/schemas/project/terraform.ts';
import { equal, isObject, type ObjectValue, type Value } from './value.ts';

export function generatedConfig(state: ObjectValue, attributes: readonly TerraformAttribute[]): ObjectValue {
  return Object.fromEntries(
    attributes.map((attribute) => [attribute.name, generated(state[attribute.name] ?? null, attribute)]),
  );
}

function generated(value: Value, attribute: TerraformAttribute): Value {
  const { nested, required, optional, default: preset } = attribute;
  if (value === null || !(required || optional)) return null;
  if (!required && preset !== undefined && equal(value, preset as Value)) return null;
  if (!nested) return value;
  if (Array.isArray(value))
    return value.map((item) => (isObject(item) ? generatedConfig(item, nested.attributes) : item));
  return isObject(value) ? generatedConfig(value, nested.attributes) : value;
}
