/**
 * Objects as the store keeps them: JSON text whose resourceVersion is not inside but is the revision of the entry.
 * The text always begins with apiVersion, kind and metadata, so that the revision can be put in without parsing.
 */
import { API_GROUP_VERSION, type PlumbObject, retryable } from '@plumb/schemas';
import { keys } from './keys.ts';
import { parsedRecord } from './parsed.ts';
import type { Entry, Op } from './store.ts';

const METADATA = '"metadata":{';

/** Type of the condition that says what is wrong with the record itself: worked out when it is read, never stored. */
export const POISONED = 'Poisoned';

/** The text to store. Whatever resourceVersion the object bears is left out, and what is never stored. */
export function encodeObject(object: PlumbObject): string {
  const { resourceVersion: _, ...metadata } = object.metadata;
  const { apiVersion, kind, metadata: _metadata, status, ...body } = object;
  return JSON.stringify({ apiVersion, kind, metadata, ...body, status: storable(status) });
}

function storable(status: PlumbObject['status']): PlumbObject['status'] {
  const conditions = status?.conditions;
  if (!conditions?.some(({ type }) => type === POISONED)) return status;
  return { ...status, conditions: conditions.filter(({ type }) => type !== POISONED) };
}

/** The object, being deleted from `deletionTimestamp` on: deletion is a change of what is wanted, and counts as one. */
export function markedForDeletion(object: PlumbObject, deletionTimestamp: string): PlumbObject {
  const { generation, deletionTimestamp: already, ...metadata } = object.metadata;
  if (already !== undefined) return object;
  return {
    ...object,
    metadata: {
      ...metadata,
      // Built-in kinds do not count.
      ...(generation === undefined ? {} : { generation: generation + 1 }),
      ...{ deletionTimestamp, deletionGracePeriodSeconds: 0 },
    } as PlumbObject['metadata'],
  };
}

/** Whether somebody must let go of the object before it can go. A namespace is also held by what is in it. */
export function isHeld({ kind, metadata, spec }: Pick<PlumbObject, 'kind' | 'metadata'> & { spec?: unknown }): boolean {
  if (metadata.finalizers !== undefined && metadata.finalizers.length > 0) return true;
  if (kind !== 'Namespace') return false;
  const { finalizers } = (spec ?? {}) as { finalizers?: unknown };
  return Array.isArray(finalizers) && finalizers.length > 0;
}

/** The object of an entry, with the entry's revision as its resourceVersion. */
export function decodeObject<T extends PlumbObject = PlumbObject>(entry: Pick<Entry, 'value' | 'revision'>): T {
  const object = JSON.parse(entry.value) as T;
  object.metadata.resourceVersion = String(entry.revision);
  return object;
}

/** The stored text with its resourceVersion inside, as clients get it. Does not parse. */
export function objectText(entry: Pick<Entry, 'value' | 'revision'>): string {
  const at = entry.value.indexOf(METADATA) + METADATA.length;
  if (at < METADATA.length) throw retryable('StoreCorrupt', `an entry of revision ${entry.revision} is not an object`);
  // What was only tried has none.
  if (entry.revision === 0) return entry.value;
  return `${entry.value.slice(0, at)}"resourceVersion":"${entry.revision}",${entry.value.slice(at)}`;
}

/**
 * Whether the object of the entry is being deleted; false when that cannot be read. Most are not, and their texts do not even
 * hold the word: nothing is parsed for them.
 */
export function isBeingDeleted(entry: Pick<Entry, 'value'>): boolean {
  if (!entry.value.includes('"deletionTimestamp"')) return false;
  try {
    return (JSON.parse(entry.value) as PlumbObject).metadata.deletionTimestamp !== undefined;
  } catch {
    return false;
  }
}

/** What is kept of a removed object: whatever lives under its uid may be removed from hosts. */
export interface DeletionRecord {
  kind: string;
  namespace?: string;
  name: string;
  uid: string;
  /** When the object was removed from the store (RFC 3339). */
  deletedAt: string;
  /** Hosts that were off then, and may have something of it when they come back. Absent: none. */
  left?: string[];
}

const deletionSchema = { type: 'object', properties: { left: { type: 'array', items: { type: 'string' } } } };

/** The record of a deletion; undefined when it cannot be read. */
export function readDeletion(value: string): DeletionRecord | undefined {
  return parsedRecord<DeletionRecord>(deletionSchema, value);
}

/**
 * The ops that remove an object from the store: the object goes and its deletion record comes, in one batch.
 * `now`: milliseconds since the epoch. `left`: hosts that may have something of it and are off.
 */
export function removalOps(key: string, object: PlumbObject, now: number, left: readonly string[] = []): Op[] {
  const { namespace, name, uid } = object.metadata;
  const record: DeletionRecord = {
    ...{ kind: object.kind, namespace, name, uid, deletedAt: new Date(now).toISOString() },
    ...(left.length > 0 ? { left: [...left] } : {}),
  };
  const removal: Op = { type: 'delete', key };
  // Nothing of a built-in kind lives on hosts.
  if (object.apiVersion !== API_GROUP_VERSION) return [removal];
  // Of what has no uid nothing lives anywhere.
  return uid === '' ? [removal] : [removal, { type: 'put', key: keys.deleted(uid), value: JSON.stringify(record) }];
}
