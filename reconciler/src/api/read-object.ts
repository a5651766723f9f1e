/**
 * What a client sent, read as an object at the place that the path names: which kind and version it is, its metadata, and which of
 * its fields nobody knows. In the order, and in the words, in which a Kubernetes API server reads it.
 */
import type { FieldError, KindDefinition, PlumbError } from '@plumb/schemas';
import { unreadableMetadata } from '@plumb/schemas/project/object-meta-read.ts';
import { inputMetadata, schemaNode } from '@plumb/schemas/project/validate-schema.ts';
import { dropUnknownFields, dropUnknownTo } from '@plumb/schemas/project/validate-unknown.ts';
import { type Duplicates, duplicateSentences, type Json } from './body/json.ts';
import {
  expectPatched,
  expectVersion,
  goType,
  saysItself,
  unreadablePatch,
  unrecognizedBody,
} from './body/type-meta.ts';
import { badRequest } from './failure.ts';
import type { FieldValidation } from './options.ts';
import type { WritableResource } from './resource.ts';

export type Sent = Record<string, unknown> & { metadata: Record<string, unknown> };

/** How what was sent is read. */
export interface Reading {
  level: FieldValidation;
  /** Whether the client did not say how strictly: then it is told what it probably meant. */
  hints?: boolean | undefined;
  /** Whether it is what a patch makes of a stored object. */
  isPatch?: boolean | undefined;
  /** What is wrong with the fields of the body as it was sent: see {@link strictSentences}. */
  found?: readonly string[] | undefined;
  /** Whether only the status of it counts. */
  isStatus?: boolean | undefined;
}

export interface Place {
  namespace: string | undefined;
  /** Absent of what is new. */
  name?: string | undefined;
}

/** Fields of metadata; null stands for absent. */
const METADATA = Object.keys(inputMetadata({ scope: 'Namespaced' }).properties!);

/**
 * The sent value, which is taken over. What the path says and it does not is filled in. Returns sentences for the Warning header.
 * Throws PlumbError `BadRequest`, or `Invalid` for a patch.
 */
export function readObject(
  resource: WritableResource,
  sent: Json | undefined,
  place: Place,
  reading: Reading,
): { raw: Sent; warnings: string[] } {
  const { isPatch = false } = reading;
  if (!isRecord(sent)) throw noObject(resource, sent, isPatch);
  if (isPatch) expectPatched(resource, sent);
  else expectVersion(resource, sent);
  const misread = unreadableMetadata(sent.metadata);
  if (misread !== undefined) throw unreadable(resource, isPatch, misread);
  // In place, and only what is known: what is sent may hold a hundred thousand fields that are not.
  sent.metadata ??= {};
  const raw = sent as unknown as Sent;
  const { metadata } = raw;
  // As Kubernetes: tools that write a namespace into every object write it into these, too.
  if (resource.scope === 'Cluster') delete metadata.namespace;
  const warnings = heedUnknown(resource, raw, reading);
  // Null and empty stand for absent: clients that know objects by type send both.
  for (const key of METADATA) if (metadata[key] === null) delete metadata[key];
  for (const key of ['name', 'namespace', 'generateName']) if (metadata[key] === '') delete metadata[key];
  // As a client of Go reads them that knows them as maps of strings.
  for (const key of ['labels', 'annotations']) fillNulls(metadata[key]);
  if (Array.isArray(metadata.finalizers)) metadata.finalizers = metadata.finalizers.map((one) => one ?? '');
  settle(resource, metadata, place);
  if (!saysItself(resource)) {
    sent.apiVersion ||= resource.apiVersion;
    sent.kind ||= resource.kind;
  }
  return { raw, warnings };
}

/** Holds namespace and name against the path. Throws PlumbError `BadRequest`. */
function settle(resource: WritableResource, metadata: Sent['metadata'], { namespace, name }: Place): void {
  if (resource.scope === 'Namespaced') {
    metadata.namespace ??= namespace;
    if (metadata.namespace !== namespace)
      throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (name === undefined) return;
  if (metadata.name === undefined)
    throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  if (metadata.name !== name) {
    const given = String(metadata.name).slice(0, 253);
    throw badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`);
  }
}

function noObject(resource: WritableResource, sent: unknown, isPatch: boolean): PlumbError {
  const into =
    'Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';
  const why =
    sent === undefined
      ? `couldn't get version/kind; json parse error: unexpected end of JSON input`
      : sent === null
        ? `Object 'Kind' is missing`
        : `couldn't get version/kind; json parse error: json: cannot unmarshal ${goType(sent)} into ${into}`;
  return isPatch ? unreadablePatch(why) : unrecognizedBody(resource, why);
}

function fillNulls(map: unknown): void {
  if (!isRecord(map)) return;
  for (const key of Object.keys(map)) if (map[key] === null) map[key] = '';
}

/** What cannot be read as the object it should be. */
function unreadable({ kind, version }: WritableResource, isPatch: boolean, why: string): PlumbError {
  if (isPatch) return unreadablePatch(why);
  return badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${why}`);
}

/** Characters of a path that are told. */
const MOST_PATH = 256;

/** Takes away the fields that are not known. Returns warnings; throws when they are mistakes. */
function heedUnknown(resource: WritableResource, raw: Sent, reading: Reading): string[] {
  const { level, hints = false, isPatch = false, found = [], isStatus = false } = reading;
  const { definition } = resource;
  const dropped = [...dropUnknownFields(definition, raw), ...(isStatus ? unknownOfStatus(definition, raw) : [])];
  if (level === 'Ignore' || (dropped.length === 0 && found.length === 0)) return [];
  const sentences = [...found, ...sorted(dropped).map((error) => sentenceOf(error, hints))];
  if (level === 'Warn') return sentences;
  throw unreadable(resource, isPatch, `strict decoding error: ${sentences.join(', ')}`);
}

function unknownOfStatus({ status: schema }: KindDefinition, { status }: Sent): FieldError[] {
  return dropUnknownTo(schemaNode(schema), status).map(({ field, message }) => ({ field: `status.${field}`, message }));
}

/** Metadata first, as it is read first. */
function sorted(errors: readonly FieldError[]): FieldError[] {
  const rank = ({ field, message }: FieldError) =>
    /^and .* more$/.test(message) ? 2 : field.startsWith('metadata.') ? 0 : 1;
  return [...errors].sort((a, b) => rank(a) - rank(b) || (a.field < b.field ? -1 : a.field > b.field ? 1 : 0));
}

const NOT_KNOWN = 'is not a known field';

function sentenceOf({ field, message }: FieldError, hints: boolean): string {
  if (!message.startsWith(NOT_KNOWN)) return message;
  const sentence = `unknown field ${JSON.stringify(field.slice(0, MOST_PATH))}`;
  return hints ? `${sentence}${message.slice(NOT_KNOWN.length)}` : sentence;
}

/** What is wrong with the fields of a body, whatever it is made into: such as stand twice, and such as operations do not have. */
export function strictSentences(
  duplicates: Duplicates,
  unknown: readonly string[] = [],
  isJsonPatch = false,
): readonly string[] {
  const all = [...duplicateSentences(duplicates), ...unknown.map((path) => `unknown field ${JSON.stringify(path)}`)];
  return isJsonPatch ? all.map((sentence) => `json patch ${sentence}`) : all;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
