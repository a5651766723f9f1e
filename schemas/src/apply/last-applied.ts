/**
 * What clients kept in annotations before they applied on the server: kubectl the whole declaration, `plumb apply` the keys of labels
 * and annotations that it had set. At the first apply on the server that becomes what they own, as client-go's csaupgrade does it.
 */
import { compare } from './compare.ts';
import { byText, fieldElement } from './element.ts';
import { FieldSet } from './field-set.ts';
import { type FieldType, isRecord } from './type.ts';
import { define, fieldsOf, mistakesOf } from './typed.ts';

/** kubectl's; the manager that it is the declaration of is `kubectl`. */
export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
/** Ours, until declarations were applied on the server; the manager is `plumb`. */
export const APPLIED_KEYS = 'plumb.dev/applied';

type Value = Readonly<Record<string, unknown>>;

export function annotationOf(object: Value, name: string): string | undefined {
  const { annotations } = (object.metadata ?? {}) as { annotations?: unknown };
  const value = isRecord(annotations) && Object.hasOwn(annotations, name) ? annotations[name] : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The fields of kubectl's last declaration that are still as it said; undefined when there is none that can be read. */
export function ownedByLastApplied(type: FieldType, live: Value): FieldSet | undefined {
  const text = annotationOf(live, LAST_APPLIED);
  if (text === undefined) return undefined;
  let last: unknown;
  try {
    last = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(last) || last.apiVersion !== live.apiVersion || mistakesOf(type, last, 1).length > 0) return undefined;
  const { added, modified, removed } = compare(type, last, live);
  return fieldsOf(type, last).difference(modified).difference(added).difference(removed);
}

/** What `plumb apply` of before owned: what it wrote whole, and the labels and annotations that its note names. */
export function ownedByAppliedKeys(type: FieldType, live: Value): FieldSet | undefined {
  const text = annotationOf(live, APPLIED_KEYS);
  if (text === undefined) return undefined;
  const { apiVersion: _a, kind: _k, metadata: _m, status: _s, ...body } = live;
  const owned = fieldsOf(type, body);
  let keys: unknown;
  try {
    keys = JSON.parse(text);
  } catch {
    return owned;
  }
  const named = FieldSet.of();
  for (const field of ['labels', 'annotations'] as const) {
    const list = isRecord(keys) ? keys[field] : undefined;
    for (const key of Array.isArray(list) ? list : [])
      if (typeof key === 'string') named.insert(['f:metadata', fieldElement(field), fieldElement(key)]);
  }
  return owned.union(named.intersection(fieldsOf(type, { metadata: live.metadata })));
}

/** The object without an annotation. */
export function withoutAnnotation(object: Value, name: string): Value {
  if (annotationOf(object, name) === undefined) return object;
  const { metadata, ...rest } = object as { metadata: Record<string, unknown> };
  const { [name]: _, ...annotations } = metadata.annotations as Record<string, unknown>;
  const { annotations: __, ...others } = metadata;
  return { ...rest, metadata: Object.keys(annotations).length > 0 ? { ...others, annotations } : others };
}

/** Most bytes of all annotations of an object (apimachinery). */
const MOST_ANNOTATIONS = 256 * 1024;

/** The object, whose note of kubectl's is that of `declared` now; without the note when it became too large. */
export function withLastApplied(object: Value, declared: Value): Value {
  const { metadata = {}, ...rest } = declared as { metadata?: Value };
  const { [LAST_APPLIED]: _, ...kept } = (isRecord(metadata.annotations) ? metadata.annotations : {}) as Value;
  const { annotations: before, ...others } = metadata;
  const text = `${goJson({ ...rest, metadata: before === undefined ? others : { ...others, annotations: kept } })}\n`;
  const { metadata: ours, ...all } = object as { metadata: Record<string, unknown> };
  const annotations = { ...(ours.annotations as Record<string, string>), [LAST_APPLIED]: text };
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations)) bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  if (bytes > MOST_ANNOTATIONS) return withoutAnnotation(object, LAST_APPLIED);
  return { ...all, metadata: { ...ours, annotations } };
}

/** JSON as Go writes it: fields in the order of their names, and without the signs of HTML. */
function goJson(value: unknown): string {
  const sorted = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(sorted);
    if (!isRecord(part)) return part;
    const made: Record<string, unknown> = {};
    for (const [key, field] of Object.entries(part).sort(([a], [b]) => byText(a, b))) define(made, key, sorted(field));
    return made;
  };
  return JSON.stringify(sorted(value)).replaceAll(
    /[<>&\u2028\u2029]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
