import type { PlumbObject } from '@plumb/schemas';
import { admitChange } from '../admission.ts';
import type { ApiContext, Call } from '../call.ts';
import { modify } from '../modify.ts';
import { writeOptions } from '../options.ts';
import type { Reply } from '../reply.ts';
import type { WritableResource } from '../resource.ts';

/** `PUT /…/instances/web-0`: the whole object, checked against the resourceVersion that it bears, if it bears one. */
export async function update(context: ApiContext, resource: WritableResource, call: Call): Promise<Reply> {
  const options = writeOptions(call.request.query, 'UpdateOptions');
  const sent = await call.request.json();
  return modify(context, resource, call, {
    options,
    wanted: (current) => withFinalizers(sent, current),
    admit: admitChange,
  });
}

/**
 * A declaration that does not speak of finalizers leaves them as they are: else replacing an object that is being deleted
 * would let it go before its controller has removed what lives of it.
 */
function withFinalizers(sent: unknown, { metadata: { finalizers } }: PlumbObject): unknown {
  const { metadata } = (sent ?? {}) as { metadata?: unknown };
  if (finalizers === undefined || typeof metadata !== 'object' || metadata === null) return sent;
  return 'finalizers' in metadata ? sent : { ...(sent as object), metadata: { ...metadata, finalizers } };
}
