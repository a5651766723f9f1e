import { admitChange } from '../admission.ts';
import { patchOf } from '../body/patch.ts';
import type { ApiContext, Call } from '../call.ts';
import { modify } from '../modify.ts';
import { writeOptions } from '../options.ts';
import type { Reply } from '../reply.ts';
import type { WritableResource } from '../resource.ts';

/** `PATCH /…/instances/web-0`: a merge patch or a JSON patch, applied to what is stored when it is written. */
export async function patch(context: ApiContext, resource: WritableResource, call: Call): Promise<Reply> {
  const { wanted, duplicates, unknown } = await patchOf(call.request, resource);
  const options = writeOptions(call.request.query, 'PatchOptions');
  return modify(context, resource, call, { options, wanted, duplicates, unknown, admit: admitChange });
}
