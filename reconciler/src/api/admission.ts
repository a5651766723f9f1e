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
import {
  distinctOwners,
  judgeChangedMetadata,
  judgeNewMetadata,
  metadataWarnings,
  nameProblems,
} from '@plumb/schemas/project/object-meta-rules.ts';
import { shapeErrors } from '@plumb/schemas/project/shape.ts';
import { validateServed, validateStatus } from '@plumb/schemas/project/validate.ts';
import { isBase64 } from '@plumb/schemas/project/validate-format.ts';
import { fixedErrors } from '@plumb/schemas/project/validate-immutable.ts';
import { untried } from '@plumb/schemas/project/validate-kubernetes-words.ts';
import { Mistakes } from '@plumb/schemas/project/validate-mistakes.ts';
import { bodyOf, writtenFields } from '@plumb/schemas/project/validate-schema.ts';
import { encodeObject } from '../store/object-codec.ts';
import type { Json } from './body/json.ts';
import { expectKind } from './body/type-meta.ts';
import type { ApiContext } from './call.ts';
import { badRequest, invalid } from './failure.ts';
import { mostBytes } from './object-size.ts';
import { isRecord, type Reading, readObject, type Sent } from './read-object.ts';
import type { WritableResource } from './resource.ts';

export interface Admitted {
  object: PlumbObject;
  /** Sentences for the Warning header. */
  warnings: string[];
}

/** How a write is taken. */
export interface Taken extends Reading {
  limits: ServerLimits;
  /** Looks at the metadata once it is read, before the object is judged: what it throws ends the write. */
  expect?(metadata: Sent['metadata']): void;
}

type Metadata = PlumbObject['metadata'];

/** A new object; `sent` is taken over. `namespace` is that of the path. Throws PlumbError `Invalid` with every violation, or `BadRequest`. */
export function admitNew(
  resource: WritableResource,
  sent: Json | undefined,
  namespace: string | undefined,
  taken: Taken,
  ambient: Ambient,
): Admitted {
  const { raw, warnings } = readObject(resource, sent, { namespace }, taken);
  const { metadata } = raw;
  if (metadata.name === undefined && typeof metadata.generateName === 'string' && metadata.generateName !== '') {
    metadata.name = generatedName(metadata.generateName, ambient);
  }
  warnings.push(...check(resource, raw, taken), ...judgeDeclared(resource, raw, taken));
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
  const { namespace, name } = current.metadata;
  const { raw, warnings } = readObject(resource, sent, { namespace, name }, taken);
  taken.expect?.(raw.metadata);
  warnings.push(...check(resource, raw, taken, current));
  const body = written(definition, raw);
  const counted = !isBuiltin(definition) && !isDeepStrictEqual(body.spec, current.spec);
  const {
    labels: _l,
    annotations: _a,
    finalizers: _f,
    ownerReferences: _o,
    generateName: _g,
    ...kept
  } = current.metadata;
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
  taken: Taken,
): Admitted {
  const { definition, kind, group } = resource;
  const { namespace, name } = current.metadata;
  const { raw, warnings } = readObject(resource, sent, { namespace, name }, { ...taken, isStatus: true });
  taken.expect?.(raw.metadata);
  expectKind(resource, raw, name);
  const mistakes = new Mistakes();
  judgeChangedMetadata(raw.metadata, current.metadata, taken.limits, mistakes);
  const { status } = raw;
  const isGone = status === undefined || status === null;
  if (!isGone) mistakes.take(validateStatus(definition, status, { strictUnknown: false }));
  const errors = mistakes.list();
  if (errors.length > 0) throw invalid(kind, group, name, withUntried(definition, errors));
  if (!isGone) return { object: { ...current, status: status as PlumbObject['status'] }, warnings };
  const { status: _, ...object } = current;
  return { object, warnings };
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

/** Defaults and judges in place. Returns warnings; throws PlumbError `Invalid` with every violation. */
function check(resource: WritableResource, raw: Sent, { limits }: Taken, before?: PlumbObject): string[] {
  const { definition } = resource;
  const { metadata } = raw;
  const hasBody = definition.fields !== undefined || (raw.spec !== undefined && raw.spec !== null);
  if (isBuiltin(definition)) {
    dropNulls(definition, raw);
    readAsGo(resource, raw, before);
  }
  const named = typeof metadata.name === 'string' ? metadata.name : '';
  expectKind(resource, raw, named);
  applyDefaults(definition, raw);
  const mistakes = new Mistakes();
  if (before) judgeChangedMetadata(metadata, before.metadata, limits, mistakes);
  else judgeNewMetadata(metadata, nameProblems(definition), limits, mistakes);
  const ofBody = validateServed(definition, raw, before);
  // An object without its spec lacks that, and not every field of it.
  const lacks = !hasBody && ofBody.some(({ field }) => field.startsWith('spec.'));
  mistakes.take(lacks ? [{ field: 'spec', message: 'Required value', reason: 'FieldValueRequired' as const }] : ofBody);
  const errors = mistakes.list();
  const all = withUntried(definition, errors);
  // What was before is compared where everything else holds.
  if (before && all === errors && isRecord(raw.spec) && !isBuiltin(definition))
    errors.push(...fixedErrors(definition, before, raw as unknown as PlumbObject));
  if (all.length > 0) throw invalidAs(resource, named, all);
  const warnings = metadataWarnings(metadata);
  if (Array.isArray(metadata.ownerReferences))
    metadata.ownerReferences = distinctOwners(metadata.ownerReferences).distinct;
  return warnings;
}

/** Says so where rules on what the object was before were not tried. */
function withUntried(definition: KindDefinition, errors: FieldError[]): FieldError[] {
  const said = definition.immutable.length > 0 && !isBuiltin(definition) ? untried(errors) : undefined;
  return said ? [...errors, said] : errors;
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

/** The objects that a new one declares; of a stored one they do not change. Returns warnings; throws PlumbError `Invalid`. */
function judgeDeclared({ definition, kind, group }: WritableResource, raw: Sent, rules: Taken): string[] {
  if (definition.declares === undefined) return [];
  const { mistakes, dropped } = declaredObjects(raw as unknown as PlumbObject, definition.declares, rules);
  if (mistakes.count > 0) throw invalid(kind, group, String(raw.metadata.name), mistakes.list());
  return rules.level === 'Warn' ? dropped.map(({ field, message }) => `${field} ${message}`) : [];
}

/** The part of metadata that clients write, without what is empty, so that equal things are stored equal. */
function writable(metadata: Record<string, unknown>, ownFinalizers: string[]): Partial<Metadata> {
  const sent = metadata as Partial<Metadata>;
  const finalizers = [...new Set([...(sent.finalizers ?? []), ...ownFinalizers])];
  return {
    ...(sent.generateName ? { generateName: sent.generateName } : {}),
    ...(Object.keys(sent.labels ?? {}).length > 0 ? { labels: sent.labels } : {}),
    ...(Object.keys(sent.annotations ?? {}).length > 0 ? { annotations: sent.annotations } : {}),
    ...(finalizers.length > 0 ? { finalizers } : {}),
    ...((sent.ownerReferences ?? []).length > 0 ? { ownerReferences: sent.ownerReferences?.map(withoutNulls) } : {}),
  };
}

/** Flags that are null are not set. */
function withoutNulls<T extends object>(reference: T): T {
  return Object.fromEntries(Object.entries(reference).filter(([, value]) => value !== null)) as T;
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
