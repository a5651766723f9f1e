import { admitStatus } from '../admission.ts';
import { patchOf } from '../body/patch.ts';
import type { ApiContext, Call } from '../call.ts';
import { modify } from '../modify.ts';
import { writeOptions } from '../options.ts';
import type { Reply } from '../reply.ts';
import type { WritableResource } from '../resource.ts';

/** `PATCH /…/instances/web-0/status`: as patch; only status is taken from the result. */
export async function patchStatus(context: ApiContext, resource: WritableResource, call: Call): Promise<Reply> {
  const { wanted, duplicates, unknown } = await patchOf(call.request, resource);
  const options = writeOptions(call.request.query, 'PatchOptions');
  return modify(context, resource, call, { options, wanted, duplicates, unknown, admit: admitStatus, mends: false });
}
