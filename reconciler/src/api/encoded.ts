/** A reply as the client takes it: in the encoding that it prefers, and compressed where it can read that. */
import { AS_IT_IS, asYaml, type Encoding, negotiate } from './media.ts';
import { mediaOf } from './presentation.ts';
import { asProtobuf } from './protobuf-reply.ts';
import type { Reply } from './reply.ts';
import type { ApiRequest } from './request.ts';
import type { Resource } from './resource.ts';

/** `about`: the resource whose objects are sent; undefined for anything else. `isWatch`: the parts of the body are lines, each an event. */
export function encoded(
  { headers, method }: ApiRequest,
  reply: Reply,
  about: Pick<Resource, 'apiVersion' | 'kind'> | undefined,
  isWatch: boolean,
): Reply {
  const accept = headers.accept ?? '';
  // What went wrong is told in JSON to who takes nothing that there is.
  const encoding =
    about && reply.status < 400
      ? mediaOf(accept, about).encoding
      : (negotiate(accept, AS_IT_IS)?.encoding ?? ('json' as const));
  const shown = reply.only ? reply : encodedAs(encoding, reply, isWatch);
  return method === 'GET' && shown.status === 200 && !shown.live && takesGzip(headers['accept-encoding'])
    ? { ...shown, gzip: true }
    : shown;
}

export function encodedAs(encoding: Encoding, reply: Reply, isWatch = false): Reply {
  if (encoding === 'yaml') return asYaml(reply);
  return encoding === 'protobuf' ? asProtobuf(reply, isWatch) : reply;
}

/** As Kubernetes reads it: a client that weighs it against others does without. */
function takesGzip(header: string | string[] | undefined): boolean {
  return String(header ?? '')
    .split(',')
    .some((coding) => coding.trim() === 'gzip');
}
