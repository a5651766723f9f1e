/** What apply needs to know of a schema: which parts of a value are owned one by one, and which only as a whole. */
import type { KindDefinition } from '../kinds/define.ts';
import { bodyOf, type SchemaNode } from '../project/validate-schema.ts';

export type FieldType = ScalarType | ListType | MapType | AnyType;

export interface ScalarType {
  of: 'scalar';
  takes: 'number' | 'string' | 'boolean' | 'any';
}

export interface ListType {
  of: 'list';
  /** atomic: one value. set: each item is owned by itself. map: so is each field of each item; `keys` say which item is which. */
  relation: 'atomic' | 'set' | 'map';
  keys: readonly string[];
  /** Of keys that may be left out. */
  defaults: Readonly<Record<string, unknown>>;
  items: FieldType;
}

export interface MapType {
  of: 'map';
  /** Whether it is owned as a whole. */
  atomic: boolean;
  fields: ReadonlyMap<string, FieldType>;
  /** Type of the values under keys that people choose; undefined where there can be none. */
  others: FieldType | undefined;
}

/** No schema says what it is: objects are granular, lists atomic. */
export interface AnyType {
  of: 'any';
}

const ANY: AnyType = { of: 'any' };
const TEXT: ScalarType = { of: 'scalar', takes: 'string' };
const NUMBER: ScalarType = { of: 'scalar', takes: 'number' };
const TEXTS: MapType = { of: 'map', atomic: false, fields: new Map(), others: TEXT };

function atomic(items: FieldType): ListType {
  return { of: 'list', relation: 'atomic', keys: [], defaults: {}, items };
}

/** metav1.ObjectMeta as Kubernetes types it. */
const METADATA: MapType = {
  of: 'map',
  atomic: false,
  others: undefined,
  fields: new Map<string, FieldType>([
    ...['name', 'generateName', 'namespace', 'selfLink', 'uid', 'resourceVersion'].map((name) => [name, TEXT] as const),
    ...['creationTimestamp', 'deletionTimestamp'].map((name) => [name, TEXT] as const),
    ['generation', NUMBER],
    ['deletionGracePeriodSeconds', NUMBER],
    ['labels', TEXTS],
    ['annotations', TEXTS],
    ['finalizers', { of: 'list', relation: 'set', keys: [], defaults: {}, items: TEXT }],
    [
      'ownerReferences',
      {
        of: 'list',
        relation: 'map',
        keys: ['uid'],
        defaults: {},
        items: { of: 'map', atomic: true, fields: new Map(), others: ANY },
      },
    ],
    ['managedFields', atomic(ANY)],
  ]),
};

const types = new WeakMap<KindDefinition, MapType>();

/** The type of the objects of a kind. */
export function objectType(kind: KindDefinition): MapType {
  return types.getOrInsertComputed(kind, () => ({
    of: 'map',
    atomic: false,
    others: undefined,
    fields: new Map<string, FieldType>([
      ['apiVersion', TEXT],
      ['kind', TEXT],
      ['metadata', METADATA],
      ...Object.entries(bodyOf(kind)).map(([name, schema]) => [name, typeOf(schema)] as const),
    ]),
  }));
}

/** The type that a schema describes. */
export function typeOf(schema: SchemaNode): FieldType {
  switch (schema.type) {
    case 'object':
      return mapType(schema);
    case 'array':
      return listType(schema);
    case 'string':
    case 'boolean':
      return { of: 'scalar', takes: schema.type };
    case 'integer':
    case 'number':
      return NUMBER;
    default:
      return ANY;
  }
}

function mapType(schema: SchemaNode): MapType {
  const { properties = {}, additionalProperties } = schema;
  const others =
    typeof additionalProperties === 'object'
      ? typeOf(additionalProperties)
      : additionalProperties === true
        ? ANY
        : undefined;
  return {
    of: 'map',
    atomic: schema['x-kubernetes-map-type'] === 'atomic',
    fields: new Map(Object.entries(properties).map(([name, field]) => [name, typeOf(field)])),
    others,
  };
}

function listType(schema: SchemaNode): ListType {
  const items = schema.items ?? {};
  const keys = [...(schema['x-kubernetes-list-map-keys'] ?? [])].sort();
  const relation = (schema['x-kubernetes-list-type'] ?? 'atomic') as ListType['relation'];
  const defaults: Record<string, unknown> = {};
  for (const key of keys) {
    const value = items.properties?.[key]?.default;
    if (value !== undefined) defaults[key] = value;
  }
  return { of: 'list', relation, keys, defaults, items: typeOf(items) };
}

/** The type of a field of an object; undefined where there can be none. */
export function fieldTypeOf(type: MapType | AnyType, name: string): FieldType | undefined {
  return type.of === 'any' ? ANY : (type.fields.get(name) ?? type.others);
}

/** A value as it is owned: a leaf as a whole, the others by their fields and items. */
export type Owned =
  | { as: 'leaf' }
  | { as: 'map'; type: MapType | AnyType; value: Readonly<Record<string, unknown>> }
  | { as: 'list'; type: ListType; value: readonly unknown[] };

const LEAF: Owned = { as: 'leaf' };

/** How a value of a type is owned. null is the empty object or list where one is expected. */
export function ownedAs(type: FieldType, value: unknown): Owned {
  switch (type.of) {
    case 'scalar':
      return LEAF;
    case 'any':
      return isRecord(value) ? { as: 'map', type, value } : LEAF;
    case 'map':
      if (type.atomic) return LEAF;
      if (value === null) return { as: 'map', type, value: {} };
      return isRecord(value) ? { as: 'map', type, value } : LEAF;
    case 'list':
      if (type.relation === 'atomic') return LEAF;
      if (value === null) return { as: 'list', type, value: [] };
      return Array.isArray(value) ? { as: 'list', type, value } : LEAF;
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
