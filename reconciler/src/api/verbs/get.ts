import type { ApiContext, Call } from '../call.ts';
import { notFound } from '../failure.ts';
import { reachedRevision } from '../page.ts';
import { presentationOf } from '../presentation.ts';
import { readable } from '../readable.ts';
import { JSON_TYPE, type Reply } from '../reply.ts';
import { keyOf, type Resource } from '../resource.ts';

/** `GET /…/instances/web-0`. */
export async function get(context: ApiContext, resource: Resource, call: Call): Promise<Reply> {
  reachedRevision(resource.store, call.request.query.get('resourceVersion') || undefined);
  const entry = await resource.store.get(keyOf(resource, call.namespace, call.name));
  if (!entry) throw notFound(resource.plural, resource.group, call.name);
  const shown = readable(context.wrongs, resource, entry, resource.store.revision());
  const present = presentationOf(call.request, resource, context.ambient.clock);
  return { status: 200, type: JSON_TYPE, body: present.one(shown) };
}
