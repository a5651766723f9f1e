/** What differs between two objects of a kind, field by field as people read it, items of list-maps by their key. Pure. */
import type { KindDefinition } from '../kinds/define.ts';
import { conceal, concealAnnotations } from './conceal.ts';
import { joinPath } from './validate-path.ts';
import { bodyOf, isSensitive, type SchemaNode, writtenFields } from './validate-schema.ts';

export interface FieldChange {
  field: string;
  /** Undefined: not there before. */
  from?: unknown;
  /** Undefined: not there after. */
  to?: unknown;
  /** The values must not be shown. */
  sensitive: boolean;
}

/**
 * Annotation in which `plumb apply` notes the labels and annotations that a manifest set, so that taking one out of the manifest
 * takes it off the object, and those of others stay.
 */
export const APPLIED = 'plumb.dev/applied';

/** What of an object is compared. */
export interface Comparable {
  metadata: { labels?: unknown; annotations?: unknown };
  /** Beside it spec, or the fields of a built-in kind. */
  spec?: unknown;
}

type Fields = Record<string, unknown>;

/**
 * Labels, annotations, and spec or the fields of a built-in kind. `kind`: undefined where its schema is not known; then of its spec nothing is said. Notes of
 * `plumb apply` are passed over.
 */
export function fieldChanges(
  kind: KindDefinition | undefined,
  from: Comparable | undefined,
  to: Comparable,
): FieldChange[] {
  const annotations = (of: Comparable | undefined) => withoutNotes(fieldsOf(of?.metadata.annotations));
  return [
    ...compare('metadata.labels', fieldsOf(from?.metadata.labels), fieldsOf(to.metadata.labels), undefined),
    ...annotationChanges(annotations(from), annotations(to)),
    ...(kind ? bodyChanges(kind, from, to) : []),
  ];
}

function bodyChanges(kind: KindDefinition, from: Comparable | undefined, to: Comparable): FieldChange[] {
  const body = bodyOf(kind);
  return writtenFields(kind).flatMap((field) =>
    kind.fields
      ? compare(field, fieldOf(from, field), fieldOf(to, field), body[field])
      : compare(field, fieldsOf(fieldOf(from, field)), fieldsOf(fieldOf(to, field)), body[field]),
  );
}

function fieldOf(object: Comparable | undefined, field: string): unknown {
  return (object as Fields | undefined)?.[field];
}

function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

function withoutNotes({ [APPLIED]: _, ...others }: Fields): Fields {
  return others;
}

function compare(field: string, from: unknown, to: unknown, schema: SchemaNode | undefined): FieldChange[] {
  if (sameJson(from, to)) return [];
  if (isSensitive(schema)) return [changeOf(field, from, to, schema)];
  if (isFields(from) && isFields(to)) return compareFields(field, from, to, schema);
  const key = schema?.['x-kubernetes-list-map-keys']?.[0];
  if (key !== undefined && Array.isArray(from) && Array.isArray(to)) {
    const changes = compareFields(field, byKey(from, key), byKey(to, key), { additionalProperties: schema?.items });
    // The same items in another order differ too.
    return changes.length > 0 ? changes : [changeOf(field, from, to, schema)];
  }
  return [changeOf(field, from, to, schema)];
}

/** With what is secret hidden: what differs in that alone is said to have changed, and not how. */
function changeOf(field: string, from: unknown, to: unknown, schema: SchemaNode | undefined): FieldChange {
  const [before, after] = [conceal(schema, from), conceal(schema, to)];
  const sensitive = isSensitive(schema) || sameJson(before, after);
  return { field, from: before, to: after, sensitive };
}

/** Annotations may hold whole objects, which are not shown. */
function annotationChanges(from: Fields, to: Fields): FieldChange[] {
  const open = [concealAnnotations(from), concealAnnotations(to)];
  return [...new Set([...Object.keys(from), ...Object.keys(to)])].flatMap((key) => {
    const field = joinPath('metadata.annotations', key);
    const hidden = [from, to].some((side, i) => key in side && open[i]![key] !== side[key]);
    return compare(field, from[key], to[key], undefined).map((change) => ({ ...change, sensitive: hidden }));
  });
}

function compareFields(field: string, from: Fields, to: Fields, schema: SchemaNode | undefined): FieldChange[] {
  const below = (key: string) =>
    schema?.properties?.[key] ??
    (typeof schema?.additionalProperties === 'object' ? schema.additionalProperties : undefined);
  const path = (key: string) =>
    schema?.properties || !schema?.additionalProperties ? joinPath(field, key) : `${field}[${key}]`;
  return [...new Set([...Object.keys(from), ...Object.keys(to)])].flatMap((key) =>
    compare(path(key), from[key], to[key], below(key)),
  );
}

function byKey(list: readonly unknown[], key: string): Fields {
  return Object.fromEntries(list.map((item) => [String((item as Fields)[key]), item]));
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether two values of JSON are equal. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, i) => sameJson(item, b[i]));
  }
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && sameJson((a as Fields)[key], (b as Fields)[key]));
}
