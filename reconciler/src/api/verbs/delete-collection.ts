import { PlumbError } from '@plumb/schemas';
import type { Entry } from '../../store/store.ts';
import type { ApiContext, Call } from '../call.ts';
import { listOptions } from '../list-options.ts';
import { readPage } from '../page.ts';
import { type ListFacts, listPresentationOf } from '../presentation.ts';
import { JSON_TYPE, type Reply } from '../reply.ts';
import type { WritableResource } from '../resource.ts';
import { selectionOf } from '../selection.ts';
import { optionsOf, removeOne } from './delete.ts';

/** Deletions under way at a time: they share the waits for the disk. */
const TOGETHER = 32;

/** `DELETE /…/instances`: everything that is selected, as it was when it was listed. The answer is that list. */
export async function removeAll(context: ApiContext, resource: WritableResource, call: Call): Promise<Reply> {
  const { query } = call.request;
  const present = listPresentationOf(call.request, resource, context.ambient.clock);
  const selection = selectionOf(resource, query, context.limits);
  const pages = listOptions(query);
  const options = await optionsOf(call);
  const removed: Entry[] = [];
  let facts: ListFacts = { revision: 0 };
  for await (const part of readPage({ resource, wrongs: context.wrongs }, call.namespace, selection, pages)) {
    for (let at = 0; at < part.entries.length; at += TOGETHER) {
      const some = part.entries.slice(at, at + TOGETHER);
      await Promise.all(
        some.map(({ key }) =>
          removeOne(context, resource, present, key, key.slice(key.lastIndexOf('/') + 1), options).catch(ignoreGone),
        ),
      );
    }
    removed.push(...part.entries);
    facts = part;
  }
  return { status: 200, type: JSON_TYPE, body: present.list(removed, facts) };
}

/** Somebody else was faster. */
function ignoreGone(thrown: unknown): void {
  if (thrown instanceof PlumbError && thrown.reason === 'NotFound') return;
  throw thrown;
}
