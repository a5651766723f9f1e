/**
 * What of an object may be shown: the one projection by which every road out goes that shows objects or their fields to
 * people: describe, diff, plan, tables, messages. What is secret is said by the schemas (`x-plumb-sensitive`), so that a field
 * that is new is hidden wherever it is shown by that alone:
 *
 *   true       never shown
 *   'url'      shown without name, password and query
 *   'object'   an object of another kind: shown as that kind's schema says
 *
 * Reading an object itself (`kubectl get -o yaml`) gives all of it, as of any kind of Kubernetes.
 */

import type { KindDefinition } from '../kinds/define.ts';
import { kindByName } from '../kinds/index.ts';
import { shownUrl } from '../meta/shown-url.ts';
import { shown } from './shown.ts';
import { bodyOf, type SchemaNode, schemaNode } from './validate-schema.ts';

/** Stands in the place of a secret. */
export const HIDDEN = '(not shown)';

/** Annotations in which tools keep whole objects as they were: kubectl's describe leaves the first one out, too. */
const COPIES = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'kapp.k14s.io/original',
  'kapp.k14s.io/original-diff',
  'objectset.rio.cattle.io/applied',
]);

type Fields = Readonly<Record<string, unknown>>;

/** The value with everything hidden that the schema says is secret. A value of another shape than the schema's is hidden whole. */
export function conceal(schema: SchemaNode | undefined, value: unknown): unknown {
  if (schema === undefined || value === undefined || !holdsSecrets(schema)) return value;
  switch (schema['x-plumb-sensitive']) {
    case true:
      return HIDDEN;
    case 'url':
      return typeof value === 'string' && URL.canParse(value) ? shownUrl(value) : HIDDEN;
    case 'object':
      return isFields(value) ? concealObject(value) : HIDDEN;
  }
  if (Array.isArray(value)) return schema.items ? value.map((item) => conceal(schema.items, item)) : HIDDEN;
  if (!isFields(value)) return HIDDEN;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, concealField(schema, key, inner)]));
}

function concealField(schema: SchemaNode, key: string, value: unknown): unknown {
  const below = propertyOf(schema, key);
  return below ? conceal(below, value) : HIDDEN;
}

/** An object of any kind. What belongs to no kind that is known is hidden but for its name. */
export function concealObject(object: Fields): Fields {
  const kind = typeof object.kind === 'string' ? kindByName(object.kind) : undefined;
  const { apiVersion, kind: name, metadata, ...others } = object;
  const body = kind ? bodyOf(kind) : {};
  return {
    ...(apiVersion === undefined ? {} : { apiVersion: isWord(apiVersion) ? apiVersion : HIDDEN }),
    ...(name === undefined ? {} : { kind: isWord(name) ? name : HIDDEN }),
    ...(metadata === undefined ? {} : { metadata: isFields(metadata) ? concealMetadata(metadata) : HIDDEN }),
    ...Object.fromEntries(
      Object.entries(others).map(([key, value]) => [
        key,
        Object.hasOwn(body, key) ? conceal(body[key], value) : HIDDEN,
      ]),
    ),
  };
}

export function concealSpec(kind: KindDefinition, spec: unknown): unknown {
  return conceal(schemaNode(kind.spec), spec);
}

function concealMetadata(metadata: Fields): Fields {
  const { annotations, ...rest } = metadata;
  if (annotations === undefined) return rest;
  return { ...rest, annotations: isFields(annotations) ? concealAnnotations(annotations) : HIDDEN };
}

/** Annotations without those that are copies of objects, and with what else looks like one hidden. */
export function concealAnnotations(annotations: Fields): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(annotations)
      .filter(([key]) => !COPIES.has(key))
      .map(([key, value]) => [key, looksLikeObject(value) ? HIDDEN : value]),
  );
}

/** A text that holds an object, whatever wrote it there. */
function looksLikeObject(value: unknown): boolean {
  return typeof value !== 'string' || /^\s*[[{]/.test(value) || /^\s*(apiVersion|kind|spec|data):/m.test(value);
}

/** The value as text for a message or a diff, with what is secret hidden. */
export function shownBy(schema: SchemaNode | undefined, value: unknown): string {
  return shown(conceal(schema, value));
}

const secretive = new WeakMap<SchemaNode, boolean>();

/** Whether anything at this place or below it is secret. */
export function holdsSecrets(schema: SchemaNode): boolean {
  return secretive.getOrInsertComputed(schema, () => {
    if (schema['x-plumb-sensitive']) return true;
    const { properties = {}, items, additionalProperties } = schema;
    const below = [...Object.values(properties), items, additionalProperties];
    return below.some((node) => typeof node === 'object' && holdsSecrets(node));
  });
}

/** The schema of a field, or of an item of a list, by its name or index; undefined where there is none. */
export function propertyOf(schema: SchemaNode, key: string): SchemaNode | undefined {
  const { properties, items, additionalProperties } = schema;
  if (properties && Object.hasOwn(properties, key)) return properties[key];
  if (items) return items;
  return typeof additionalProperties === 'object' ? additionalProperties : undefined;
}

/** Whether the value at a path is secret, lies in something secret, or holds something that is. */
export function isSecretAt(schema: SchemaNode, path: readonly string[]): boolean {
  let node: SchemaNode | undefined = schema;
  for (const [index, key] of path.entries()) {
    const secret = node['x-plumb-sensitive'];
    if (secret === 'object') return !isOpenInObject(path.slice(index));
    if (secret) return true;
    node = propertyOf(node, key);
    if (!node) return false;
  }
  return holdsSecrets(node);
}

/** Names and labels of an object are no secret; its spec, its annotations, and what holds them may be. */
function isOpenInObject([field, part]: readonly string[]): boolean {
  if (field === 'metadata') return part !== undefined && part !== 'annotations';
  return field === 'kind' || field === 'apiVersion';
}

function isWord(value: unknown): boolean {
  return typeof value === 'string' && /^[\w./-]{1,100}$/.test(value);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
