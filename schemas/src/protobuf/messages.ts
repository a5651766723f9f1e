/**
 * The messages of Kubernetes' built-in kinds: fields with their numbers and types, which are those of the generated.proto files of
 * k8s.io/api and k8s.io/apimachinery (v0.36). A kind that is not here is JSON only.
 *
 * A type with `?` is a pointer in Kubernetes: what is empty or 0 there was meant, and is no absent field. `[]`: repeated.
 */
import { coordinationMessages } from './messages/coordination.ts';
import { coreMessages } from './messages/core.ts';
import { DISCOVERY, discoveryMessages } from './messages/discovery.ts';
import { eventsMessages } from './messages/events.ts';
import { metaMessages } from './messages/meta.ts';
import { rbacMessages } from './messages/rbac.ts';
import { reviewMessages } from './messages/reviews.ts';

export type Scalar = 'string' | 'bool' | 'int32' | 'int64' | 'bytes' | 'time' | 'microTime' | 'json';

/** Number and type: a scalar, a map, or the name of a message. */
export type FieldEntry = readonly [number: number, type: string];
export type MessageTable = Readonly<Record<string, FieldEntry>>;
export type Messages = Readonly<Record<string, MessageTable>>;

const messages: Messages = {
  ...metaMessages,
  ...coreMessages,
  ...rbacMessages,
  ...coordinationMessages,
  ...discoveryMessages,
  ...eventsMessages,
  ...reviewMessages,
};

export type FieldType =
  | { of: 'scalar'; scalar: Scalar; pointer: boolean }
  | { of: 'map'; values: 'string' | 'bytes' | Message }
  | { of: 'message'; message: Message };

export interface Field {
  /** As in JSON. */
  name: string;
  number: number;
  repeated: boolean;
  type: FieldType;
}

export interface Message {
  name: string;
  byNumber: ReadonlyMap<number, Field>;
  byName: ReadonlyMap<string, Field>;
}

const SCALARS: ReadonlySet<string> = new Set<Scalar>([
  ...(['string', 'bool', 'int32', 'int64', 'bytes', 'time', 'microTime', 'json'] as const),
]);

const compiled = new Map<string, Message>();

/** Throws when there is none: the tables name one that they do not hold. */
export function messageOf(name: string): Message {
  const known = compiled.get(name);
  if (known) return known;
  const table = Object.hasOwn(messages, name) ? messages[name] : undefined;
  if (!table) throw new Error(`there is no message ${name}`);
  const byNumber = new Map<number, Field>();
  const byName = new Map<string, Field>();
  const message: Message = { name, byNumber, byName };
  compiled.set(name, message);
  for (const [field, [number, type]] of Object.entries(table)) {
    const repeated = type.endsWith('[]');
    const entry = { name: field, number, repeated, type: typeOf(repeated ? type.slice(0, -2) : type) };
    byNumber.set(number, entry);
    byName.set(field, entry);
  }
  return message;
}

function typeOf(text: string): FieldType {
  const values = /^map<(\w+)>$/.exec(text)?.[1];
  if (values !== undefined)
    return { of: 'map', values: values === 'string' || values === 'bytes' ? values : messageOf(values) };
  const pointer = text.endsWith('?');
  const plain = pointer ? text.slice(0, -1) : text;
  if (SCALARS.has(plain)) return { of: 'scalar', scalar: plain as Scalar, pointer };
  return { of: 'message', message: messageOf(plain) };
}

const KINDS: Readonly<Record<string, readonly string[]>> = {
  v1: ['Namespace', 'Secret', 'ConfigMap', 'ServiceAccount', 'Event', 'Status', 'DeleteOptions'],
  'rbac.authorization.k8s.io/v1': ['Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding'],
  'coordination.k8s.io/v1': ['Lease'],
  'meta.k8s.io/v1': ['PartialObjectMetadata'],
  'authorization.k8s.io/v1': [
    ...['SelfSubjectAccessReview', 'SubjectAccessReview', 'LocalSubjectAccessReview', 'SelfSubjectRulesReview'],
  ],
  'authentication.k8s.io/v1': ['SelfSubjectReview', 'TokenReview', 'TokenRequest'],
};

/** Kinds of options that clients send under whatever group they speak to. */
const OPTIONS: ReadonlySet<string> = new Set(['DeleteOptions', 'Status']);

/** The message of a kind, or of a list of it; undefined where there is none. */
export function messageOfKind(apiVersion: string, kind: string): Message | undefined {
  if (OPTIONS.has(kind) || DISCOVERY.has(kind)) return messageOf(kind);
  if (apiVersion === 'events.k8s.io/v1') {
    if (kind === 'Event') return messageOf('EventsEvent');
    return kind === 'EventList' ? listOf('EventsEvent') : undefined;
  }
  const known = Object.hasOwn(KINDS, apiVersion) ? KINDS[apiVersion]! : [];
  if (known.includes(kind)) return messageOf(kind);
  const item = kind.endsWith('List') ? kind.slice(0, -'List'.length) : '';
  return known.includes(item) ? listOf(item) : undefined;
}

const lists = new Map<string, Message>();

/** Every list is built alike. */
function listOf(item: string): Message {
  return lists.getOrInsertComputed(item, () => {
    const metadata: Field = {
      ...{ name: 'metadata', number: 1, repeated: false },
      type: { of: 'message', message: messageOf('ListMeta') },
    };
    const items: Field = {
      ...{ name: 'items', number: 2, repeated: true },
      type: { of: 'message', message: messageOf(item) },
    };
    const fields = [metadata, items];
    return {
      name: `${item}List`,
      byNumber: new Map(fields.map((field) => [field.number, field])),
      byName: new Map(fields.map((field) => [field.name, field])),
    };
  });
}

/** Kinds that have a message, with their group and version. */
export function kindsWithMessages(): { apiVersion: string; kind: string }[] {
  return Object.entries(KINDS).flatMap(([apiVersion, kinds]) => kinds.map((kind) => ({ apiVersion, kind })));
}
