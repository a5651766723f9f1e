/** What would change: the declared object against the stored one, as fields for people and as a patch for the server. */
import { isDeepStrictEqual } from 'node:util';
import type { PlumbObject } from '@plumb/schemas';
import { conceal, concealAnnotations } from '@plumb/schemas/project/conceal.ts';
import { joinPath } from '@plumb/schemas/project/validate-path.ts';
import { isSensitive, type SchemaNode, schemaNode } from '@plumb/schemas/project/validate-schema.ts';
import type { Manifest } from './manifests.ts';

/**
 * Names of the labels and annotations that a manifest set, so that taking one out of the manifest takes it off the
 * object, and those of others stay.
 */
export const APPLIED = 'plumb.dev/applied';

export interface FieldChange {
  field: string;
  /** Undefined: not there before. */
  from?: unknown;
  /** Undefined: not there after. */
  to?: unknown;
  /** The values must not be shown. */
  sensitive: boolean;
}

type Fields = Record<string, unknown>;

/** The object as it will be: the declared spec, labels and annotations, beside those of others. */
export function desired(manifest: Manifest, stored: PlumbObject | undefined): Pick<PlumbObject, 'metadata' | 'spec'> {
  const { metadata, spec } = manifest.defaulted;
  // Read from the server and sent back, it is no declaration.
  const { [APPLIED]: _, ...declared } = metadata.annotations ?? {};
  const before = appliedKeys(stored);
  const labels = overlay(stored?.metadata.labels, before.labels, metadata.labels);
  const annotations = overlay(stored?.metadata.annotations, [...before.annotations, APPLIED], declared);
  const applied = { labels: Object.keys(metadata.labels ?? {}), annotations: Object.keys(declared) };
  if (applied.labels.length + applied.annotations.length > 0) annotations[APPLIED] = JSON.stringify(applied);
  return { metadata: { ...metadata, labels, annotations }, spec: manifest.resource.definition ? spec : {} };
}

/** A merge patch (RFC 7396) that makes the stored object as desired; undefined when it is. */
export function patchFor(manifest: Manifest, stored: PlumbObject): Fields | undefined {
  const wanted = desired(manifest, stored);
  const metadata = mergeDiff(
    { labels: stored.metadata.labels ?? {}, annotations: stored.metadata.annotations ?? {} },
    { labels: wanted.metadata.labels ?? {}, annotations: wanted.metadata.annotations ?? {} },
  );
  const spec = manifest.resource.definition ? mergeDiff(stored.spec, wanted.spec) : undefined;
  if (!metadata && !spec) return undefined;
  // The uid holds the patch to this object, should another have taken its name meanwhile.
  return { metadata: { ...metadata, uid: stored.metadata.uid }, ...(spec ? { spec } : {}) };
}

/** Field by field what differs, list-map items by their key. */
export function fieldChanges(manifest: Manifest, stored: PlumbObject | undefined): FieldChange[] {
  const wanted = desired(manifest, stored);
  const { [APPLIED]: _a, ...storedAnnotations } = stored?.metadata.annotations ?? {};
  const { [APPLIED]: _b, ...wantedAnnotations } = wanted.metadata.annotations ?? {};
  const spec = manifest.resource.definition ? schemaNode(manifest.resource.definition.spec) : undefined;
  return [
    ...compare('metadata.labels', stored?.metadata.labels ?? {}, wanted.metadata.labels ?? {}, undefined),
    ...annotationChanges(storedAnnotations, wantedAnnotations),
    ...(spec ? compare('spec', stored?.spec ?? {}, wanted.spec, spec) : []),
  ];
}

function appliedKeys(stored: PlumbObject | undefined): { labels: string[]; annotations: string[] } {
  try {
    const { labels = [], annotations = [] } = JSON.parse(stored?.metadata.annotations?.[APPLIED] ?? '{}');
    return { labels, annotations };
  } catch {
    return { labels: [], annotations: [] };
  }
}

function overlay(
  stored: Readonly<Record<string, unknown>> | undefined,
  owned: readonly string[],
  declared: Readonly<Record<string, unknown>> | undefined,
): Record<string, string> {
  const kept = Object.entries(stored ?? {}).filter(([key]) => !owned.includes(key));
  return Object.fromEntries([...kept, ...Object.entries(declared ?? {})]) as Record<string, string>;
}

function mergeDiff(from: Fields, to: Fields): Fields | undefined {
  const patch: Fields = {};
  for (const key of new Set([...Object.keys(from), ...Object.keys(to)])) {
    const before = from[key];
    const after = to[key];
    if (isDeepStrictEqual(before, after)) continue;
    if (after === undefined) patch[key] = null;
    else if (isFields(before) && isFields(after)) patch[key] = mergeDiff(before, after);
    else patch[key] = after;
  }
  return Object.keys(patch).length > 0 ? patch : undefined;
}

function compare(field: string, from: unknown, to: unknown, schema: SchemaNode | undefined): FieldChange[] {
  if (isDeepStrictEqual(from, to)) return [];
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
  const sensitive = isSensitive(schema) || isDeepStrictEqual(before, after);
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
