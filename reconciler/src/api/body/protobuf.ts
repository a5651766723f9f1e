/**
 * Bodies in Kubernetes' protobuf form. Clients that know built-in kinds by type (kubectl, controller-runtime) send them for
 * namespaces, reviews and options of a deletion, whatever the server says it takes. Answers are JSON, which they read as well.
 *
 * The form: four bytes `k8s\0`, then a runtime.Unknown that holds the object's own message. Field numbers are those of
 * the generated.proto files of k8s.io/apimachinery and k8s.io/api. All that a client can wish is decoded; what only a server
 * says of an object (generation, times, managedFields) is not.
 */
import { terminal } from '@plumb/schemas';
import protobuf from 'protobufjs/light.js';
import { badRequest } from '../failure.ts';

const MAGIC = Buffer.from('k8s\0');

const field = (id: number, type = 'string') => ({ id, type });
const list = (id: number, type = 'string') => ({ id, type, rule: 'repeated' });
const map = (id: number) => ({ id, type: 'string', keyType: 'string' });

const root = protobuf.Root.fromJSON({
  nested: {
    TypeMeta: { fields: { apiVersion: field(1), kind: field(2) } },
    Unknown: { fields: { typeMeta: field(1, 'TypeMeta'), raw: field(2, 'bytes'), contentEncoding: field(3) } },
    OwnerReference: {
      fields: {
        kind: field(1),
        name: field(3),
        uid: field(4),
        apiVersion: field(5),
        controller: field(6, 'bool'),
        blockOwnerDeletion: field(7, 'bool'),
      },
    },
    ObjectMeta: {
      fields: {
        name: field(1),
        generateName: field(2),
        namespace: field(3),
        uid: field(5),
        resourceVersion: field(6),
        labels: map(11),
        annotations: map(12),
        ownerReferences: list(13, 'OwnerReference'),
        finalizers: list(14),
      },
    },
    NamespaceSpec: { fields: { finalizers: list(1) } },
    NamespaceStatus: { fields: { phase: field(1) } },
    Namespace: {
      fields: {
        metadata: field(1, 'ObjectMeta'),
        spec: field(2, 'NamespaceSpec'),
        status: field(3, 'NamespaceStatus'),
      },
    },
    Preconditions: { fields: { uid: field(1), resourceVersion: field(2) } },
    DeleteOptions: {
      fields: {
        gracePeriodSeconds: field(1, 'int64'),
        preconditions: field(2, 'Preconditions'),
        orphanDependents: field(3, 'bool'),
        propagationPolicy: field(4),
        dryRun: list(5),
        ignoreStoreReadErrorWithClusterBreakingPotential: field(6, 'bool'),
      },
    },
    SelfSubjectReview: { fields: { metadata: field(1, 'ObjectMeta') } },
    ResourceAttributes: {
      fields: {
        namespace: field(1),
        verb: field(2),
        group: field(3),
        version: field(4),
        resource: field(5),
        subresource: field(6),
        name: field(7),
      },
    },
    NonResourceAttributes: { fields: { path: field(1), verb: field(2) } },
    AccessSpec: {
      fields: {
        resourceAttributes: field(1, 'ResourceAttributes'),
        nonResourceAttributes: field(2, 'NonResourceAttributes'),
      },
    },
    SelfSubjectAccessReview: { fields: { metadata: field(1, 'ObjectMeta'), spec: field(2, 'AccessSpec') } },
    RulesSpec: { fields: { namespace: field(1) } },
    SelfSubjectRulesReview: { fields: { metadata: field(1, 'ObjectMeta'), spec: field(2, 'RulesSpec') } },
  },
});

const decodable = new Set([
  ...['Namespace', 'DeleteOptions', 'SelfSubjectReview', 'SelfSubjectAccessReview', 'SelfSubjectRulesReview'],
]);

/** The object of a protobuf body, as it would be in JSON. Throws PlumbError `BadRequest` or `UnsupportedMediaType`. */
export function decodeProtobuf(body: Buffer): unknown {
  if (!body.subarray(0, MAGIC.length).equals(MAGIC))
    throw badRequest('the body is not in the protobuf form of Kubernetes');
  const {
    typeMeta = {},
    raw,
    contentEncoding,
  } = decode('Unknown', body.subarray(MAGIC.length)) as {
    typeMeta?: { apiVersion?: string; kind?: string };
    raw?: Uint8Array;
    contentEncoding?: string;
  };
  if (contentEncoding) throw terminal('UnsupportedMediaType', 'a protobuf body that is encoded is not taken');
  const { apiVersion, kind = '' } = typeMeta;
  if (!decodable.has(kind)) {
    const what = kind === '' ? 'the object' : kind.slice(0, 80);
    throw terminal('UnsupportedMediaType', `${what} is not taken as protobuf: send application/json`);
  }
  const object = decode(kind, raw ?? new Uint8Array()) as { metadata?: Record<string, unknown> };
  if (!root.lookupType(kind).fields.metadata) return { apiVersion, kind, ...object };
  return { apiVersion, kind, ...object, metadata: withoutEmpty(object.metadata ?? {}) };
}

function decode(type: string, bytes: Uint8Array): unknown {
  try {
    const found = root.lookupType(type);
    return found.toObject(found.decode(bytes), { longs: Number });
  } catch {
    throw badRequest(`the body cannot be decoded as a protobuf ${type}`);
  }
}

/** Go writes empty strings where nothing was set. */
function withoutEmpty(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''));
}
