/** A record that is no object and cannot be read goes, because a person says so. Nothing on any host is touched. */
import type { Context } from './controller.ts';

export async function dropRecord(context: Context, key: string): Promise<void> {
  const { cache, lane, store } = context;
  for (const { records = [] } of context.kinds)
    for (const { prefix, drop } of records)
      if (drop && key.startsWith(prefix)) return drop(context, key.slice(prefix.length));
  if (key.startsWith('/alloc/'))
    await lane.submit((index) => {
      index.free(key);
      return { preconditions: [], ops: [], result: undefined };
    });
  else {
    const entry = await store.get(key);
    if (entry)
      await store.commit({ preconditions: [{ key, revision: entry.revision }], ops: [{ type: 'delete', key }] });
  }
  cache.poisoned.clearRecord(key);
}
