/** Who owns which fields of what is written: the record in metadata.managedFields, kept as Kubernetes keeps it. */
import { isDeepStrictEqual } from 'node:util';
import { isBuiltin, type PlumbObject } from '@plumb/schemas';
import { FieldSet } from '@plumb/schemas/apply/field-set.ts';
import type { ManagedFieldsEntry } from '@plumb/schemas/apply/managed-fields.ts';
import { type Place, trackUpdate, type Writer } from '@plumb/schemas/apply/track.ts';
import { objectType } from '@plumb/schemas/apply/type.ts';
import { timestamp } from '@plumb/schemas/meta/timestamp.ts';
import type { ApiContext, Call } from './call.ts';
import type { WriteOptions } from './options.ts';
import type { ApiRequest } from './request.ts';
import type { WritableResource } from './resource.ts';

type Entries = ManagedFieldsEntry[] | undefined;
type Value = Readonly<Record<string, unknown>>;

/** A declaration need not have a spec, and an object has one. */
const EMPTY_SPEC = FieldSet.of(['f:spec']);

/** Where objects of the resource are written. */
export function placeOf(resource: WritableResource, subresource?: 'status'): Place {
  const { definition, apiVersion, kind, finalizer } = resource;
  const place = {
    ...{ type: objectType(definition), apiVersion, kind, finalizer, filled: EMPTY_SPEC },
    isBuiltin: isBuiltin(definition),
  };
  return subresource ? { ...place, subresource } : place;
}

/** Who writes, and when. */
export function writerOf(
  { ambient }: ApiContext,
  request: ApiRequest,
  { manager }: Pick<WriteOptions, 'manager'>,
): Writer {
  const now = timestamp(ambient.clock.now());
  return { manager: manager || prefixOf(request.headers['user-agent'] ?? ''), now };
}

const MOST_MANAGER_BYTES = 128;

/** What of the client's name stands before the first slash, as far as it can be printed. */
function prefixOf(userAgent: string): string {
  const name = userAgent.split('/', 1)[0]!.replaceAll(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, '');
  let bytes = 0;
  let kept = '';
  for (const character of name) {
    bytes += Buffer.byteLength(character);
    if (bytes > MOST_MANAGER_BYTES) break;
    kept += character;
  }
  return kept;
}

/** For what changes an object by writing it: a PUT, a patch that is no apply. */
export function ownedAfterUpdate(
  context: ApiContext,
  resource: WritableResource,
  call: Call,
  options: WriteOptions,
  subresource?: 'status',
): (current: PlumbObject, object: PlumbObject, sent: unknown) => Entries {
  const place = placeOf(resource, subresource);
  const writer = writerOf(context, call.request, options);
  return (current, object, sent) => trackUpdate(place, asValue(current), asValue(object), sent, writer);
}

/** For a new object that is no apply's. */
export function ownedAfterCreate(
  context: ApiContext,
  resource: WritableResource,
  call: Call,
  options: WriteOptions,
): (object: PlumbObject, sent: unknown) => Entries {
  const place = placeOf(resource);
  const writer = writerOf(context, call.request, options);
  return (object, sent) => trackUpdate(place, undefined, asValue(object), sent, writer);
}

/** What a client sent as managedFields; null stands for nothing. */
export function sentManaged(sent: unknown): unknown {
  const metadata = (sent as { metadata?: { managedFields?: unknown } | null } | null | undefined)?.metadata;
  return metadata?.managedFields ?? undefined;
}

/** The object with these entries. When nothing but times differs from what is stored, the object as it is stored. */
export function withOwners(current: PlumbObject | undefined, object: PlumbObject, entries: Entries): PlumbObject {
  const { managedFields: _, ...metadata } = object.metadata;
  const owned: PlumbObject = { ...object, metadata: entries ? { ...metadata, managedFields: entries } : metadata };
  return current && isDeepStrictEqual(timeless(owned), timeless(current)) ? current : owned;
}

function timeless(object: PlumbObject): PlumbObject {
  const { managedFields, ...metadata } = object.metadata;
  if (!managedFields) return object;
  return { ...object, metadata: { ...metadata, managedFields: managedFields.map(({ time: _, ...entry }) => entry) } };
}

export function asValue(object: PlumbObject): Value {
  return object as unknown as Value;
}
