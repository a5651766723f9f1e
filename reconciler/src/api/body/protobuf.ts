/**
 * Bodies in Kubernetes' protobuf form. Clients that know built-in kinds by type (client-go, controller-runtime, kubectl) send them,
 * and DeleteOptions for whatever kind, whatever the server says it takes.
 */
import { terminal } from '@plumb/schemas';
import { decodeObject, Malformed, NotKnown } from '@plumb/schemas/protobuf/envelope.ts';
import { badRequest } from '../failure.ts';

/**
 * The object of a protobuf body, as it would be in JSON. Throws PlumbError `BadRequest` for bytes that are none, and
 * `UnsupportedMediaType` for what is not known here: then nothing of it is taken.
 */
export function decodeProtobuf(body: Buffer): unknown {
  try {
    return decodeObject(body);
  } catch (error) {
    if (error instanceof NotKnown)
      throw terminal('UnsupportedMediaType', `${error.message}: send it as application/json`);
    if (error instanceof Malformed)
      throw badRequest(`the body is not in the protobuf form of Kubernetes: ${error.message}`);
    throw error;
  }
}
