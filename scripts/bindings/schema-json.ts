/**
 * What `terraform providers schema -json` prints, without Terraform: https://developer.hashicorp.com/terraform/cli/commands/providers/schema
 * A test compares both. Pure.
 */
import type { Attribute, ProviderFunction, Schema, Served } from '../terraform-docs/schema.ts';

export const ADDRESS = 'registry.terraform.io/plumb/plumb';

/** Names of nestings by the protocol's numbers. */
const NESTING: Readonly<Record<number, string>> = { 1: 'single', 2: 'list', 3: 'set', 4: 'map' };

export interface SchemaJson {
  format_version: '1.0';
  provider_schemas: Record<string, Record<string, unknown>>;
}

export function schemaJson(all: Served): SchemaJson {
  const groups = {
    resource_schemas: map(all.resources, schemaOf),
    data_source_schemas: map(all.dataSources, schemaOf),
    ephemeral_resource_schemas: map(all.ephemeralResources, schemaOf),
    functions: map(all.functions, functionOf),
  };
  const present = Object.entries(groups).filter(([, group]) => Object.keys(group).length > 0);
  const provider = { provider: schemaOf(all.provider), ...Object.fromEntries(present) };
  return { format_version: '1.0', provider_schemas: { [ADDRESS]: provider } };
}

function map<T>(of: Record<string, T>, to: (one: T) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(of).map(([name, one]) => [name, to(one)]));
}

function schemaOf({ version = 0, block }: Schema): unknown {
  const { description, attributes = [] } = block;
  return {
    version,
    block: {
      attributes: attributesOf(attributes),
      ...(description ? { description, description_kind: 'plain' } : { description_kind: 'plain' }),
    },
  };
}

function attributesOf(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map((one) => [one.name, attributeOf(one)]));
}

function attributeOf(attribute: Attribute): unknown {
  const { type, nestedType, description, required, optional, computed, sensitive, deprecated, writeOnly } = attribute;
  return {
    ...(nestedType
      ? {
          nested_type: { attributes: attributesOf(nestedType.attributes), nesting_mode: NESTING[nestedType.nesting] },
        }
      : { type: parsed(type) }),
    ...(description ? { description, description_kind: 'plain' } : {}),
    ...(deprecated ? { deprecated } : {}),
    ...(required ? { required } : {}),
    ...(optional ? { optional } : {}),
    ...(computed ? { computed } : {}),
    ...(sensitive ? { sensitive } : {}),
    ...(writeOnly ? { write_only: writeOnly } : {}),
  };
}

function functionOf({ summary, description, parameters = [], variadicParameter, ...one }: ProviderFunction): unknown {
  const parameter = ({ name, type, description: about, allowNullValue }: (typeof parameters)[number]) => ({
    name,
    type: parsed(type),
    ...(about ? { description: about } : {}),
    ...(allowNullValue ? { is_nullable: true } : {}),
  });
  return {
    ...(description ? { description } : {}),
    ...(summary ? { summary } : {}),
    return_type: parsed(one.return.type),
    ...(parameters.length > 0 ? { parameters: parameters.map(parameter) } : {}),
    ...(variadicParameter ? { variadic_parameter: parameter(variadicParameter) } : {}),
  };
}

function parsed(type: Uint8Array | undefined): unknown {
  return type === undefined ? 'dynamic' : JSON.parse(Buffer.from(type).toString('utf8'));
}
