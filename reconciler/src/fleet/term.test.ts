import { expect, test } from 'vitest';
import { keys } from '../store/keys.ts';
import { MemoryStore } from '../store/memory.ts';
import { nextTerm, termAbove } from './term.ts';

const kept = async (store: MemoryStore) => (await store.get(keys.control('term')))?.value;

test('every start has a term of its own, also when several start at once', async () => {
  const store = new MemoryStore();
  expect(await nextTerm(store)).toBe(1);
  const terms = await Promise.all([nextTerm(store), nextTerm(store), nextTerm(store)]);
  expect(terms.sort()).toEqual([2, 3, 4]);
  expect(await kept(store)).toBe('4');
});

test('a term above what a host has heard of is kept before it is used; one that is high enough stays', async () => {
  const store = new MemoryStore();
  await nextTerm(store);
  expect(await termAbove(store, 41)).toBe(42);
  expect(await kept(store)).toBe('42');
  expect(await termAbove(store, 3)).toBe(42);
  expect(await termAbove(store, 42)).toBe(43);
  expect(await nextTerm(store)).toBe(44);
});

test.each([2 ** 53, Number.NaN, 1.5, 2 ** 52 + 1])('%d was never a term', async (heard) => {
  const store = new MemoryStore();
  await expect(termAbove(store, heard)).rejects.toMatchObject({ reason: 'TermOutOfRange', retry: 'terminal' });
  expect(await kept(store)).toBeUndefined();
});

test('the highest that a host may say leaves room for more starts', async () => {
  const store = new MemoryStore();
  expect(await termAbove(store, 2 ** 52)).toBe(2 ** 52 + 1);
  expect(await nextTerm(store)).toBe(2 ** 52 + 2);
});
