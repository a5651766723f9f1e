import type { ListResult, Store } from './store.ts';

/** Entries of a page: no more than these are in memory at a time, whatever the store holds. */
const PAGE = 100;

/**
 * Everything under `prefix` at one revision, the newest if none is given, in key order; at least one page, which may be empty. Throws PlumbError
 * `Compacted` (retry) when so much was committed meanwhile that the revision is no longer kept: begin again.
 */
export async function* pages(store: Store, prefix: string, at?: number): AsyncGenerator<ListResult> {
  let page = await store.list(prefix, { limit: PAGE, ...(at === undefined ? {} : { revision: at }) });
  const { revision } = page;
  for (;;) {
    yield page;
    const after = page.entries.at(-1)?.key;
    if (!page.more || after === undefined) return;
    page = await store.list(prefix, { limit: PAGE, revision, after });
  }
}
