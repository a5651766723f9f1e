/**
 * Keeps `metadata.managedFields` of an object as Kubernetes' API server keeps them: entries by manager, operation, version and
 * subresource, times, a bound on how many there are, and what objects get that nobody kept account of.
 *
 *   const tracked = trackApply(place, live, declaration, writer);
 *   if ('conflicts' in tracked) refuse(tracked.conflicts);
 */

import { compare } from './compare.ts';
import { byText } from './element.ts';
import { FieldSet } from './field-set.ts';
import {
  APPLIED_KEYS,
  annotationOf,
  LAST_APPLIED,
  ownedByAppliedKeys,
  ownedByLastApplied,
  withLastApplied,
  withoutAnnotation,
} from './last-applied.ts';
import {
  decodeManaged,
  encodeManaged,
  idText,
  isReset,
  type Managed,
  type ManagedFieldsEntry,
  type ManagerId,
  noManaged,
  readId,
  secondsOf,
} from './managed-fields.ts';
import { appliedOver, type Conflict, type Scope, updated } from './ownership.ts';
import type { FieldType } from './type.ts';
import { fieldsOf, withNamedFields } from './typed.ts';

/** Where objects are written: their type, the version in which they are, the subresource if it is one. */
export interface Place {
  type: FieldType;
  apiVersion: string;
  kind: string;
  subresource?: 'status';
  /** The finalizer that the server puts on new objects: it is nobody's, so that no declaration takes it away. */
  finalizer?: string | undefined;
  /** Whether it is a kind of Kubernetes' own: of these an empty record is a reset, and of others nothing that was said. */
  isBuiltin?: boolean;
  /** What the server fills in of an object that says nothing: it is nobody's where nobody kept account. */
  filled?: FieldSet;
}

export interface Writer {
  manager: string;
  /** RFC 3339, whole seconds. */
  now: string;
}

/** What an object is to apply. */
type Value = Readonly<Record<string, unknown>>;

/** Entries of managers that updated, beyond which the oldest become one. */
const MOST_UPDATERS = 10;
const OLD_UPDATERS = 'ancient-changes';
export const BEFORE_FIRST_APPLY = 'before-first-apply';
/** Managers whose notes of before are known. */
export const KUBECTL = 'kubectl';
export const PLUMB = 'plumb';

/** What nobody owns: what says which object it is, and what the server sets. */
const NOBODYS = FieldSet.of(
  ['f:apiVersion'],
  ['f:kind'],
  ['f:metadata'],
  ...[
    'name',
    'namespace',
    'creationTimestamp',
    'selfLink',
    'uid',
    'clusterName',
    'generation',
    'managedFields',
    'resourceVersion',
  ].map((name) => ['f:metadata', `f:${name}`]),
);

const NOTE = FieldSet.of(['f:metadata', 'f:annotations', `f:${APPLIED_KEYS}`]);

/** What a write on the main road, and on that of status, never changes. */
const IGNORED = { main: FieldSet.of(['f:status']), status: FieldSet.of(['f:metadata'], ['f:spec']) };

function scopeOf({ type, subresource }: Place): Scope {
  return { type, ignored: IGNORED[subresource ?? 'main'] };
}

/**
 * The entries after `writer` has written `next` in place of `live` (undefined: created it). `sent`: what the client sent as
 * managedFields; undefined: nothing.
 */
export function trackUpdate(
  place: Place,
  live: Value | undefined,
  next: Value,
  sent: unknown,
  { manager, now }: Writer,
): ManagedFieldsEntry[] | undefined {
  const managed = current(place, live, sent);
  // Of an object that nobody kept account of nothing is known, until it is first applied.
  if (managed.owners.size === 0 && live !== undefined) return undefined;
  const id = idOf(place, manager, 'Update');
  const written = live === undefined ? withoutFinalizer(place, next) : next;
  return encodeManaged(capped(afterUpdate(place, live ?? empty(place), written, managed, id, now)));
}

export interface TrackedApply {
  /** The object with what was applied, without managedFields; undefined when it stays as it is. */
  object: Value | undefined;
  entries: ManagedFieldsEntry[] | undefined;
}

/** What `declared`, applied by `writer`, makes of `live` (undefined: there is none yet). */
export function trackApply(
  place: Place,
  live: Value | undefined,
  declared: Value,
  writer: Writer,
  force: boolean,
): TrackedApply | { conflicts: Conflict[] } {
  const { manager, now } = writer;
  const noted = live ?? empty(place);
  const isNote = (name: string) => live !== undefined && annotationOf(live, name) !== undefined;
  // The note of before has become an entry: it says no more.
  const base = isNote(APPLIED_KEYS) && manager === PLUMB ? withoutAnnotation(noted, APPLIED_KEYS) : noted;
  const managed = managedAtApply(place, noted, base, writer);
  const id = idOf(place, manager, 'Apply');
  const scope = scopeOf(place);
  let result = appliedOver(scope, base, declared, managed.owners, id, force);
  if ('conflicts' in result && manager === KUBECTL) {
    const allowed = ownedByLastApplied(place.type, base);
    const left = result.conflicts.filter(({ path }) => !allowed?.has(path));
    result = left.length > 0 ? { conflicts: left } : appliedOver(scope, base, declared, managed.owners, id, true);
  }
  if ('conflicts' in result) return result;
  const { versions, times } = managed;
  versions.set(id, place.apiVersion);
  if (result.object !== undefined) times.set(id, now);
  const owners = stripped(result.owners, id);
  let object = (result.object ?? (base === noted ? undefined : base)) as Value | undefined;
  if (manager === KUBECTL && annotationOf(object ?? base, LAST_APPLIED) !== undefined)
    object = withLastApplied(object ?? base, declared);
  return { object, entries: encodeManaged({ owners, versions, times }) };
}

/**
 * The entries with which `manager` is the one who declared `declared`, as far as `live` is still as it says: taken from the managers
 * `writers` that only wrote it. As client-go's csaupgrade does, for clients that know what they declared before.
 */
export function claimed(
  place: Place,
  live: Value,
  declared: Value,
  { manager, now }: Writer,
  writers: readonly string[],
): ManagedFieldsEntry[] {
  const base = managedAtApply(place, live, live, { manager: '', now });
  const { added, modified, removed } = compare(place.type, declared, live);
  const owned = fieldsOf(place.type, declared).difference(modified).difference(added).difference(removed);
  const from = [BEFORE_FIRST_APPLY, ...writers].map((writer) => idOf(place, writer, 'Update'));
  return encodeManaged(declaredBefore(place, base, manager, owned, from)) ?? [];
}

/** Whether a manager has declared something of the object by apply. */
export function hasApplied(live: Value, manager: string): boolean {
  const entries = entriesOf(live);
  return (
    Array.isArray(entries) &&
    entries.some((one: ManagedFieldsEntry) => one.manager === manager && one.operation === 'Apply' && !one.subresource)
  );
}

/** Those who own something of it before an apply. Of an object that nobody kept account of: who its notes and fields speak of. */
function managedAtApply(place: Place, live: Value, base: Value, { manager, now }: Writer): Managed {
  let managed = known(place, entriesOf(live));
  if (managed.owners.size === 0) {
    const before = idOf(place, BEFORE_FIRST_APPLY, 'Update');
    managed = capped(afterUpdate(place, empty(place), withoutFinalizer(place, base), managed, before, now));
    if (place.filled && managed.owners.get(before)?.fields.equals(place.filled)) managed.owners.delete(before);
    if (place.subresource) return managed;
    for (const [who, owned] of [
      [KUBECTL, ownedByLastApplied(place.type, live)],
      [PLUMB, ownedByAppliedKeys(place.type, live)],
    ] as const)
      if (owned) managed = declaredBefore(place, managed, who, owned, [before]);
    return managed;
  }
  if (place.subresource || manager !== PLUMB) return managed;
  const owned = ownedByAppliedKeys(place.type, live);
  return owned ? declaredBefore(place, managed, PLUMB, owned, [idOf(place, PLUMB, 'Update')]) : managed;
}

/** With `owned` as what `manager` declared, taken from those who only wrote it. */
function declaredBefore(
  place: Place,
  managed: Managed,
  manager: string,
  owned: FieldSet,
  from: readonly string[],
): Managed {
  const { versions, times } = managed;
  const owners = new Map(managed.owners);
  const id = idOf(place, manager, 'Apply');
  const fields = owned.differenceBelow(IGNORED.main).difference(NOBODYS);
  if (fields.isEmpty) return managed;
  const before = owners.get(id);
  owners.set(id, { fields: before ? before.fields.union(fields) : fields, applied: true });
  versions.set(id, place.apiVersion);
  for (const other of from) {
    const writer = owners.get(other);
    if (!writer) continue;
    const time = times.get(other);
    if (time !== undefined && !times.has(id)) times.set(id, time);
    // What holds the declared fields goes with the last of them, and the note is no more.
    const left = writer.fields.difference(withNamedFields(place.type, fields.union(NOTE)));
    if (left.isEmpty) owners.delete(other);
    else owners.set(other, { ...writer, fields: left });
  }
  return { owners, versions, times };
}

/** What the client sent counts where it is whole; else what is stored, so that those who do not know the field do not lose it. */
function current(place: Place, live: Value | undefined, sent: unknown): Managed {
  if (place.subresource === undefined && sent !== undefined) {
    const isEmpty = Array.isArray(sent) && sent.length === 0;
    if (isReset(sent) && (place.isBuiltin || !isEmpty)) return noManaged();
    try {
      const given = decodeManaged(sent);
      if (given.owners.size > 0) return ofVersion(place, given);
    } catch {
      // As if nothing had been sent.
    }
  }
  return known(place, live && entriesOf(live));
}

function known(place: Place, entries: unknown): Managed {
  if (entries === undefined) return noManaged();
  try {
    return ofVersion(place, decodeManaged(entries));
  } catch {
    return noManaged();
  }
}

/** Without what was said of versions that are not served. */
function ofVersion({ apiVersion }: Place, managed: Managed): Managed {
  for (const [id, version] of managed.versions) if (version !== apiVersion) managed.owners.delete(id);
  return managed;
}

function afterUpdate(place: Place, live: Value, next: Value, managed: Managed, id: string, now: string): Managed {
  const own = '';
  const owners = stripped(updated(scopeOf(place), live, next, managed.owners, own), own);
  const written = owners.get(own);
  if (written) {
    owners.delete(own);
    const before = owners.get(id);
    owners.set(id, { fields: before ? written.fields.union(before.fields) : written.fields, applied: false });
    managed.versions.set(id, place.apiVersion);
    managed.times.set(id, now);
  }
  return { ...managed, owners };
}

function stripped(owners: Managed['owners'], id: string): Managed['owners'] {
  const owner = owners.get(id);
  if (!owner) return owners;
  const fields = owner.fields.difference(NOBODYS);
  if (fields.isEmpty) owners.delete(id);
  else owners.set(id, { ...owner, fields });
  return owners;
}

/** With at most ten entries of managers that updated: the oldest go into one. */
function capped(managed: Managed): Managed {
  const { owners, versions, times } = managed;
  const updaters = [...owners].filter(([, { applied }]) => !applied).map(([id]) => id);
  if (updaters.length <= MOST_UPDATERS) return managed;
  updaters.sort((a, b) => secondsOf(times.get(a)) - secondsOf(times.get(b)) || byText(a, b));
  let count = updaters.length;
  const first = new Map<string, string>();
  for (const id of updaters) {
    if (count <= MOST_UPDATERS) break;
    const apiVersion = versions.get(id)!;
    const bucket = idText({ manager: OLD_UPDATERS, operation: 'Update', apiVersion });
    const oldest = first.get(apiVersion);
    if (oldest === undefined) {
      first.set(apiVersion, id);
      continue;
    }
    if (!owners.has(bucket)) {
      owners.set(bucket, owners.get(oldest)!);
      owners.delete(oldest);
    }
    owners.set(bucket, { fields: owners.get(id)!.fields.union(owners.get(bucket)!.fields), applied: false });
    owners.delete(id);
    versions.set(bucket, apiVersion);
    const time = times.get(id);
    if (time === undefined) times.delete(bucket);
    else times.set(bucket, time);
    count--;
  }
  return managed;
}

function idOf({ apiVersion, subresource }: Place, manager: string, operation: ManagerId['operation']): string {
  return idText({ manager: manager || 'unknown', operation, apiVersion, ...(subresource ? { subresource } : {}) });
}

function withoutFinalizer({ finalizer }: Place, object: Value): Value {
  const { metadata, ...rest } = object as { metadata?: { finalizers?: unknown } };
  if (!finalizer || !Array.isArray(metadata?.finalizers)) return object;
  const { finalizers, ...others } = metadata;
  const left = (finalizers as unknown[]).filter((one) => one !== finalizer);
  return { ...rest, metadata: left.length > 0 ? { ...others, finalizers: left } : others };
}

function empty({ apiVersion, kind }: Place): Value {
  return { apiVersion, kind };
}

function entriesOf(object: Value): unknown {
  return (object.metadata as { managedFields?: unknown } | undefined)?.managedFields;
}

/** `"kubectl" using plumb.dev/v1`: a manager as it is called in a conflict. */
export function managerText(id: string): string {
  const { manager, subresource, operation, apiVersion } = readId(id);
  const named = subresource
    ? `${JSON.stringify(manager)} with subresource ${JSON.stringify(subresource)}`
    : JSON.stringify(manager);
  return operation === 'Update' ? `${named} using ${apiVersion}` : named;
}
