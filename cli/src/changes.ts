/** What would change: the declared object against the stored one, as fields for people and as a patch for the server. */
import { isDeepStrictEqual } from 'node:util';
import type { PlumbObject } from '@plumb/schemas';
import { APPLIED, fieldChanges as changesOf, type FieldChange } from '@plumb/schemas/project/field-changes.ts';
import { writtenFields } from '@plumb/schemas/project/validate-schema.ts';
import type { Manifest } from './manifests.ts';

type Fields = Record<string, unknown>;

/** An object as it will be: its metadata, and what its kind lets people write beside it. */
export interface Wanted {
  metadata: PlumbObject['metadata'];
  body: Fields;
}

/** The object as it will be: the declared spec, labels and annotations, beside those of others. */
export function desired(manifest: Manifest, stored: PlumbObject | undefined): Wanted {
  const { metadata } = manifest.defaulted;
  // Read from the server and sent back, it is no declaration.
  const { [APPLIED]: _, ...declared } = metadata.annotations ?? {};
  const before = appliedKeys(stored);
  const labels = overlay(stored?.metadata.labels, before.labels, metadata.labels);
  const annotations = overlay(stored?.metadata.annotations, [...before.annotations, APPLIED], declared);
  const applied = { labels: Object.keys(metadata.labels ?? {}), annotations: Object.keys(declared) };
  if (applied.labels.length + applied.annotations.length > 0) annotations[APPLIED] = JSON.stringify(applied);
  return { metadata: { ...metadata, labels, annotations }, body: bodyIn(manifest, manifest.defaulted) };
}

/** A merge patch (RFC 7396) that makes the stored object as desired; undefined when it is. */
export function patchFor(manifest: Manifest, stored: PlumbObject): Fields | undefined {
  const wanted = desired(manifest, stored);
  const metadata = mergeDiff(
    { labels: stored.metadata.labels ?? {}, annotations: stored.metadata.annotations ?? {} },
    { labels: wanted.metadata.labels ?? {}, annotations: wanted.metadata.annotations ?? {} },
  );
  const body = mergeDiff(bodyIn(manifest, stored), wanted.body);
  if (!metadata && !body) return undefined;
  // The uid holds the patch to this object, should another have taken its name meanwhile.
  return { metadata: { ...metadata, uid: stored.metadata.uid }, ...body };
}

function comparable({ metadata, body }: Wanted): Fields & { metadata: Wanted['metadata'] } {
  return { metadata, ...body };
}

/** What the manifest's kind lets people write beside metadata: spec, or the fields of a built-in kind. */
function bodyIn({ resource: { definition } }: Manifest, object: PlumbObject): Fields {
  const fields = object as unknown as Fields;
  const written = definition ? writtenFields(definition) : [];
  return Object.fromEntries(
    written.filter((field) => fields[field] !== undefined).map((field) => [field, fields[field]]),
  );
}

/** Field by field what differs, list-map items by their key. */
export function fieldChanges(manifest: Manifest, stored: PlumbObject | undefined): FieldChange[] {
  return changesOf(manifest.resource.definition, stored, comparable(desired(manifest, stored)));
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

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
