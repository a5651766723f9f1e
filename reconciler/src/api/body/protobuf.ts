/**
 * Bodies in Kubernetes' protobuf form. kubectl sends them for built-in kinds that it knows by type (namespaces and
 * reviews), whatever the server says it takes. Answers are JSON, which it reads just as well.
 *
 * The form: four bytes `k8s\0`, then a runtime.Unknown that holds the object's own message. Field numbers are those of
 * the generated.proto files of k8s.io/apimachinery and k8s.io/api. Only what is used here is decoded.
 */
import { terminal } from '@plumb/schemas';
import protobuf from 'protobufjs/light.js';
import { badRequest } from '../failure.ts';

const MAGIC = Buffer.from('k8s\0');

const field = (id: number, type = 'string') => ({ id, type });
const map = (id: number) => ({ id, type: 'string', keyType: 'string' });

const root = protobuf.Root.fromJSON({
  nested: {
    TypeMeta: { fields: { apiVersion: field(1), kind: field(2) } },
    Unknown: { fields: { typeMeta: field(1, 'TypeMeta'), raw: field(2, 'bytes') } },
    ObjectMeta: {
      fields: { name: field(1), generateName: field(2), namespace: field(3), labels: map(11), annotations: map(12) },
    },
    Namespace: { fields: { metadata: field(1, 'ObjectMeta') } },
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

const decodable = new Set(['Namespace', 'SelfSubjectReview', 'SelfSubjectAccessReview', 'SelfSubjectRulesReview']);

/** The object of a protobuf body, as it would be in JSON. Throws PlumbError `BadRequest` or `UnsupportedMediaType`. */
export function decodeProtobuf(body: Buffer): unknown {
  if (!body.subarray(0, MAGIC.length).equals(MAGIC))
    throw badRequest('the body is not in the protobuf form of Kubernetes');
  const { typeMeta = {}, raw } = decode('Unknown', body.subarray(MAGIC.length)) as {
    typeMeta?: { apiVersion?: string; kind?: string };
    raw?: Uint8Array;
  };
  const { apiVersion, kind = '' } = typeMeta;
  if (!decodable.has(kind)) {
    throw terminal('UnsupportedMediaType', `${kind || 'the object'} is not taken as protobuf: send application/json`);
  }
  const object = decode(kind, raw ?? new Uint8Array()) as { metadata?: Record<string, unknown> };
  return { apiVersion, kind, ...object, metadata: withoutEmpty(object.metadata ?? {}) };
}

function decode(type: string, bytes: Uint8Array): unknown {
  try {
    const found = root.lookupType(type);
    return found.toObject(found.decode(bytes));
  } catch {
    throw badRequest(`the body cannot be decoded as a protobuf ${type}`);
  }
}

/** Go writes empty strings where nothing was set. */
function withoutEmpty(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''));
}
