import { admitChange } from '../admission.ts';
import type { ApiContext, Call } from '../call.ts';
import { modify } from '../modify.ts';
import type { Reply } from '../reply.ts';
import type { WritableResource } from '../resource.ts';

/** `PUT /…/instances/web-0`: the whole object, checked against the resourceVersion that it bears, if it bears one. */
export async function update(context: ApiContext, resource: WritableResource, call: Call): Promise<Reply> {
  const sent = await call.request.json();
  return modify(context, resource, call, { wanted: () => sent, admit: admitChange });
}
