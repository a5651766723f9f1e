/** Comparing what was asked for with what is stored. */

import { keys } from '@plumb/reconciler/store/keys.ts';
import type { PlumbObject } from '@plumb/schemas';
import { kindByName } from '@plumb/schemas';
import type { Named } from './actions.ts';

type Fields = Record<string, unknown>;

/** The key under which it lies in the store. */
export function keyOf({ kind, name, namespace }: Named): string {
  if (kind === 'Namespace') return namespaceKey(name);
  const { plural, scope } = kindByName(kind)!;
  return keys.object(plural, scope === 'Namespaced' ? (namespace ?? 'default') : undefined, name);
}

export function namespaceKey(name: string): string {
  return keys.object('namespaces', undefined, name);
}

/** Of the ServiceAccount that a namespace has from the start. */
export function accountKey(namespace: string): string {
  return keys.object('serviceaccounts', namespace, 'default');
}

/** It comes and goes with its namespace, and holds it up for nobody. */
export function isDefaultAccount(object: PlumbObject | undefined): boolean {
  return object?.kind === 'ServiceAccount' && object.metadata.name === 'default';
}

/** Whether every field of `wanted` is in `actual` as it was asked for; fields beside them are defaults. */
export function covers(actual: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted))
    return (
      Array.isArray(actual) && actual.length === wanted.length && wanted.every((item, i) => covers(actual[i], item))
    );
  if (typeof wanted === 'object' && wanted !== null)
    return (
      typeof actual === 'object' &&
      actual !== null &&
      Object.entries(wanted).every(([field, value]) => covers((actual as Fields)[field], value))
    );
  return actual === wanted;
}

/** What a merge patch makes of it (RFC 7396). */
export function merged(before: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const after: Fields = typeof before === 'object' && before !== null && !Array.isArray(before) ? { ...before } : {};
  for (const [field, value] of Object.entries(patch))
    if (value === null) delete after[field];
    else after[field] = merged(after[field], value);
  return after;
}

/** What of an object people declare, as text. */
export function declared({ metadata, spec }: PlumbObject): string {
  return JSON.stringify([spec, metadata.labels ?? {}, metadata.annotations ?? {}]);
}

/** Whether a field that is fixed at creation would change. A field with a default cannot be taken away. */
export function changesWhatIsFixed(object: PlumbObject, wanted: unknown): boolean {
  const at = (value: unknown, path: string) =>
    path.split('.').reduce<unknown>((inner, field) => (inner as Fields | undefined)?.[field], value);
  return (kindByName(object.kind)?.immutable ?? []).some((path) => {
    const [before, after] = [at(object.spec, path), at(wanted, path)];
    return (
      !(after === undefined && isDefault(object.kind, path, before)) && JSON.stringify(before) !== JSON.stringify(after)
    );
  });
}

function isDefault(kind: string, path: string, value: unknown): boolean {
  const schema = kindByName(kind)?.spec.properties[path] as { default?: unknown } | undefined;
  return schema !== undefined && 'default' in schema && schema.default === value;
}
