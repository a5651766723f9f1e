/** A record that is no object and cannot be read goes, because a person says so. Nothing on any host is touched. */
import { keys } from '../store/keys.ts';
import type { Context } from './controller.ts';
import { abandonFlow } from './placed/release.ts';

export async function dropRecord(context: Context, key: string): Promise<void> {
  const { cache, lane, store } = context;
  const flows = keys.flow('');
  if (key.startsWith(flows)) return abandonFlow(context, key.slice(flows.length));
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
