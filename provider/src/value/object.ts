/** Objects of the API as the state of a resource, and a planned state as what the API is sent. Pure. */

import { CREATE_ANNOTATION, type Draft, type Reference } from '@plumb/client/objects.ts';
import type { PlumbObject } from '@plumb/schemas';
import type { TerraformKind } from '@plumb/schemas/project/terraform.ts';
import { durationMs } from './duration.ts';
import { attributesFrom, type Fields, fieldsOf } from './fields.ts';
import { equal, isObject, type ObjectValue, type Value } from './value.ts';

/** Which object a state speaks of. */
export function referenceOf(kind: TerraformKind, state: ObjectValue): Reference {
  const name = state.name as string;
  return kind.kind.scope === 'Cluster'
    ? { kind: kind.kind, name }
    : { kind: kind.kind, name, namespace: state.project as string };
}

/** The uid in a state, or undefined before the object was seen. */
export function uidOf(state: ObjectValue): string | undefined {
  const uid = isObject(state.status) ? state.status.uid : undefined;
  return typeof uid === 'string' ? uid : undefined;
}

/** The fields that the attributes of the kind stand for: those of its spec, or of a built-in kind its own. */
function bodyIn({ kind }: TerraformKind, object: PlumbObject): Fields {
  return kind.fields ? (object as unknown as Fields) : object.spec;
}

/** The same as they stand in an object. */
function inBody({ kind }: TerraformKind, fields: Fields): Fields {
  return kind.fields ? fields : { spec: fields };
}

/** The state for a live object: all of spec, the label and annotation keys that `held` has, and held timeouts. */
export function stateOf(kind: TerraformKind, object: PlumbObject, held: ObjectValue): ObjectValue {
  const { metadata } = object;
  return {
    ...identityOf(kind, object),
    ...attributesFrom(bodyIn(kind, object), kind.spec, held),
    labels: ownedKeys(metadata.labels, held.labels),
    annotations: ownedKeys(metadata.annotations, held.annotations),
    timeouts: held.timeouts ?? null,
    status: statusOf(kind, object),
  };
}

/** The state for an object that Terraform takes over: it owns every key that is there, but those of other tools. */
export function importedState(kind: TerraformKind, object: PlumbObject): ObjectValue {
  const { labels, annotations } = object.metadata;
  return stateOf(kind, object, { labels: allKeys(labels), annotations: allKeys(annotations) });
}

/** The state of a data source: every key of labels and annotations. */
export function dataOf(kind: TerraformKind, object: PlumbObject): ObjectValue {
  const { metadata } = object;
  return {
    ...identityOf(kind, object),
    ...attributesFrom(bodyIn(kind, object), kind.spec),
    labels: metadata.labels ?? {},
    annotations: withoutMark(metadata.annotations ?? {}),
    status: statusOf(kind, object),
  };
}

/** What is sent to create the planned object. */
export function draftOf(kind: TerraformKind, planned: ObjectValue): Draft {
  const { name, namespace } = referenceOf(kind, planned);
  const labels = keysIn(planned.labels);
  const annotations = keysIn(planned.annotations);
  return {
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels ? { labels } : {}),
      ...(annotations ? { annotations } : {}),
    },
    ...inBody(kind, fieldsOf(planned, kind.spec)),
  };
}

/** What a change of one object sends (RFC 7386). */
export interface Patch {
  metadata: Fields;
  /** Spec, or the fields of a built-in kind. */
  [field: string]: unknown;
}

/**
 * The patch from the prior to the planned state; undefined when nothing that the server keeps differs. Keys of labels and
 * annotations that the configuration never owned are left alone.
 */
export function patchOf(kind: TerraformKind, prior: ObjectValue, planned: ObjectValue): Patch | undefined {
  const metadata: Fields = {};
  for (const field of ['labels', 'annotations']) {
    if (!equal(planned[field] ?? null, prior[field] ?? null)) {
      metadata[field] = mergePatch(keysIn(prior[field]) ?? {}, keysIn(planned[field]) ?? {});
    }
  }
  const changed = kind.spec.filter((a) => !equal(planned[a.name] ?? null, prior[a.name] ?? null));
  if (changed.length === 0 && Object.keys(metadata).length === 0) return undefined;
  const body = mergePatch(fieldsOf(prior, changed), fieldsOf(planned, changed));
  return { metadata, ...(changed.length > 0 ? inBody(kind, body) : {}) };
}

/** The duration in `timeouts`, in milliseconds. */
export function timeoutOf(state: ObjectValue, what: 'create' | 'update' | 'delete'): number {
  const text = isObject(state.timeouts) ? state.timeouts[what] : undefined;
  return (typeof text === 'string' ? durationMs(text) : undefined) ?? DEFAULT_TIMEOUT_MS;
}

const DEFAULT_TIMEOUT_MS = 600_000;

function identityOf(kind: TerraformKind, { metadata }: PlumbObject): ObjectValue {
  const { name, namespace } = metadata;
  return kind.kind.scope === 'Cluster' ? { name } : { name, project: namespace ?? null };
}

function statusOf(kind: TerraformKind, object: PlumbObject): ObjectValue {
  return { ...attributesFrom(object.status as Fields | undefined, kind.status), uid: object.metadata.uid };
}

function ownedKeys(found: Record<string, string> | undefined, held: Value | undefined): Value {
  if (!isObject(held)) return null;
  const kept = Object.keys(held).filter((key) => found?.[key] !== undefined);
  return Object.fromEntries(kept.map((key) => [key, found![key]!]));
}

function allKeys(found: Record<string, string> | undefined): Value {
  const own = Object.entries(withoutMark(found ?? {})).filter(([key]) => !/(^|\.)kubernetes\.io\//.test(key));
  return own.length > 0 ? Object.fromEntries(own) : null;
}

function withoutMark({ [CREATE_ANNOTATION]: _, ...annotations }: Record<string, string>): Record<string, string> {
  return annotations;
}

function keysIn(value: Value | undefined): Record<string, string> | undefined {
  return isObject(value) ? (value as Record<string, string>) : undefined;
}

/** What turns `from` into `to` by RFC 7386: what is gone becomes null, lists are replaced whole. */
function mergePatch(from: Fields, to: Fields): Fields {
  const patch: Fields = {};
  for (const key of Object.keys(from)) if (!Object.hasOwn(to, key)) patch[key] = null;
  for (const [key, value] of Object.entries(to)) {
    const before = from[key];
    patch[key] = isRecord(value) ? mergePatch(isRecord(before) ? before : {}, value) : value;
  }
  return patch;
}

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
