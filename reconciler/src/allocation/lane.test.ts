import { expect, test } from 'vitest';
import { ADDRESS } from '../plan/allocation.ts';
import { MemoryStore } from '../store/memory.ts';
import { MAX_BATCH_BYTES, MAX_BATCH_KEYS } from '../store/store.ts';
import { AllocationIndex } from './allocation-index.ts';
import { AllocationLane } from './lane.ts';

test('a decision that fails in the middle leaves nothing reserved, and the others of its batch go on', async () => {
  const store = new MemoryStore();
  const index = await AllocationIndex.load(store);
  const lane = new AllocationLane(store, index);
  const decide = (uid: string, address: string, fails: boolean) =>
    lane.submit((taken) => {
      taken.claim(ADDRESS, `net/${address}`, uid);
      if (fails) throw new Error('no room');
      return { preconditions: [], ops: [], result: uid };
    });
  const outcomes = await Promise.allSettled([
    decide('a', '10.0.0.1', false),
    decide('b', '10.0.0.2', true),
    decide('c', '10.0.0.3', false),
  ]);
  expect(outcomes.map((o) => o.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  const { entries } = await store.list('/alloc/');
  expect(entries.map((e) => e.value)).toEqual(['a', 'c']);
  expect(index.holderOf(ADDRESS, 'net/10.0.0.2')).toBeUndefined();
});

test('of a batch that met a conflict only those are refused who relied on what changed; the others share the next', async () => {
  const store = new MemoryStore();
  const { revision } = await store.commit({ preconditions: [], ops: [{ type: 'put', key: '/o/b', value: '1' }] });
  await store.commit({ preconditions: [], ops: [{ type: 'put', key: '/o/b', value: '2' }] });
  const before = store.revision();
  const lane = new AllocationLane(store, await AllocationIndex.load(store));
  const decide = (uid: string) =>
    lane.submit((taken) => {
      taken.claim(ADDRESS, `net/10.0.0.${uid.charCodeAt(0)}`, uid);
      const preconditions = uid === 'b' ? [{ key: '/o/b', revision }] : [];
      return { preconditions, ops: [{ type: 'put', key: `/f/${uid}`, value: uid }], result: uid };
    });
  const outcomes = await Promise.allSettled(['a', 'b', 'c', 'd'].map(decide));
  expect(outcomes.map((o) => (o.status === 'rejected' ? o.reason.keys : o.value.result))).toEqual([
    'a',
    ['/o/b'],
    'c',
    'd',
  ]);
  expect(store.revision()).toBe(before + 1);
  expect((await store.list('/alloc/')).entries.map((e) => e.value).toSorted()).toEqual(['a', 'c', 'd']);
});

test('a batch is filled up to its bound, whatever its decisions need; what is too many for it comes first in the next', async () => {
  const store = new MemoryStore();
  const lane = new AllocationLane(store, await AllocationIndex.load(store));
  const sizes = [...Array.from({ length: 40 }, () => 4), 1, 100, 30, MAX_BATCH_KEYS, 2];
  const put = (n: number, at: number) => ({ type: 'put' as const, key: `/f/${n}/${at}`, value: '' });
  const decided: number[] = [];
  const outcomes = await Promise.all(
    sizes.map((size, n) =>
      lane.submit((taken) => {
        decided.push(n);
        taken.claim(ADDRESS, `net/10.0.0.${n}`, `${n}`);
        const ops = Array.from({ length: size - 1 }, (_, at) => put(n, at));
        return { preconditions: [], ops, result: n };
      }),
    ),
  );
  const first = outcomes[0]!.revision;
  const batchOf = outcomes.map(({ revision }) => revision - first);
  expect(batchOf.slice(0, 40)).toEqual(Array.from({ length: 40 }, (_, n) => (n < 30 ? 0 : 1)));
  expect(batchOf.slice(40)).toEqual([1, 2, 3, 4, 5]);
  expect(outcomes.map(({ result }) => result)).toEqual(sizes.map((_, n) => n));
  // Nobody is decided twice who is like those before.
  expect(decided.filter((n) => n < 40)).toHaveLength(40);
  expect((await store.list('/alloc/address/')).entries).toHaveLength(sizes.length);
});

test('a batch relies on no more than it may, however different what its decisions rely on', async () => {
  const store = new MemoryStore();
  const lane = new AllocationLane(store, await AllocationIndex.load(store));
  const outcomes = await Promise.all(
    Array.from({ length: 100 }, (_, n) =>
      lane.submit(() => {
        const preconditions = Array.from({ length: 10 }, (_, at) => ({ key: `/o/${n}/${at}`, revision: 0 }));
        return { preconditions, ops: [{ type: 'put', key: `/f/${n}`, value: '' }], result: n };
      }),
    ),
  );
  expect(new Set(outcomes.map(({ revision }) => revision)).size).toBe(Math.ceil(100 / 12));
});

test('a batch has no more bytes than one commit takes; a decision that has more by itself is refused, and no other', async () => {
  const store = new MemoryStore();
  const lane = new AllocationLane(store, await AllocationIndex.load(store));
  const sizes = [0.4, 0.4, 0.4, 0.7, 0.2, 1.2, 0.1];
  const outcomes = await Promise.allSettled(
    sizes.map((size, n) =>
      lane.submit((taken) => {
        taken.claim(ADDRESS, `net/10.0.0.${n}`, `${n}`);
        const value = 'x'.repeat((size / 2) * MAX_BATCH_BYTES);
        const put = (key: string) => ({ type: 'put' as const, key, value });
        return { preconditions: [], ops: [put(`/f/${n}`), put(`/g/${n}`)], result: n };
      }),
    ),
  );
  const batches = outcomes.map((o) => (o.status === 'fulfilled' ? o.value.revision : o.reason.reason));
  expect(batches).toEqual([1, 1, 2, 3, 4, 'BatchTooLarge', 5]);
  expect((await store.list('/alloc/address/')).entries).toHaveLength(6);
});
