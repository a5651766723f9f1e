import type { PlumbObject } from '@plumb/schemas';
import { admitChange } from '../admission.ts';
import type { Json } from '../body/json.ts';
import type { ApiContext, Call } from '../call.ts';
import { modify } from '../modify.ts';
import { writeOptions } from '../options.ts';
import { ownedAfterUpdate } from '../owners.ts';
import { isRecord, strictSentences } from '../read-object.ts';
import type { Reply } from '../reply.ts';
import type { WritableResource } from '../resource.ts';

/** `PUT /…/instances/web-0`: the whole object, checked against the resourceVersion that it bears, if it bears one. */
export async function update(context: ApiContext, resource: WritableResource, call: Call): Promise<Reply> {
  const options = writeOptions(call.request.query, 'UpdateOptions');
  const { value: sent, duplicates } = await call.request.parsed();
  return modify(context, resource, call, {
    options,
    found: strictSentences(duplicates),
    wanted: (current) => withFinalizer(resource, sent, current),
    owned: ownedAfterUpdate(context, resource, call, options),
    admit: admitChange,
  });
}

/**
 * A declaration that does not speak of finalizers takes away those of others, and leaves the kind's own: else replacing an object
 * that is being deleted would let it go before its controller has removed what lives of it.
 */
function withFinalizer(
  { finalizer }: WritableResource,
  sent: Json | undefined,
  { metadata: { finalizers } }: PlumbObject,
): Json | undefined {
  const { metadata } = (sent ?? {}) as { metadata?: { finalizers?: unknown } | null };
  if (finalizer === undefined || !finalizers?.includes(finalizer)) return sent;
  if (!isRecord(sent) || !isRecord(metadata) || (metadata.finalizers ?? undefined) !== undefined) return sent;
  // Stored text, read again, beside what was read from text.
  return { ...sent, metadata: { ...metadata, finalizers: [finalizer] } } as unknown as Json;
}
