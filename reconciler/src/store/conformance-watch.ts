import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { del, failure, type OpenFixture, put, type StoreFixture } from './conformance.ts';
import type { Change, Store, WatchBatch } from './store.ts';

/** What `watch` promises. */
export function conformingWatch(open: OpenFixture): void {
  describe('watch', () => {
    let fixture: StoreFixture;
    let store: Store;
    let end: AbortController;
    beforeEach(async () => {
      fixture = await open({ watchBuffer: 300 });
      store = fixture.store;
      end = new AbortController();
    });
    afterEach(async () => {
      end.abort();
      await fixture.dispose();
    });

    test('tells history, then what is new, one item per commit', async () => {
      const one = await commit(store, put('/a/1', 'x'), put('/b/1', 'x'));
      const two = await commit(store, put('/a/1', 'y'), put('/a/2', 'x'));
      const watch = start(store, '/a/', one);
      expect(await watch.take(1)).toEqual([
        { revision: two, changes: [change('/a/1', 'y', 'x'), change('/a/2', 'x', undefined)] },
      ]);
      await commit(store, put('/b/1', 'not under the prefix'));
      const three = await commit(store, del('/a/1'));
      const four = await commit(store, put('/a/1', 'z'));
      expect(await watch.take(2)).toEqual([
        { revision: three, changes: [change('/a/1', undefined, 'y')] },
        { revision: four, changes: [change('/a/1', 'z', undefined)] },
      ]);
      await watch.expectNothing();
    });

    test('from 0 tells everything that ever was', async () => {
      const revisions = [await commit(store, put('/a', '1')), await commit(store, put('/a', '2'))];
      const batches = await start(store, '', 0).take(2);
      expect(batches.map((batch) => batch.revision)).toEqual(revisions);
    });

    test('neither misses nor repeats what is committed while history is read', async () => {
      const revisions: number[] = [];
      for (let i = 0; i < 600; i++) revisions.push(await commit(store, put(`/k${i % 7}`, String(i))));
      const watch = start(store, '/', 0);
      const seen: WatchBatch[] = [];
      for (let i = 0; i < 600; i++) {
        seen.push(...(await watch.take(1)));
        if (i % 3 === 0) revisions.push(await commit(store, put(`/k${i % 7}`, `late ${i}`)));
      }
      seen.push(...(await watch.take(200)));
      expect(seen.map((batch) => batch.revision)).toEqual(revisions);
      await watch.expectNothing();
    });

    test('when a commit resolves, whoever waits was told', async () => {
      const watch = start(store, '/', 0);
      for (const value of ['1', '2', '3']) {
        let told = false;
        void watch.next().then(() => {
          told = true;
        });
        await commit(store, put('/a', value));
        expect(told).toBe(true);
      }
    });

    test('from before the history that is kept is Compacted', async () => {
      const one = await commit(store, put('/a', '1'));
      const two = await commit(store, put('/a', '2'));
      const three = await commit(store, put('/a', '3'));
      await store.compact(two);
      const error = await failure(start(store, '', one).take(1));
      expect([error.reason, error.retry]).toEqual(['Compacted', 'retry']);
      expect(await start(store, '', two).take(1)).toEqual([{ revision: three, changes: [change('/a', '3', '2')] }]);
    });

    test('from a revision that was never reached is refused', async () => {
      await commit(store, put('/a', '1'));
      expect((await failure(start(store, '', 99).take(1))).reason).toBe('Compacted');
    });

    test('ends when its signal is aborted, waiting or not', async () => {
      const watch = start(store, '', 0);
      const waiting = watch.next();
      end.abort();
      expect(await waiting).toEqual({ done: true, value: undefined });
      expect(await watch.next()).toEqual({ done: true, value: undefined });
      expect(await start(store, '', 0).next()).toEqual({ done: true, value: undefined });
    });

    test('ends when the store is closed', async () => {
      const waiting = start(store, '', 0).next();
      await store.close();
      expect(await waiting).toEqual({ done: true, value: undefined });
    });

    test('a watcher that does not keep up is ended, and the others are not', async () => {
      const live = [start(store, '', 0), start(store, '', 0)] as const;
      // Whoever waits has read all history and is told of what is new.
      const firsts = live.map((watch) => watch.next());
      await commit(store, put('/a', 'first'));
      await Promise.all(firsts);
      for (let i = 0; i < 302; i++) {
        await commit(store, put('/a', String(i)));
        await live[1].take(1);
      }
      const error = await failure(live[0].take(1));
      expect([error.reason, error.retry]).toEqual(['SlowWatcher', 'retry']);
      expect(await live[0].next()).toEqual({ done: true, value: undefined });
      await commit(store, put('/a', 'after'));
      expect(await live[1].take(1)).toHaveLength(1);
    });

    /** A watch with its own hands. */
    function start(of: Store, prefix: string, from: number) {
      const iterator = of.watch(prefix, from, end.signal)[Symbol.asyncIterator]();
      return {
        next: () => iterator.next(),
        take: (n: number) => take(iterator, n),
        expectNothing: () => expectNothing(iterator),
      };
    }
  });
}

/** The next `n` items. */
export async function take(iterator: AsyncIterator<WatchBatch>, n: number): Promise<WatchBatch[]> {
  const batches: WatchBatch[] = [];
  while (batches.length < n) {
    const item = await iterator.next();
    if (item.done) throw new Error(`the watch ended after ${batches.length} of ${n} items`);
    batches.push(item.value);
  }
  return batches;
}

/** Fails when an item comes although nothing was committed. The iterator is of no use afterwards. */
export async function expectNothing(iterator: AsyncIterator<WatchBatch>): Promise<void> {
  let came: unknown;
  void iterator.next().then((item) => {
    if (!item.done) came = item.value;
  });
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(came).toBeUndefined();
}

async function commit(store: Store, ...ops: Parameters<Store['commit']>[0]['ops']): Promise<number> {
  return (await store.commit({ preconditions: [], ops })).revision;
}

function change(key: string, value: string | undefined, previous: string | undefined): Change {
  return { key, value, previous };
}
