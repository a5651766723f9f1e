import { admitStatus } from '../admission.ts';
import { APPLY, patchOf } from '../body/patch.ts';
import type { ApiContext, Call } from '../call.ts';
import { modify } from '../modify.ts';
import { writeOptions } from '../options.ts';
import { ownedAfterUpdate } from '../owners.ts';
import type { Reply } from '../reply.ts';
import type { WritableResource } from '../resource.ts';
import { applyStatus } from './apply.ts';

/** `PATCH /…/instances/web-0/status`: as patch; only status is taken from the result. */
export async function patchStatus(context: ApiContext, resource: WritableResource, call: Call): Promise<Reply> {
  if (call.request.contentType === APPLY) return applyStatus(context, resource, call);
  const { wanted, found } = await patchOf(call.request, resource);
  const options = writeOptions(call.request.query, 'PatchOptions');
  const owned = ownedAfterUpdate(context, resource, call, options, 'status');
  return modify(context, resource, call, {
    options,
    wanted,
    found,
    owned,
    admit: admitStatus,
    mends: false,
  });
}
