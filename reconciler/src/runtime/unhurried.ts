import { pages } from '../store/pages.ts';
import type { ListResult, Store } from '../store/store.ts';

/**
 * As `pages` of the store; between two of them whatever else waits has its turn, so that requests are answered while
 * hundreds of thousands of entries are read. Throws what `signal` was aborted with, too.
 */
export async function* unhurriedPages(
  store: Store,
  prefix: string,
  signal?: AbortSignal,
  at?: number,
): AsyncGenerator<ListResult> {
  for await (const page of pages(store, prefix, at)) {
    yield page;
    if (page.more) await new Promise<void>((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
  }
}
