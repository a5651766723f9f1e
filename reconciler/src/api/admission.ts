/**
 * What a client sent becomes what is stored: metadata kept by the server, defaults, validation, generation. It is looked at as
 * JSON that was read from text, whatever road it came, so that what is validated is what is stored.
 */
import { isDeepStrictEqual } from 'node:util';
import {
  type Ambient,
  type FieldError,
  isBuiltin,
  type KindDefinition,
  type PlumbError,
  type PlumbObject,
  terminal,
} from '@plumb/schemas';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import { timestamp } from '@plumb/schemas/meta/timestamp.ts';
import { declaredObjects } from '@plumb/schemas/project/declared-objects.ts';
import { applyDefaults, dropNulls } from '@plumb/schemas/project/defaults.ts';
import { shapeErrors } from '@plumb/schemas/project/shape.ts';
import { validateObject, validateStatus } from '@plumb/schemas/project/validate.ts';
import { isBase64 } from '@plumb/schemas/project/validate-format.ts';
import { immutableErrors } from '@plumb/schemas/project/validate-immutable.ts';
import { metadataErrors, metadataTypeErrors } from '@plumb/schemas/project/validate-metadata.ts';
import { bodyOf, inputMetadata, schemaNode, writtenFields } from '@plumb/schemas/project/validate-schema.ts';
import { dropUnknownFields, dropUnknownTo } from '@plumb/schemas/project/validate-unknown.ts';
import { encodeObject } from '../store/object-codec.ts';
import { type Duplicates, duplicateSentence, duplicateWarnings, type Json } from './body/json.ts';
import type { ApiContext } from './call.ts';
import { badRequest, invalid } from './failure.ts';
import { mostBytes } from './object-size.ts';
import type { FieldValidation } from './options.ts';
import type { WritableResource } from './resource.ts';

export interface Admitted {
  object: PlumbObject;
  /** Sentences for the Warning header. */
  warnings: string[];
}

/** How a write is taken. */
export interface Taken {
  level: FieldValidation;
  limits: ServerLimits;
  /** Whether it is what a patch makes of a stored object. */
  isPatch?: boolean;
}

type Metadata = PlumbObject['metadata'];
type Sent = Record<string, unknown> & { metadata: Record<string, unknown> };

/** A new object; `sent` is taken over. `namespace` is that of the path. Throws PlumbError `Invalid` with every violation, or `BadRequest`. */
export function admitNew(
  resource: WritableResource,
  sent: Json | undefined,
  namespace: string | undefined,
  taken: Taken,
  ambient: Ambient,
): Admitted {
  const raw = placed(resource, sent, namespace);
  const { metadata } = raw;
  if (metadata.name === undefined && typeof metadata.generateName === 'string' && metadata.generateName !== '') {
    metadata.name = generatedName(metadata.generateName, ambient);
  }
  const warnings = check(resource, raw, taken);
  warnings.push(...judgeDeclared(resource, raw, taken));
  const { definition } = resource;
  const counted = !isBuiltin(definition);
  const object = {
    apiVersion: resource.apiVersion,
    kind: resource.kind,
    metadata: {
      name: metadata.name as string,
      ...(resource.scope === 'Namespaced' ? { namespace: namespace as string } : {}),
      uid: ambient.ids.uid(),
      resourceVersion: '',
      ...(counted ? { generation: 1 } : {}),
      creationTimestamp: timestamp(ambient.clock.now()),
      ...writable(metadata, resource.finalizer === undefined ? [] : [resource.finalizer]),
    },
    ...written(definition, raw),
    ...(resource.initialStatus ? { status: resource.initialStatus } : {}),
  } as PlumbObject;
  return { object: resource.completed?.(object) ?? object, warnings };
}

/** A stored object with another spec, labels, annotations, finalizers or owners; its status stays. */
export function admitChange(
  resource: WritableResource,
  current: PlumbObject,
  sent: Json | undefined,
  taken: Taken,
): Admitted {
  const { definition } = resource;
  const { isPatch = false } = taken;
  const raw = placed(resource, sent, current.metadata.namespace, current.metadata.name, isPatch);
  const fixed = isBuiltin(definition) ? () => [] : immutableErrors;
  const warnings = check(
    resource,
    raw,
    taken,
    (candidate) => [...fixed(definition, current, candidate), ...newFinalizers(current.metadata, candidate.metadata)],
    current,
  );
  const body = written(definition, raw);
  const counted = !isBuiltin(definition) && !isDeepStrictEqual(body.spec, current.spec);
  const { labels: _l, annotations: _a, finalizers: _f, ownerReferences: _o, ...kept } = current.metadata;
  // While an object lives, its controller must be able to finish it: its finalizer cannot be sent away.
  const own = resource.finalizer !== undefined && !kept.deletionTimestamp ? [resource.finalizer] : [];
  const { status } = current;
  const object = {
    apiVersion: current.apiVersion,
    kind: current.kind,
    metadata: {
      ...kept,
      ...(counted ? { generation: kept.generation + 1 } : {}),
      ...writable(raw.metadata, own),
    },
    ...body,
    ...(status === undefined ? {} : { status }),
  } as PlumbObject;
  return { object: resource.completed?.(object) ?? object, warnings };
}

/** A stored object with another status; everything else stays. */
export function admitStatus(
  resource: WritableResource,
  current: PlumbObject,
  sent: Json | undefined,
  { level, isPatch = false }: Taken,
): Admitted {
  const { definition } = resource;
  const raw = placed(resource, sent, current.metadata.namespace, current.metadata.name, isPatch);
  expectKind(resource, raw);
  if (raw.status === undefined || raw.status === null) {
    const { status: _, ...object } = current;
    return { object, warnings: [] };
  }
  const status: unknown = raw.status;
  const dropped = level === 'Strict' ? [] : dropUnknownTo(schemaNode(definition.status), status);
  const errors = validateStatus(definition, status, { strictUnknown: true });
  if (errors.length > 0) throw invalid(resource.kind, resource.group, current.metadata.name, errors);
  const warnings = level === 'Warn' ? dropped.map(({ field, message }) => `status.${field} ${message}`) : [];
  return { object: { ...current, status: status as PlumbObject['status'] }, warnings };
}

/**
 * Fields that stand twice: an error under Strict (400; in a patch 422, as Kubernetes answers), warnings under Warn.
 */
export function heedDuplicates(
  duplicates: Duplicates,
  level: FieldValidation,
  { kind, group, version }: WritableResource,
  method: string,
): string[] {
  if (duplicates.count === 0 || level === 'Ignore') return [];
  if (level === 'Warn') return duplicateWarnings(duplicates);
  const sentence = duplicateSentence(duplicates);
  if (method !== 'PATCH')
    throw badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${sentence}`);
  throw invalid(kind, group, '', [{ field: 'patch', message: `Invalid value: ${sentence}` }]);
}

/** Fields that operations of a patch do not have: an error under Strict, warnings under Warn. */
export function heedUnknown(
  paths: readonly string[],
  level: FieldValidation,
  { kind, group }: WritableResource,
): string[] {
  const sentences = paths.map((path) => `unknown field ${JSON.stringify(path)}`);
  if (level !== 'Strict') return level === 'Warn' ? sentences : [];
  if (paths.length === 0) return [];
  const message = `Invalid value: strict decoding error: ${sentences.join(', ')}`;
  throw invalid(kind, group, '', [{ field: 'patch', message }]);
}

/** The text to store. Throws PlumbError `RequestEntityTooLarge` when it is larger than what is stored. */
export function storedText(object: PlumbObject, { limits }: Pick<ApiContext, 'limits'>): string {
  const text = encodeObject(object);
  // A character is one byte or more.
  const most = mostBytes(object, limits);
  const bytes = text.length > most ? text.length : Buffer.byteLength(text);
  if (bytes <= most) return text;
  const { kind, metadata } = object;
  throw terminal(
    'RequestEntityTooLarge',
    `${kind} "${metadata.name}" would have ${bytes} bytes, and at most ${most} are stored`,
  );
}

/** Fields of metadata; null stands for absent. */
const METADATA = Object.keys(inputMetadata({ scope: 'Namespaced' }).properties!);

/** The sent value, which is taken over, as an object at the place that the path names. What it does not say is filled in. */
function placed(
  resource: WritableResource,
  sent: Json | undefined,
  namespace: string | undefined,
  name?: string,
  isPatch = false,
): Sent {
  if (!isRecord(sent)) throw badRequest(`the body is no object: send ${an(resource.kind)} as JSON`);
  if (sent.metadata !== undefined && sent.metadata !== null && !isRecord(sent.metadata)) {
    throw unreadable(resource, isPatch, [{ field: 'metadata', message: 'must be an object' }]);
  }
  if (!isPatch) expectVersion(resource, sent);
  // In place, and only what is known: what is sent may hold a hundred thousand fields that are not.
  sent.metadata ??= {};
  const { metadata } = sent as unknown as Sent;
  // Null and empty stand for absent: clients that know objects by type send both.
  for (const key of METADATA) if (metadata[key] === null) delete metadata[key];
  for (const key of ['name', 'namespace', 'generateName']) if (metadata[key] === '') delete metadata[key];
  // As a client of Go reads them that knows them as maps of strings.
  for (const key of ['labels', 'annotations']) fillNulls(metadata[key]);
  const misread = metadataTypeErrors(metadata);
  if (misread.length > 0) throw unreadable(resource, isPatch, misread);
  if (resource.scope === 'Namespaced') {
    metadata.namespace ??= namespace;
    if (metadata.namespace !== namespace) {
      throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
    }
  } else {
    // As Kubernetes: tools that write a namespace into every object write it into these, too.
    delete metadata.namespace;
  }
  if (name !== undefined) {
    metadata.name ??= name;
    if (metadata.name !== name) {
      const given = textOf(metadata.name).slice(0, 253);
      throw badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`);
    }
  }
  sent.apiVersion ??= resource.apiVersion;
  sent.kind ??= resource.kind;
  return sent as unknown as Sent;
}

/** A body that says another version than its path. Throws PlumbError `BadRequest`, as Kubernetes does. */
function expectVersion({ apiVersion }: WritableResource, sent: Record<string, unknown>): void {
  const given = sent.apiVersion ?? apiVersion;
  if (given === apiVersion) return;
  const shownVersion = textOf(given).slice(0, 80);
  throw badRequest(
    `the API version in the data (${shownVersion}) does not match the expected API version (${apiVersion})`,
  );
}

function fillNulls(map: unknown): void {
  if (!isRecord(map)) return;
  for (const key of Object.keys(map)) if (map[key] === null) map[key] = '';
}

/** What cannot be read as the object it should be: of another type than every object has there. */
function unreadable(
  { kind, group, version }: WritableResource,
  isPatch: boolean,
  errors: readonly FieldError[],
): PlumbError {
  const what = errors.map(({ field, message }) => `${field} ${message}`).join(', ');
  if (isPatch) return invalid(kind, group, '', [{ field: 'patch', message: `Invalid value: ${what}` }]);
  return badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${what}`);
}

/** Defaults and validates in place. Returns warnings; throws PlumbError `Invalid` with every violation. */
function check(
  resource: WritableResource,
  raw: Sent,
  { level, limits }: Taken,
  more: (candidate: PlumbObject) => FieldError[] = () => [],
  before?: PlumbObject,
): string[] {
  const { definition } = resource;
  if (isBuiltin(definition)) {
    dropNulls(definition, raw);
    readAsGo(resource, raw, before);
  }
  applyDefaults(definition, raw);
  const dropped = level === 'Strict' ? [] : dropUnknownFields(definition, raw);
  const errors = validateObject(definition, raw, { strictUnknown: level === 'Strict', before });
  if (errors.length === 0) errors.push(...metadataErrors(raw.metadata, limits));
  if (definition.fields || isRecord(raw.spec)) errors.push(...more(raw as unknown as PlumbObject));
  if (errors.length > 0) throw invalidAs(resource, textOf(raw.metadata.name), errors);
  return level === 'Warn' ? dropped.map(({ field, message }) => `${field} ${message}`) : [];
}

function invalidAs({ kind, group, invalidGroup }: WritableResource, name: string, errors: FieldError[]): PlumbError {
  if (invalidGroup === undefined) return invalid(kind, group, name, errors);
  return Object.assign(invalid(kind, invalidGroup, name, errors), { about: { kind, group: invalidGroup, name } });
}

/**
 * Clients of built-in kinds are told of values of another type as Kubernetes tells them, whose decoder knows the types: 400, not
 * 422. What a Secret or a RoleBinding cannot change it need not say again.
 */
function readAsGo({ definition, kind, version }: WritableResource, raw: Sent, before: PlumbObject | undefined): void {
  if (before) for (const field of definition.kept ?? []) raw[field] ??= before[field as keyof PlumbObject];
  const [wrong] = writtenFields(definition).flatMap((field) =>
    raw[field] === undefined || raw[field] === null
      ? []
      : shapeErrors(bodyOf(definition)[field]!, raw[field], field, 1),
  );
  const refuse = (why: string) => badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${why}`);
  if (wrong) throw refuse(`${wrong.field.slice(0, 200)} ${wrong.message}`);
  for (const [field, { additionalProperties: values }] of Object.entries(bodyOf(definition)))
    if (typeof values === 'object' && values.format === 'byte')
      for (const [key, text] of Object.entries((raw[field] ?? {}) as Record<string, string>))
        if (!isBase64(text.replaceAll(/[\r\n]/g, '')))
          throw refuse(`${field}[${key.slice(0, 253)}] is illegal base64 data`);
}

/** What clients write of an object, beside its metadata. */
function written(definition: KindDefinition, raw: Sent): Record<string, unknown> {
  return Object.fromEntries(
    writtenFields(definition)
      .filter((field) => raw[field] !== undefined)
      .map((field) => [field, raw[field]]),
  );
}

/** Of what is not validated whole. Throws PlumbError `Invalid` when it is an object of another kind. */
function expectKind({ apiVersion, kind, group }: WritableResource, raw: Sent): void {
  const errors: FieldError[] = [];
  for (const [field, is] of Object.entries({ apiVersion, kind }))
    if (raw[field] !== is) errors.push({ field, message: `must be ${is} here` });
  if (errors.length > 0) throw invalid(kind, group, textOf(raw.metadata.name), errors);
}

/** The objects that a new one declares; of a stored one they do not change. Returns warnings; throws PlumbError `Invalid`. */
function judgeDeclared({ definition, kind, group }: WritableResource, raw: Sent, rules: Taken): string[] {
  if (definition.declares === undefined) return [];
  const { mistakes, dropped } = declaredObjects(raw as unknown as PlumbObject, definition.declares, rules);
  if (mistakes.count > 0) throw invalid(kind, group, textOf(raw.metadata.name), mistakes.list());
  return rules.level === 'Warn' ? dropped.map(({ field, message }) => `${field} ${message}`) : [];
}

/** The part of metadata that clients write, without what is empty, so that equal things are stored equal. */
function writable(metadata: Record<string, unknown>, ownFinalizers: string[]): Partial<Metadata> {
  const sent = metadata as Partial<Metadata>;
  const finalizers = [...new Set([...(sent.finalizers ?? []), ...ownFinalizers])];
  return {
    ...(Object.keys(sent.labels ?? {}).length > 0 ? { labels: sent.labels } : {}),
    ...(Object.keys(sent.annotations ?? {}).length > 0 ? { annotations: sent.annotations } : {}),
    ...(finalizers.length > 0 ? { finalizers } : {}),
    ...((sent.ownerReferences ?? []).length > 0 ? { ownerReferences: sent.ownerReferences } : {}),
  };
}

/** A name as it may stand in a sentence: it may be anything. */
function textOf(name: unknown): string {
  return typeof name === 'string' ? name : '';
}

function newFinalizers(current: Metadata, wanted: Partial<Metadata>): FieldError[] {
  if (!current.deletionTimestamp || !Array.isArray(wanted.finalizers)) return [];
  const added = wanted.finalizers.filter((finalizer) => !current.finalizers?.includes(finalizer));
  if (added.length === 0) return [];
  const found = added.map((finalizer) => JSON.stringify(finalizer)).join(', ');
  const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${found}}`;
  return [{ field: 'metadata.finalizers', message }];
}

/** Letters and digits that cannot be taken for each other or make a word. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const MAX_NAME = 63;
const RANDOM = 5;

function generatedName(prefix: string, ambient: Ambient): string {
  let name = prefix.slice(0, MAX_NAME - RANDOM);
  for (let i = 0; i < RANDOM; i++) name += ALPHABET[Math.floor(ambient.random.next() * ALPHABET.length)];
  return name;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function an(word: string): string {
  return /^[AEIO]/.test(word) ? `an ${word}` : `a ${word}`;
}
