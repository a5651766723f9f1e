/** All objects of a collection, page by page. */
import { PlumbError } from '@plumb/schemas/meta/error.ts';
import type { PlumbObject } from '@plumb/schemas/meta/object.ts';
import type { Client } from './client.ts';
import type { Deadline } from './deadline.ts';

export interface Selected {
  /** Path of the collection. */
  path: string;
  labelSelector?: string;
  fieldSelector?: string;
}

/** Objects that one request asks for. */
const PAGE = 500;
/** How often a list begins anew because the server does not keep what it began with any more. */
const RESTARTS = 5;

/**
 * The objects that are selected, each once, at most `most` of them. A list that takes so long that the server has forgotten where it
 * began is begun anew, and goes on with what was not shown yet.
 */
export async function* pages(
  client: Client,
  { path, ...selectors }: Selected,
  limit: Deadline,
  most = Number.POSITIVE_INFINITY,
): AsyncGenerator<PlumbObject> {
  const seen = new Set<string>();
  let next = '';
  for (let restarts = 0; ; ) {
    const query = new URLSearchParams({ limit: String(Math.min(PAGE, most - seen.size)), ...selectors });
    if (next !== '') query.set('continue', next);
    let page: Page;
    try {
      page = (await client.json({ method: 'GET', path: `${path}?${query}` }, limit)) as Page;
    } catch (error) {
      if (!(error instanceof PlumbError && error.reason === 'Expired') || restarts++ >= RESTARTS) throw error;
      next = '';
      continue;
    }
    for (const object of page.items) {
      if (seen.has(object.metadata.uid)) continue;
      seen.add(object.metadata.uid);
      yield object;
      if (seen.size >= most) return;
    }
    next = page.metadata.continue ?? '';
    if (next === '') return;
  }
}

interface Page {
  metadata: { continue?: string };
  items: PlumbObject[];
}
