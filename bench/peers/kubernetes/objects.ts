/** What the benchmark creates in Kubernetes, in the encodings that its API server takes. */

export const PODS = '/api/v1/namespaces/default/pods';
export const NODES = '/api/v1/nodes';

/** Kubernetes' own encoding, which its programs use among themselves, and the one that kubectl sends. */
export const ENCODINGS = ['protobuf', 'json'] as const;
export type Encoding = (typeof ENCODINGS)[number];

export const CONTENT_TYPES: Record<Encoding, string> = {
  protobuf: 'application/vnd.kubernetes.protobuf',
  json: 'application/json',
};

const LABELS = { made: 'by-the-benchmark' };
const IMAGE = 'images.invalid/tiny';
/** As our offering `small`. */
const REQUESTS = { cpu: '1', memory: '128Mi' };

/** The body of the POST of a pod: as little as an instance of ours asks for. */
export function pod(name: string, encoding: Encoding): Buffer {
  return encoding === 'json' ? jsonPod(name) : protobufPod(name);
}

/** The body of the POST of a node; kwok gives it its capacity. */
export function node(name: string): object {
  return { apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { 'kubernetes.io/hostname': name } } };
}

function jsonPod(name: string): Buffer {
  const metadata = { name, namespace: 'default', labels: LABELS };
  const containers = [{ name: 'tiny', image: IMAGE, resources: { requests: REQUESTS } }];
  return Buffer.from(JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers } }));
}

/**
 * Field numbers from Kubernetes' generated.proto files: an envelope of magic bytes, runtime.Unknown (1 typeMeta, 2 raw)
 * and in it Pod (1 metadata, 2 spec), ObjectMeta (1 name, 3 namespace, 11 labels), PodSpec (2 containers), Container
 * (1 name, 2 image, 8 resources), ResourceRequirements (2 requests), Quantity (1 string).
 */
function protobufPod(name: string): Buffer {
  const requests = Object.entries(REQUESTS).map(([key, quantity]) => field(2, entry(key, field(1, quantity))));
  const container = [field(1, 'tiny'), field(2, IMAGE), field(8, Buffer.concat(requests))];
  const labels = Object.entries(LABELS).map(([key, value]) => field(11, entry(key, value)));
  const metadata = Buffer.concat([field(1, name), field(3, 'default'), ...labels]);
  const spec = field(2, Buffer.concat(container));
  const typeMeta = Buffer.concat([field(1, 'v1'), field(2, 'Pod')]);
  const raw = Buffer.concat([field(1, metadata), field(2, spec)]);
  return Buffer.concat([Buffer.from('k8s\0'), field(1, typeMeta), field(2, raw)]);
}

/** Of a map. */
function entry(key: string, value: string | Buffer): Buffer {
  return Buffer.concat([field(1, key), field(2, value)]);
}

/** A length-delimited field: text, bytes or a message. */
function field(number: number, value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}
