import type { ApiContext, Call } from '../call.ts';
import { listOptions } from '../list-options.ts';
import { type Part, readPage } from '../page.ts';
import { listPresentationOf, type Presentation } from '../presentation.ts';
import { JSON_TYPE, type Reply } from '../reply.ts';
import type { Resource } from '../resource.ts';
import { selectionOf } from '../selection.ts';

/** `GET /…/instances`: what is selected, whole or in pages, at one revision. */
export async function list(context: ApiContext, resource: Resource, call: Call): Promise<Reply> {
  const { query } = call.request;
  const source = { resource, wrongs: context.wrongs };
  const parts = readPage(source, call.namespace, selectionOf(resource, query, context.limits), listOptions(query));
  const first = (await parts.next()).value!;
  const present = listPresentationOf(call.request, resource, context.ambient.clock);
  const body = first.last ? present.list(first.entries, first) : inParts(present, first, parts);
  return { status: 200, type: JSON_TYPE, body };
}

async function* inParts(
  present: Presentation,
  first: Part,
  parts: AsyncGenerator<Part, undefined>,
): AsyncGenerator<string> {
  const { open, close } = present.listEnds(first.revision);
  yield open;
  let before = '';
  for (let part: Part | undefined = first; part; part = (await parts.next()).value) {
    if (part.entries.length > 0) {
      yield before + part.entries.map(present.item).join(',');
      before = ',';
    }
    if (part.last) yield close(part.continue, part.remaining);
  }
}
