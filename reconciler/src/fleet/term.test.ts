import { defaultServerLimits } from '@plumb/schemas/limits/server.ts';
import { expect, test } from 'vitest';
import { FakeClock } from '../runtime/fake-clock.ts';
import { keys } from '../store/keys.ts';
import { MemoryStore } from '../store/memory.ts';
import { notePutBack, readPutBack } from '../store/put-back.ts';
import { isOfLostTime, issuedTerms, nextTerm, termAbove, termAt } from './term.ts';

const DAY_MS = 86_400_000;
const kept = async (store: MemoryStore) => (await store.get(keys.control('term')))?.value;

function surroundings(random = 0.5) {
  const clock = new FakeClock();
  const ambient = { clock, random: { next: () => random } };
  const above = (store: MemoryStore, heard: number) => termAbove(store, heard, clock.now(), defaultServerLimits);
  return { clock, ambient, above };
}

test('every start has a term of its own, also when several start at once', async () => {
  const store = new MemoryStore();
  const { ambient } = surroundings();
  const terms = [await nextTerm(store, ambient)];
  terms.push(...(await Promise.all([nextTerm(store, ambient), nextTerm(store, ambient), nextTerm(store, ambient)])));
  expect(new Set(terms).size).toBe(4);
  expect(Math.min(...terms)).toBe(terms[0]);
  expect(await kept(store)).toBe(String(Math.max(...terms)));
});

test('a store that was put back to an earlier time begins above every term of its later life', async () => {
  const { ambient, clock } = surroundings();
  const later = new MemoryStore();
  let last = 0;
  for (let start = 0; start < 1000; start++) {
    await clock.advance(1_000);
    last = await nextTerm(later, ambient);
  }
  await clock.advance(1_000);
  expect(await nextTerm(new MemoryStore(), ambient)).toBeGreaterThan(last);
});

test('two stores that are put back to one time and started in the same second do not collide', async () => {
  const one = surroundings(0.1);
  const other = surroundings(0.100001);
  expect(await nextTerm(new MemoryStore(), one.ambient)).not.toBe(await nextTerm(new MemoryStore(), other.ambient));
});

test('a clock that stands in the past, or far in the future, still counts up with exact numbers', async () => {
  for (const start of [0, Date.parse('9999-01-01')]) {
    const clock = new FakeClock(start);
    const store = new MemoryStore();
    let before = 0;
    for (const random of [0, 0.999_999]) {
      const term = await nextTerm(store, { clock, random: { next: () => random } });
      expect(term).toBeGreaterThan(before);
      expect(Number.isSafeInteger(term + 2 ** 40)).toBe(true);
      before = term;
    }
  }
});

test('a term above what a host has heard of is kept before it is used; one that is high enough stays', async () => {
  const { ambient, above } = surroundings();
  const store = new MemoryStore();
  const first = await nextTerm(store, ambient);
  const raised = await above(store, first + 40);
  expect(raised).toBe(first + 41);
  expect(await kept(store)).toBe(String(raised));
  expect(await above(store, 3)).toBe(raised);
  expect(await above(store, raised)).toBe(raised + 1);
  expect(await nextTerm(store, ambient)).toBeGreaterThan(raised + 1);
});

test.each([2 ** 53, Number.NaN, 1.5, -1.5, 2 ** 52, 2 ** 52 + 1, termAt(Date.parse('2026-01-03'))])(
  'no host pushes the term to %d',
  async (heard) => {
    const { above } = surroundings();
    const store = new MemoryStore();
    await expect(above(store, heard)).rejects.toMatchObject({ reason: 'TermOutOfRange', retry: 'retry' });
    expect(await kept(store)).toBeUndefined();
  },
);

test('hosts that push as far and as often as they may lock nobody out of a store that is put back', async () => {
  const { ambient, above, clock } = surroundings(0.999_999);
  const backup = new MemoryStore();
  await nextTerm(backup, ambient);
  const store = new MemoryStore();
  await nextTerm(store, ambient);
  let obeyed = 0;
  for (let day = 0; day < 30; day++) {
    obeyed = await above(store, termAt(clock.now() + DAY_MS));
    obeyed = await nextTerm(store, ambient);
    await clock.advance(DAY_MS);
  }
  const begun = await nextTerm(backup, ambient);
  expect(Math.max(begun, await above(backup, obeyed))).toBeGreaterThan(obeyed);
});

test('a term of a later life of the store, which was put back, is told from those of its own starts', async () => {
  const { ambient, clock } = surroundings();
  const store = new MemoryStore();
  const terms: number[] = [];
  for (let start = 0; start < 3; start++) {
    await clock.advance(1_000);
    terms.push(await nextTerm(store, ambient));
  }
  const lost = terms[2]! + 5;
  await clock.advance(10_000);
  const now = await nextTerm(store, ambient);
  const issued = await issuedTerms(store);
  expect(issued).toEqual([...terms, now]);
  for (const known of issued) expect(isOfLostTime(issued, known)).toBe(false);
  expect(isOfLostTime(issued, lost)).toBe(true);
  expect(isOfLostTime(issued, terms[0]! - 1)).toBe(false);
  expect(isOfLostTime([], lost)).toBe(false);
  expect(await readPutBack(store)).toBeUndefined();
  await notePutBack(store, lost, { term: now, at: 1 });
  // Another host of the same lost time says nothing new, also after the next start.
  await notePutBack(store, lost + 1, { term: now + 9, at: 2 });
  expect(await readPutBack(store)).toEqual({ term: now, at: 1 });
  const raised = await termAbove(store, now + 20, clock.now(), defaultServerLimits);
  expect(await readPutBack(store)).toEqual({ term: raised, at: clock.now() });
});

test('a store of 0.3.0 begins with the term that it knows', async () => {
  const store = new MemoryStore();
  const { ambient } = surroundings();
  await store.commit({ preconditions: [], ops: [{ type: 'put', key: keys.control('term'), value: '77' }] });
  const term = await nextTerm(store, ambient);
  const issued = await issuedTerms(store);
  expect(issued).toEqual([77, term]);
  expect(isOfLostTime(issued, 70)).toBe(false);
});
