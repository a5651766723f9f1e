/**
 * Objects in Kubernetes' protobuf form: four bytes `k8s\0`, then a runtime.Unknown that says of which kind they are and holds their
 * message. A watch is frames of four bytes of length (big endian) and a WatchEvent, which holds an object in that form.
 */
import { decodeMessage, encodeMessage, NotKnown } from './codec.ts';
import { messageOf, messageOfKind } from './messages.ts';
import { Malformed } from './reader.ts';

export { NotKnown } from './codec.ts';
export { Malformed } from './reader.ts';

const MAGIC = Buffer.from('k8s\0');

/** The object as it would be in JSON. Throws {@link Malformed}, or {@link NotKnown} for what is not known here. */
export function decodeObject(bytes: Uint8Array): Record<string, unknown> {
  if (!MAGIC.equals(bytes.subarray(0, MAGIC.length))) throw new Malformed('it does not begin as such objects do');
  const unknown = decodeMessage(messageOf('Unknown'), bytes.subarray(MAGIC.length));
  const {
    typeMeta = {},
    raw = '',
    contentEncoding,
    contentType,
  } = unknown as {
    typeMeta?: { apiVersion?: string; kind?: string };
    raw?: string;
    contentEncoding?: string;
    contentType?: string;
  };
  if (contentEncoding) throw new NotKnown('its object is encoded once more');
  if (contentType) throw new NotKnown('its object is of another media type');
  const { apiVersion = '', kind = '' } = typeMeta;
  const message = messageOfKind(apiVersion, kind);
  if (!message) throw new NotKnown(`${kind === '' ? 'the object' : kind.slice(0, 80)} has no protobuf form here`);
  const { metadata, ...others } = decodeMessage(message, Buffer.from(raw, 'base64'));
  return { apiVersion, kind, ...(metadata === undefined ? {} : { metadata }), ...others };
}

/** The object in protobuf form; undefined when its kind has none. */
export function encodeObject(object: unknown): Buffer | undefined {
  const { apiVersion = '', kind } = object as { apiVersion?: unknown; kind?: unknown };
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return undefined;
  const message = messageOfKind(apiVersion, kind);
  if (!message) return undefined;
  const raw = encodeMessage(message, kind === 'APIResourceList' ? withVerbs(object) : object).toString('base64');
  return Buffer.concat([MAGIC, encodeMessage(messageOf('Unknown'), { typeMeta: { apiVersion, kind }, raw })]);
}

/** Verbs are a message of their own there. */
function withVerbs(list: unknown): unknown {
  const { resources, ...others } = list as { resources: { verbs: string[] }[] };
  return { ...others, resources: resources.map((one) => ({ ...one, verbs: { items: one.verbs } })) };
}

/** A frame of a watch; undefined when the object has no protobuf form. */
export function encodeEvent({ type, object }: { type: string; object: unknown }): Buffer | undefined {
  const raw = encodeObject(object)?.toString('base64');
  if (raw === undefined) return undefined;
  const event = encodeMessage(messageOf('WatchEvent'), { type, object: { raw } });
  const length = Buffer.alloc(4);
  length.writeUInt32BE(event.length);
  return Buffer.concat([length, event]);
}

/** The events of a watch whose frames are all there. */
export function* decodeEvents(bytes: Uint8Array): Generator<{ type: string; object: Record<string, unknown> }> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < buffer.length; ) {
    const end = at + 4 + buffer.readUInt32BE(at);
    const { type, object } = decodeMessage(messageOf('WatchEvent'), buffer.subarray(at + 4, end));
    const { raw = '' } = (object ?? {}) as { raw?: string };
    yield { type: type as string, object: decodeObject(Buffer.from(raw, 'base64')) };
    at = end;
  }
}
