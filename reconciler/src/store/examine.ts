/**
 * Reads an object of the store without trusting it. What has the shape of its kind is the object; of anything else it is
 * said what is wrong, and what can be understood all the same is kept: enough to show it, to mend it and to delete it.
 *
 *   const { object, poison } = examine(kind, entry);
 *   if (object) use(object);
 *   else show(poison.problems);
 */
import {
  API_GROUP,
  apiVersionOf,
  type FieldError,
  isBuiltin,
  type KindDefinition,
  kindByName,
  messageOf,
  type PlumbObject,
} from '@plumb/schemas';
import { printable } from '@plumb/schemas/meta/printable.ts';
import { objectMeta } from '@plumb/schemas/meta/schema.ts';
import { fillDefaults } from '@plumb/schemas/project/defaults.ts';
import { hasShape, shapeErrors } from '@plumb/schemas/project/shape.ts';
import {
  bodyOf,
  hasStatus,
  type SchemaNode,
  schemaNode,
  writtenFields,
} from '@plumb/schemas/project/validate-schema.ts';
import { nestedBeyond } from './nesting.ts';
import { keyIdOf, SEALED } from './sealed/key-ring.ts';
import type { Entry } from './store.ts';

export type Examined = { object: PlumbObject; poison?: undefined } | { object?: undefined; poison: Poison };

/** A record that is no object of its kind. */
export interface Poison {
  /** Where, as a path in the object, and what is wrong there; the first few. Holds no value of the object. */
  problems: FieldError[];
  /** The uid that the record says is its own, if it can be read. */
  uid: string | undefined;
  /** What could be understood, as an object: metadata as it should be, spec and status as far as they have a shape. */
  rest: PlumbObject;
  /** Whether `rest.status` is the whole status. */
  hasStatus: boolean;
}

/** Most problems that are told of one record. */
const MOST_PROBLEMS = 10;

/** Nested deeper, a value overflows the stack of who walks through it. */
const DEEPEST = 1_000;

/** Uids are parts of keys, and of names on hosts. */
const UID = /^[A-Za-z0-9][-A-Za-z0-9._]{0,62}$/;

/** The uid in the metadata of a record that is no JSON any more; it is written before labels and other maps. */
const UID_IN_METADATA = /^[^{}]*?"uid":"([-A-Za-z0-9._]+)"/;
const NAME_IN_METADATA = /^[^{}]*?"name":"([^"]*)"/;
const METADATA = '"metadata":{';

/** The object of an entry, with its revision as resourceVersion and the defaults that it lacks; or why it is none. */
export function examine(kind: KindDefinition, entry: Entry): Examined {
  const { parsed, problem } = parse(entry.value);
  const place = placeOf(kind, entry.key);
  if (isRecord(parsed) && place) {
    fillDefaults(kind, parsed);
    const object = parsed as unknown as PlumbObject;
    if (hasShape(shapeOf(kind), parsed) && isAt(place, object) && !kind.contradiction?.(object)) {
      object.metadata.resourceVersion = String(entry.revision);
      return { object };
    }
  }
  const problems = problem ? [problem] : problemsOf(kind, place, parsed);
  return { poison: { problems, ...understood(kind, place, entry, parsed) } };
}

/**
 * The text of the record as one whose deletion was asked for: metadata as it could be understood, the rest as it is. What
 * could not be read is null, so that nobody takes it for something that never was.
 */
export function markedText(
  entry: Entry,
  { rest, hasStatus: isWholeStatus }: Poison,
  deletionTimestamp: string,
): string {
  const { parsed } = parse(entry.value);
  const { apiVersion: _a, kind: _k, metadata: _m, spec, status, ...others } = isRecord(parsed) ? parsed : {};
  const { resourceVersion: _, ...metadata } = rest.metadata;
  const hasSpec = rest.spec !== undefined;
  return JSON.stringify({
    apiVersion: rest.apiVersion,
    kind: rest.kind,
    metadata: { ...metadata, deletionTimestamp },
    ...(hasSpec ? { spec: spec ?? null, status: isWholeStatus ? status : (status ?? null) } : others),
  });
}

/** What is said of a record on which reading itself failed with `thrown`. */
export function unreadable(kind: KindDefinition, entry: Entry, thrown: unknown): Poison {
  const message = `cannot be read: ${printable(thrown instanceof Error ? messageOf(thrown) : 'no error was thrown', 200)}`;
  const place = placeOf(kind, entry.key);
  return {
    problems: [{ field: 'the record', message }],
    ...understood(kind, place, entry, undefined),
  };
}

/** Whether this may be the uid of an object. */
export function isUid(value: unknown): value is string {
  return typeof value === 'string' && UID.test(value);
}

interface Place {
  name: string;
  namespace: string | undefined;
}

/** Whether an object of the kind can lie at the key, so that clients can name it. */
export function isKeyOf(kind: KindDefinition, key: string): boolean {
  return placeOf(kind, key) !== undefined;
}

/** The name and namespace that a key stands for; undefined for one that no object of the kind can have. */
function placeOf({ plural, scope }: KindDefinition, key: string): Place | undefined {
  const start = '/objects/'.length + plural.length + 1;
  const slash = key.indexOf('/', start);
  if (slash < 0 || slash === key.length - 1 || key.indexOf('/', slash + 1) >= 0) return undefined;
  const namespace = key.slice(start, slash);
  if ((namespace === '') !== (scope === 'Cluster')) return undefined;
  return { name: key.slice(slash + 1), namespace: namespace || undefined };
}

function isAt({ name, namespace }: Place, { metadata }: PlumbObject): boolean {
  return metadata.name === name && metadata.namespace === namespace && UID.test(metadata.uid);
}

function parse(value: string): { parsed?: unknown; problem?: FieldError } {
  if (nestedBeyond(value, DEEPEST))
    return { problem: { field: 'the record', message: `is nested more than ${DEEPEST} deep` } };
  try {
    return { parsed: JSON.parse(value) as unknown };
  } catch {
    if (value.startsWith(SEALED))
      return {
        problem: {
          field: 'the record',
          message: `is encrypted, and the server has not the key ${keyIdOf(value).slice(0, 16)} that it was encrypted with, or it was changed: give the server the key file that it was written with`,
        },
      };
    // What the parser says repeats the text, which may hold a secret.
    return { problem: { field: 'the record', message: `is not JSON (${value.length} characters)` } };
  }
}

const shapes = new WeakMap<KindDefinition, SchemaNode>();

/** The stored object: without resourceVersion, which is the revision of the entry. */
function shapeOf(kind: KindDefinition): SchemaNode {
  return shapes.getOrInsertComputed(kind, () => ({
    type: 'object',
    required: ['apiVersion', 'kind', 'metadata', ...(kind.fields ? [] : ['spec'])],
    properties: {
      apiVersion: { type: 'string', enum: [apiVersionOf(kind)] },
      kind: { type: 'string', enum: [kind.kind] },
      metadata: isBuiltin(kind) ? builtinMetadata : storedMetadata,
      ...bodyOf(kind),
    },
  }));
}

const storedMetadata: SchemaNode = {
  ...schemaNode(objectMeta),
  required: objectMeta.required.filter((name) => name !== 'resourceVersion'),
};

/** Kubernetes counts generations of few of its own kinds. */
const builtinMetadata: SchemaNode = {
  ...storedMetadata,
  required: storedMetadata.required!.filter((name) => name !== 'generation'),
};

function problemsOf(kind: KindDefinition, place: Place | undefined, parsed: unknown): FieldError[] {
  const apiVersion = apiVersionOf(kind);
  if (!place) return [{ field: 'the key of the record', message: `is none that ${an(kind.kind)} can have` }];
  if (!isRecord(parsed)) return [{ field: 'the record', message: 'is no JSON object' }];
  if (parsed.apiVersion !== apiVersion && typeof parsed.apiVersion === 'string') {
    const given = printable(parsed.apiVersion, 63);
    const message = `is ${given}, and this Plumb knows ${apiVersion}: run the Plumb that wrote the object, or a newer one`;
    return [{ field: 'apiVersion', message }];
  }
  const errors = shapeErrors(shapeOf(kind), parsed, '', MOST_PROBLEMS).map(({ field, message }) => ({
    field: printable(field.slice(1), 200),
    message,
  }));
  if (errors.length > 0) return errors;
  if (!isUid((parsed.metadata as { uid?: unknown }).uid)) return [{ field: 'metadata.uid', message: 'is no uid' }];
  const contradiction = kind.contradiction?.(parsed as unknown as PlumbObject);
  if (contradiction) return [contradiction];
  return [
    { field: 'metadata', message: `names another object than the key of the record, which is that of ${place.name}` },
  ];
}

/** What of the record is as it must be. */
function understood(
  kind: KindDefinition,
  place: Place | undefined,
  { key, value, revision }: Entry,
  parsed: unknown,
): Pick<Poison, 'uid' | 'rest' | 'hasStatus'> {
  const record = isRecord(parsed) ? parsed : {};
  const given = isRecord(record.metadata) ? record.metadata : {};
  const named = isOfAnother(kind, place, record, given) ? undefined : given.uid;
  const uid = parsed === undefined ? uidIn(value, place) : isUid(named) ? named : undefined;
  const metadata: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(storedMetadata.properties ?? {}))
    if (given[name] !== undefined && hasShape(schema, given[name])) metadata[name] = given[name];
  const [name, namespace] = place ? [place.name, place.namespace] : [key.slice(key.lastIndexOf('/') + 1), undefined];
  const isWholeStatus = record.status === undefined ? parsed !== undefined : isWhole(kind, uid, record.status);
  const rest = {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: {
      ...(isBuiltin(kind) ? {} : { generation: 0 }),
      creationTimestamp: '1970-01-01T00:00:00Z',
      ...metadata,
      name,
      namespace,
      uid: uid ?? '',
      resourceVersion: String(revision),
    },
    ...(kind.fields ? fieldsIn(kind, record) : { spec: isRecord(record.spec) ? record.spec : {} }),
    ...(record.status !== undefined && isWholeStatus ? { status: record.status } : {}),
  } as PlumbObject;
  if (namespace === undefined) delete rest.metadata.namespace;
  if (rest.metadata.finalizers) rest.metadata.finalizers = rest.metadata.finalizers.filter((one) => isOf(kind, one));
  return { uid, rest, hasStatus: isWholeStatus };
}

/** The fields of its own that have their shape. */
function fieldsIn(kind: KindDefinition, record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const fields = schemaNode(kind.fields!).properties!;
  const whole = writtenFields(kind).filter(
    (name) => record[name] !== undefined && hasShape(fields[name]!, record[name]),
  );
  return Object.fromEntries(whole.map((name) => [name, record[name]]));
}

function isWhole(kind: KindDefinition, uid = '', status: unknown): boolean {
  if (!hasStatus(kind) || !hasShape(schemaNode(kind.status), status)) return false;
  return kind.contradiction?.({ metadata: { uid }, status } as PlumbObject) === undefined;
}

/** A record that names another object has the uid of that one: what lives under it is not for this one to keep or to remove. */
function isOfAnother(
  kind: KindDefinition,
  place: Place | undefined,
  record: Record<string, unknown>,
  { name, namespace }: Record<string, unknown>,
): boolean {
  if (typeof record.kind === 'string' && record.kind !== kind.kind && kindByName(record.kind)) return true;
  if (typeof name === 'string' && name !== place?.name) return true;
  return typeof namespace === 'string' && namespace !== place?.namespace;
}

/** Whether somebody takes the finalizer away from an object of the kind: ours of other kinds nobody does. */
function isOf(kind: KindDefinition, finalizer: string): boolean {
  return !finalizer.startsWith(`${API_GROUP}/`) || finalizer === `${API_GROUP}/${kind.kind.toLowerCase()}`;
}

function uidIn(text: string, place: Place | undefined): string | undefined {
  const at = text.indexOf(METADATA);
  if (at < 0) return undefined;
  const metadata = text.slice(at + METADATA.length, at + 1_000);
  const name = NAME_IN_METADATA.exec(metadata)?.[1];
  if (name !== undefined && name !== place?.name) return undefined;
  const uid = UID_IN_METADATA.exec(metadata)?.[1];
  return isUid(uid) ? uid : undefined;
}

function an(word: string): string {
  return /^[AEIO]/.test(word) ? `an ${word}` : `a ${word}`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
