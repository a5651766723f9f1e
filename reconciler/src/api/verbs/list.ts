import type { ApiContext, Call } from '../call.ts';
import { readPage } from '../page.ts';
import { presentationOf } from '../presentation.ts';
import { JSON_TYPE, type Reply } from '../reply.ts';
import type { Resource } from '../resource.ts';
import { selectionOf } from '../selection.ts';

/** `GET /…/instances`: what is selected, whole or in pages, at one revision. */
export async function list(context: ApiContext, resource: Resource, call: Call): Promise<Reply> {
  const { query } = call.request;
  const present = presentationOf(call.request, resource, context.ambient.clock);
  const page = await readPage(resource, call.namespace, selectionOf(resource, query), query);
  return { status: 200, type: JSON_TYPE, body: present.list(page.entries, page) };
}
