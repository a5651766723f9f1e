/** Between the wire's messages and the provider's own values. */
import type { TerraformAttribute, TerraformKind } from '@plumb/schemas/project/terraform.ts';
import type { Diagnostic } from '../diagnostic.ts';
import { decodeObject, encodeObject } from '../value/msgpack.ts';
import type { Step } from '../value/path.ts';
import type { ObjectValue } from '../value/value.ts';
import type {
  DynamicValue,
  IdentityData,
  WireAttribute,
  WireDiagnostic,
  WirePath,
  WireSchema,
  WireStep,
} from './messages.ts';

/** The version of every schema of state and identity: attributes are found by name, so that none was needed yet. */
export const SCHEMA_VERSION = 0;

/** The object in a DynamicValue; null when it is absent or null. */
export function objectIn(value: DynamicValue | null, attributes: readonly TerraformAttribute[]): ObjectValue | null {
  return value?.msgpack?.length ? decodeObject(value.msgpack, attributes) : null;
}

export function dynamic(value: ObjectValue | null, attributes: readonly TerraformAttribute[]): DynamicValue {
  return { msgpack: encodeObject(value, attributes) };
}

/** The identity of a state as an answer bears it; nothing where name or project are not known. */
export function identified<K extends string>(
  field: K,
  { identity }: TerraformKind,
  state: ObjectValue | null,
): { [F in K]?: IdentityData } {
  if (!state || identity.some(({ name }) => typeof state[name] !== 'string')) return {};
  return { [field]: { identityData: dynamic(state, identity) } } as { [F in K]?: IdentityData };
}

export function wireDiagnostics(diagnostics: readonly Diagnostic[]): WireDiagnostic[] {
  return diagnostics.map(({ severity, summary, detail, path }) => ({
    severity: severity === 'error' ? 1 : 2,
    summary,
    detail,
    ...(path ? { attribute: wirePath(path) } : {}),
  }));
}

export function wirePath(steps: readonly Step[]): WirePath {
  return { steps: steps.map(wireStep) };
}

function wireStep(step: Step): WireStep {
  if ('attribute' in step) return { attributeName: step.attribute };
  return 'key' in step ? { elementKeyString: step.key } : { elementKeyInt: step.index };
}

export function wireSchema(attributes: readonly TerraformAttribute[], description: string): WireSchema {
  return {
    version: SCHEMA_VERSION,
    block: { version: SCHEMA_VERSION, description, attributes: attributes.map(wireAttribute) },
  };
}

function wireAttribute(attribute: TerraformAttribute): WireAttribute {
  const { name, description, type, nested, required, optional, computed, sensitive, writeOnly } = attribute;
  return {
    name,
    description,
    ...(type ? { type: Buffer.from(JSON.stringify(type)) } : {}),
    ...(nested
      ? {
          nestedType: {
            nesting: nested.nesting === 'single' ? 1 : 2,
            attributes: nested.attributes.map(wireAttribute),
          },
        }
      : {}),
    ...(required ? { required } : {}),
    ...(optional ? { optional } : {}),
    ...(computed ? { computed } : {}),
    ...(sensitive ? { sensitive } : {}),
    ...(writeOnly ? { writeOnly } : {}),
  };
}
