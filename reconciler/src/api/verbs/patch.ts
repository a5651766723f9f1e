import { admitChange } from '../admission.ts';
import { APPLY, patchOf } from '../body/patch.ts';
import type { ApiContext, Call } from '../call.ts';
import { modify } from '../modify.ts';
import { writeOptions } from '../options.ts';
import { ownedAfterUpdate } from '../owners.ts';
import type { Reply } from '../reply.ts';
import type { WritableResource } from '../resource.ts';
import { apply } from './apply.ts';

/** `PATCH /…/instances/web-0`: a merge patch or a JSON patch, applied to what is stored when it is written. */
export async function patch(context: ApiContext, resource: WritableResource, call: Call): Promise<Reply> {
  if (call.request.contentType === APPLY) return apply(context, resource, call);
  const { wanted, found } = await patchOf(call.request, resource);
  const options = writeOptions(call.request.query, 'PatchOptions');
  const owned = ownedAfterUpdate(context, resource, call, options);
  return modify(context, resource, call, { options, wanted, found, owned, admit: admitChange });
}
