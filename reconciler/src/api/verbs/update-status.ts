import { admitStatus } from '../admission.ts';
import type { ApiContext, Call } from '../call.ts';
import { modify } from '../modify.ts';
import { writeOptions } from '../options.ts';
import { ownedAfterUpdate } from '../owners.ts';
import { strictSentences } from '../read-object.ts';
import type { Reply } from '../reply.ts';
import type { WritableResource } from '../resource.ts';

/** `PUT /…/instances/web-0/status`: only status is taken from what is sent. */
export async function updateStatus(context: ApiContext, resource: WritableResource, call: Call): Promise<Reply> {
  const options = writeOptions(call.request.query, 'UpdateOptions');
  const { value: sent, duplicates } = await call.request.parsed();
  const wanted = () => sent;
  const found = strictSentences(duplicates);
  const owned = ownedAfterUpdate(context, resource, call, options, 'status');
  return modify(context, resource, call, { options, found, wanted, owned, admit: admitStatus, mends: false });
}
