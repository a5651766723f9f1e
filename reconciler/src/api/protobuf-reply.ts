/** Answers in Kubernetes' protobuf form, made of those in JSON, for who prefers that: objects, lists, events of watches, Status. */
import { encodeEvent, encodeObject } from '@plumb/schemas/protobuf/envelope.ts';
import { JSON_TYPE, type Reply } from './reply.ts';

export const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf';

/** The reply as protobuf; as it is where it has no such form. `isWatch`: its parts are lines, each an event. */
export function asProtobuf(reply: Reply, isWatch: boolean): Reply {
  const { body, type } = reply;
  if (type !== JSON_TYPE || Buffer.isBuffer(body)) return reply;
  if (typeof body === 'string') {
    const encoded = encodeObject(JSON.parse(body));
    return encoded ? { ...reply, type: PROTOBUF_TYPE, body: encoded } : reply;
  }
  if (isWatch) return { ...reply, type: `${PROTOBUF_TYPE};stream=watch`, body: frames(body) };
  return { ...reply, type: PROTOBUF_TYPE, body: whole(body) };
}

async function* frames(parts: AsyncIterable<string | Buffer>): AsyncGenerator<string | Buffer> {
  for await (const part of parts) {
    const lines = String(part).split('\n').filter(Boolean);
    // What says that the beginning is over stays what it is.
    if (lines.length === 0) yield part;
    else yield Buffer.concat(lines.map((line) => encodeEvent(JSON.parse(line)) ?? Buffer.alloc(0)));
  }
}

/** A list, whose items are of a message's length: all of it must be there before it begins. */
async function* whole(parts: AsyncIterable<string | Buffer>): AsyncGenerator<Buffer> {
  let text = '';
  for await (const part of parts) text += String(part);
  yield encodeObject(JSON.parse(text)) ?? Buffer.alloc(0);
}
