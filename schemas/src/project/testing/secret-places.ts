/**
 * Every place of every kind that may hold a secret, found by its schema, and an object with a secret there. A field that is new
 * is tried by what tries these without being named anywhere.
 */

import type { KindDefinition } from '../../kinds/define.ts';
import { kinds } from '../../kinds/index.ts';
import { API_GROUP_VERSION } from '../../meta/object.ts';
import { type SchemaNode, schemaNode } from '../validate-schema.ts';

export interface SecretPlace {
  kind: KindDefinition;
  /** Inside the object: names, and 0 for an item of a list. */
  path: (string | number)[];
  /** `true`: all of it. `'url'`: in its password and its query. */
  how: true | 'url';
}

// biome-ignore lint/suspicious/noExplicitAny: objects of every kind, read and written by path
export type Sample = any;

/** Fields that must match a pattern, and can be anything else. */
const EXAMPLES: readonly string[] = [
  'x',
  'a'.repeat(64),
  'x.example',
  '10.0.0.0/24',
  'https://example.test/x',
  '02:00:00:00:00:01',
];

/** Secrets in specs and statuses of every kind. Those of objects in objects are those of their own kinds. */
export function secretPlaces(): SecretPlace[] {
  return kinds.flatMap((kind) => [
    ...placesIn(kind, schemaNode(kind.spec), ['spec']),
    ...placesIn(kind, schemaNode(kind.status), ['status']),
  ]);
}

function placesIn(kind: KindDefinition, schema: SchemaNode, path: (string | number)[]): SecretPlace[] {
  const how = schema['x-plumb-sensitive'];
  if (how === true || how === 'url') return [{ kind, path, how }];
  if (how === 'object') return [];
  const { properties = {}, items, additionalProperties } = schema;
  return [
    ...Object.entries(properties).flatMap(([name, node]) => placesIn(kind, node, [...path, name])),
    ...(items ? placesIn(kind, items, [...path, 0]) : []),
    ...(typeof additionalProperties === 'object' ? placesIn(kind, additionalProperties, [...path, 'key']) : []),
  ];
}

/** Places at which an object may hold other objects whole. */
export function objectPlaces(): { kind: KindDefinition; path: (string | number)[] }[] {
  const find = (schema: SchemaNode, path: (string | number)[]): (string | number)[][] => {
    if (schema['x-plumb-sensitive'] === 'object') return [path];
    const { properties = {}, items } = schema;
    return [
      ...Object.entries(properties).flatMap(([name, node]) => find(node, [...path, name])),
      ...(items ? find(items, [...path, 0]) : []),
    ];
  };
  return kinds.flatMap((kind) => find(schemaNode(kind.spec), ['spec']).map((path) => ({ kind, path })));
}

/** An object as its schema wants it, with the least in it, and with `secret` at the place. */
export function sampleWith({ kind, path, how }: SecretPlace, name: string, secret: string): Sample {
  const value = how === 'url' ? `https://user:${secret}@example.test/x?token=${secret}` : secret;
  const object = {
    apiVersion: API_GROUP_VERSION,
    kind: kind.kind,
    metadata: { name },
    spec: least(schemaNode(kind.spec), `${kind.kind}.spec`),
  };
  return put(object, path, value, { properties: { spec: schemaNode(kind.spec), status: schemaNode(kind.status) } });
}

/** An object that holds another at the place. */
export function sampleHolding(
  { kind, path }: { kind: KindDefinition; path: (string | number)[] },
  name: string,
  held: Sample,
): Sample {
  const { apiVersion: _, ...rest } = held;
  const object = { apiVersion: API_GROUP_VERSION, kind: kind.kind, metadata: { name }, spec: {} };
  return put(object, path, rest, { properties: { spec: schemaNode(kind.spec) } });
}

/** A copy of the object in which what is at the path is what `made` makes of it. */
export function withAt(object: Sample, path: readonly (string | number)[], made: (value: unknown) => unknown): Sample {
  const [key, ...rest] = path;
  if (key === undefined) return made(object);
  const copy = Array.isArray(object) ? [...object] : { ...object };
  copy[key] = withAt(copy[key], rest, made);
  return copy;
}

function put(object: Sample, path: readonly (string | number)[], value: unknown, schema: SchemaNode): Sample {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const below =
    typeof key === 'number' ? schema.items : (schema.properties?.[key] ?? (schema.additionalProperties as SchemaNode));
  const there = object?.[key] ?? (rest.length > 0 ? least(below ?? {}, String(key)) : undefined);
  const copy = Array.isArray(object) || typeof key === 'number' ? [...(object ?? [])] : { ...object };
  copy[key] = put(there, rest, value, below ?? {});
  return copy;
}

function least(schema: SchemaNode, where: string): Sample {
  if (schema.default !== undefined) return schema.default;
  if (schema.enum) return schema.enum[0];
  switch (schema.type) {
    case 'object':
      return Object.fromEntries(
        (schema.required ?? []).map((name) => [name, least(schema.properties?.[name] ?? {}, `${where}.${name}`)]),
      );
    case 'array':
      return Array.from({ length: Number(schema.minItems ?? 0) }, () => least(schema.items ?? {}, `${where}[]`));
    case 'integer':
    case 'number':
      return schema.minimum ?? 1;
    case 'boolean':
      return false;
    case 'string':
      return exampleOf(schema, where);
    default:
      return {};
  }
}

function exampleOf({ pattern, format }: SchemaNode, where: string): string {
  if (format === 'ipv4') return '10.0.0.1';
  if (format === 'cidr') return '10.0.0.0/24';
  const found = EXAMPLES.find((text) => pattern === undefined || new RegExp(String(pattern)).test(text));
  if (found === undefined) throw new Error(`${where}: no example matches ${pattern}: add one to EXAMPLES`);
  return found;
}
