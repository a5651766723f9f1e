/** Stored state, which Terraform keeps as JSON, as values of today's schema. */
import type { TerraformAttribute, TerraformType } from '@plumb/schemas/project/terraform.ts';
import { NumberText, numberFrom, type ObjectValue, type Value } from './value.ts';

/** Parses JSON without rounding its numbers. Throws a SyntaxError when it is none. */
export function parseState(text: string): unknown {
  const exact = (_key: string, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' && context?.source !== undefined ? numberFrom(context.source) : value;
  return JSON.parse(text, exact);
}

/** The object in state that `parseState` read. An attribute that the schema does not know any more is dropped; one that is new is null. */
export function objectFromState(json: unknown, attributes: readonly TerraformAttribute[]): ObjectValue | null {
  if (!isRecord(json)) return null;
  return Object.fromEntries(attributes.map((a) => [a.name, fromState(json[a.name], a)]));
}

function fromState(json: unknown, { type, nested }: TerraformAttribute): Value {
  if (type) return typed(json, type);
  if (nested?.nesting === 'single') return objectFromState(json, nested.attributes);
  return Array.isArray(json) ? json.map((item) => objectFromState(item, nested!.attributes)) : null;
}

function typed(json: unknown, type: TerraformType): Value {
  if (json === null || json === undefined) return null;
  if (type === 'string') return typeof json === 'string' ? json : String(json);
  if (type === 'number') return typeof json === 'number' || json instanceof NumberText ? json : null;
  if (type === 'bool') return typeof json === 'boolean' ? json : null;
  const [collection, element] = type;
  if (collection !== 'map') return Array.isArray(json) ? json.map((item) => typed(item, element)) : null;
  if (!isRecord(json)) return null;
  return Object.fromEntries(Object.entries(json).map(([key, item]) => [key, typed(item, element)]));
}

function isRecord(json: unknown): json is Record<string, unknown> {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}
