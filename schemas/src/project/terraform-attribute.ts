/** JSON Schema properties as attributes of Terraform's plugin protocol 6 (nested attributes, no blocks). */
import { terminal } from '../meta/error.ts';
import { snakeCase } from './terraform-name.ts';
import { hasSensitiveValues, isSensitive, type SchemaNode } from './validate-schema.ts';

/** A type constraint without nested attributes, in the JSON form that the protocol carries. */
export type TerraformType =
  | 'string'
  | 'number'
  | 'bool'
  | readonly ['list', TerraformType]
  | readonly ['set', TerraformType]
  | readonly ['map', TerraformType];

/** An attribute has a `type`, or `nested` attributes. */
export interface TerraformAttribute {
  /** snake_case, as in HCL. */
  name: string;
  /** The property of the API object that it stands for, camelCase. */
  field: string;
  description: string;
  type?: TerraformType;
  nested?: { nesting: 'single' | 'list'; attributes: TerraformAttribute[] };
  required?: true;
  optional?: true;
  computed?: true;
  sensitive?: true;
  /** Never in a plan or a state: it is in the configuration that comes with an apply. */
  writeOnly?: true;
  /** What is planned when the configuration leaves it out. */
  default?: unknown;
  /** Of a status leaf: the attributes whose change can alter it. Absent: any can. */
  alteredBy?: string[];
}

/** `declared`: written in a configuration. `computed`: told by the server. */
export type Role = 'declared' | 'computed';

/** The attributes of a closed object, in the order of its properties. `where` names the place in error messages. */
export function attributesOf(schema: SchemaNode, role: Role, where: string): TerraformAttribute[] {
  const kept = Object.entries(schema.properties ?? {}).filter(
    ([, property]) => property['x-plumb-terraform'] !== false,
  );
  const attributes = kept.map(([field, property]) =>
    attributeOf(field, property, role, schema.required?.includes(field) ?? false, `${where}.${field}`),
  );
  refuseTwins(attributes, where);
  return attributes;
}

/** Two properties must not become one attribute. */
export function refuseTwins(attributes: readonly TerraformAttribute[], where: string): void {
  const seen = new Map<string, string>();
  for (const { name, field } of attributes) {
    const before = seen.get(name);
    if (before !== undefined) throw unprojectable(where, `${before} and ${field} are both ${name} in snake_case`);
    seen.set(name, field);
  }
}

export function attributeOf(
  field: string,
  schema: SchemaNode,
  role: Role,
  required: boolean,
  where: string,
): TerraformAttribute {
  return {
    name: snakeCase(field),
    field,
    description: schema.description ?? '',
    ...shapeOf(schema, role, where),
    ...modeOf(schema, role, required),
    ...(isSensitive(schema) || hasSensitiveValues(schema) ? { sensitive: true } : {}),
  };
}

function modeOf(schema: SchemaNode, role: Role, required: boolean): Partial<TerraformAttribute> {
  if (role === 'computed') return { computed: true };
  if (schema.default !== undefined) return { optional: true, computed: true, default: schema.default };
  return required ? { required: true } : { optional: true };
}

function shapeOf(schema: SchemaNode, role: Role, where: string): Pick<TerraformAttribute, 'type' | 'nested'> {
  if (schema.type === 'object' && schema.properties) {
    return { nested: { nesting: 'single', attributes: attributesOf(schema, role, where) } };
  }
  if (schema.type === 'array' && schema.items?.type === 'object' && schema.items.properties) {
    return { nested: { nesting: 'list', attributes: attributesOf(schema.items, role, `${where}[]`) } };
  }
  return { type: typeOf(schema, where) };
}

function typeOf(schema: SchemaNode, where: string): TerraformType {
  switch (schema.type) {
    case 'string':
      return 'string';
    case 'integer':
    case 'number':
      return 'number';
    case 'boolean':
      return 'bool';
    case 'array':
      if (!schema.items) throw unprojectable(where, 'a list must say what its items are');
      return [schema['x-kubernetes-list-type'] === 'set' ? 'set' : 'list', typeOf(schema.items, `${where}[]`)];
    case 'object':
      if (typeof schema.additionalProperties === 'object' && !schema.properties) {
        return ['map', typeOf(schema.additionalProperties, `${where}[*]`)];
      }
  }
  throw unprojectable(
    where,
    'Terraform can hold strings, numbers, booleans, closed objects, maps of one type, and lists of these',
  );
}

export function unprojectable(where: string, why: string): Error {
  return terminal('NotProjectable', `${where} cannot become a Terraform attribute: ${why}`);
}
