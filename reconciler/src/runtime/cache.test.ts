import type { PlumbError } from '@plumb/schemas';
import { expect, test } from 'vitest';
import { MemoryStore } from '../store/memory.ts';
import type { Store } from '../store/store.ts';
import { ObjectCache } from './cache.ts';

test('nobody waits for a cache that has ended, whether its store failed it or it was stopped', async () => {
  const { promise: failing, reject: fail } = Promise.withResolvers<never>();
  const memory = new MemoryStore();
  // biome-ignore lint/correctness/useYield: nothing ever changes
  const watch: Store['watch'] = async function* () {
    await failing;
  };
  const store = { list: memory.list.bind(memory), revision: () => memory.revision(), watch } as Store;
  const said: PlumbError[] = [];
  const cache = new ObjectCache(store);
  await cache.start(new AbortController().signal, (error) => said.push(error));
  const waiting = cache.shows(1);
  fail(new Error('the disk is gone'));
  await expect(waiting).rejects.toMatchObject({ reason: 'StoreUnavailable' });
  expect(said.map(({ message }) => message)).toEqual(['the watch of the store: the disk is gone']);
  await expect(cache.shows(1)).rejects.toMatchObject({ reason: 'StoreUnavailable' });

  const stopping = new AbortController();
  const stopped = new ObjectCache(memory);
  await stopped.start(stopping.signal, (error) => said.push(error));
  const late = stopped.shows(1);
  stopping.abort();
  await expect(late).rejects.toMatchObject({ reason: 'StoreUnavailable' });
  expect(said).toHaveLength(1);
});
