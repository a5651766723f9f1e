import type { PlumbError } from '@plumb/schemas';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { conformsToModel } from './conformance-model.ts';
import { conformingWatch } from './conformance-watch.ts';
import type { ConflictError } from './errors.ts';
import {
  MAX_BATCH_BYTES,
  MAX_BATCH_KEYS,
  MAX_BYTES_BESIDE_ONE,
  type Op,
  type Precondition,
  type Store,
} from './store.ts';

/** An empty store of the backend under test. */
export interface StoreFixture {
  store: Store;
  /** Closes the store and opens it again on the same data; absent on backends that forget. */
  reopen?: () => Promise<Store>;
  /** Closes the store if it is open and removes what it left. */
  dispose(): Promise<void>;
}

export interface FixtureOptions {
  /** Commits that a watcher may be behind before it is ended. */
  watchBuffer?: number;
}

export type OpenFixture = (options?: FixtureOptions) => Promise<StoreFixture>;

/** What every backend promises (see Store). Each backend's `*.conformance.ts` runs it. */
export function storeConformance(name: string, open: OpenFixture): void {
  describe(`${name} store`, () => {
    let fixture: StoreFixture;
    let store: Store;
    beforeEach(async () => {
      fixture = await open();
      store = fixture.store;
    });
    afterEach(() => fixture.dispose());

    test('an empty store is at revision 0 and holds nothing', async () => {
      expect(store.revision()).toBe(0);
      expect(await store.get('/a')).toBeUndefined();
      expect(await store.list('')).toEqual({ entries: [], revision: 0, more: false });
      expect(await store.list('', { revision: 0 })).toEqual({ entries: [], revision: 0, more: false });
    });

    test('a batch is one revision, greater than all before', async () => {
      const first = await store.commit({ preconditions: [], ops: [put('/a', '1'), put('/b', '2')] });
      const second = await store.commit({ preconditions: [], ops: [put('/a', '3'), del('/b')] });
      expect(second.revision).toBeGreaterThan(first.revision);
      expect(store.revision()).toBe(second.revision);
      expect(await store.get('/a')).toEqual({ key: '/a', value: '3', revision: second.revision });
      expect(await store.get('/b')).toBeUndefined();
      expect((await store.list('', { revision: first.revision })).entries).toEqual([
        { key: '/a', value: '1', revision: first.revision },
        { key: '/b', value: '2', revision: first.revision },
      ]);
    });

    test('values come back as they were given', async () => {
      for (const value of ['', '{}', 'a\u0000b', '"\u{1f600}é\u2028', '\ufeff\ufffd', 'x'.repeat(300_000)]) {
        await store.commit({ preconditions: [], ops: [put('/v', value)] });
        expect((await store.get('/v'))?.value).toBe(value);
        expect((await store.list('/v')).entries[0]?.value).toBe(value);
      }
    });

    test('a failed precondition names its keys and writes nothing', async () => {
      const { revision } = await store.commit({ preconditions: [], ops: [put('/a', '1'), put('/b', '1')] });
      const attempt = store.commit({
        preconditions: [at('/a', revision), at('/b', 0), at('/c', revision), at('/d', 0)],
        ops: [put('/a', '2')],
      });
      const conflict = (await failure(attempt)) as ConflictError;
      expect(conflict.reason).toBe('Conflict');
      expect(conflict.retry).toBe('retry');
      expect(conflict.keys).toEqual(['/b', '/c']);
      expect(store.revision()).toBe(revision);
      expect((await store.get('/a'))?.value).toBe('1');
    });

    test('preconditions speak of the last write: after a deletion the key does not exist', async () => {
      const created = await store.commit({ preconditions: [at('/a', 0)], ops: [put('/a', '1')] });
      const deleted = await store.commit({ preconditions: [at('/a', created.revision)], ops: [del('/a')] });
      expect((await failure(store.commit(check(at('/a', created.revision))))).reason).toBe('Conflict');
      expect((await failure(store.commit(check(at('/a', deleted.revision))))).reason).toBe('Conflict');
      await store.commit({ preconditions: [at('/a', 0)], ops: [put('/a', '2')] });
      expect((await store.get('/a'))?.value).toBe('2');
    });

    test('a batch that changes nothing takes no revision', async () => {
      const { revision } = await store.commit({ preconditions: [], ops: [put('/a', '1')] });
      expect(await store.commit({ preconditions: [at('/a', revision)], ops: [] })).toEqual({ revision });
      expect(await store.commit({ preconditions: [], ops: [del('/not-there')] })).toEqual({ revision });
      expect(store.revision()).toBe(revision);
    });

    test('a put of the same value is a write', async () => {
      const first = await store.commit({ preconditions: [], ops: [put('/a', '1')] });
      const second = await store.commit({ preconditions: [], ops: [put('/a', '1')] });
      expect(second.revision).toBeGreaterThan(first.revision);
      expect((await store.get('/a'))?.revision).toBe(second.revision);
    });

    test('batches that arrive together fail alone', async () => {
      const outcomes = await Promise.allSettled(
        Array.from({ length: 20 }, (_, i) =>
          store.commit({ preconditions: [at('/one', 0)], ops: [put('/one', String(i)), put(`/each/${i}`, 'x')] }),
        ),
      );
      const winners = outcomes.flatMap((outcome, i) => (outcome.status === 'fulfilled' ? [i] : []));
      expect(winners).toHaveLength(1);
      expect((await store.get('/one'))?.value).toBe(String(winners[0]));
      expect((await store.list('/each/')).entries.map((entry) => entry.key)).toEqual([`/each/${winners[0]}`]);
    });

    test('batches that arrive together each have a revision', async () => {
      const committed = await Promise.all(
        Array.from({ length: 50 }, (_, i) => store.commit({ preconditions: [], ops: [put(`/k${i}`, 'x')] })),
      );
      expect(new Set(committed.map((c) => c.revision)).size).toBe(50);
      expect(Math.max(...committed.map((c) => c.revision))).toBe(store.revision());
    });

    test('a batch holds at most MAX_BATCH_KEYS keys, each once, printable ASCII, and well-formed values', async () => {
      const many = (n: number) => Array.from({ length: n }, (_, i) => put(`/k${i}`, 'x'));
      const full = await store.commit({
        preconditions: many(MAX_BATCH_KEYS).map((p) => at(p.key, 0)),
        ops: many(MAX_BATCH_KEYS),
      });
      const refused = [
        { preconditions: [], ops: many(MAX_BATCH_KEYS + 1) },
        { preconditions: [], ops: [put('/a', '1'), del('/a')] },
        { preconditions: [], ops: [put('', '1')] },
        { preconditions: [], ops: [put('/ä', '1')] },
        { preconditions: [], ops: [put('/a b', '1')] },
        { preconditions: [], ops: [put('/a', '\ud800')] },
        { preconditions: [at('/a', -1)], ops: [] },
      ];
      for (const batch of refused) {
        const error = await failure(store.commit(batch));
        expect([error.reason, error.retry]).toEqual(['InvalidBatch', 'terminal']);
      }
      expect(store.revision()).toBe(full.revision);
    });

    test('a batch writes at most MAX_BATCH_BYTES; one object may be larger, with little beside it', async () => {
      const half = 'ä'.repeat(MAX_BATCH_BYTES / 4 - 1); // two bytes each
      const large = 'x'.repeat(MAX_BATCH_BYTES + 100);
      const beside = put('/b', 'x'.repeat(MAX_BYTES_BESIDE_ONE - 2));
      await store.commit({ preconditions: [], ops: [put('/a', half), put('/b', half)] });
      const { revision } = await store.commit({ preconditions: [], ops: [put('/a', large), beside] });
      for (const ops of [
        [put('/a', half), put('/b', half), put('/c', 'x')],
        [put('/a', large), put('/b', 'x'.repeat(MAX_BYTES_BESIDE_ONE))],
      ]) {
        const error = await failure(store.commit({ preconditions: [], ops }));
        expect([error.reason, error.retry]).toEqual(['BatchTooLarge', 'terminal']);
      }
      expect(store.revision()).toBe(revision);
      expect((await store.get('/a'))?.value).toBe(large);
    });

    test('what is no key is not there', async () => {
      expect(await store.get('')).toBeUndefined();
      expect(await store.get('/ä')).toBeUndefined();
      expect((await store.list('/ä')).entries).toEqual([]);
    });

    test('list gives a prefix in key order, in pages', async () => {
      const keys = ['/a', '/a/', '/a/1', '/a/10', '/a/2', '/a/~', '/a0', '/b/1'];
      await store.commit({ preconditions: [], ops: keys.toReversed().map((key) => put(key, key)) });
      const all = await store.list('/a/');
      expect(all.entries.map((entry) => entry.key)).toEqual(['/a/', '/a/1', '/a/10', '/a/2', '/a/~']);
      expect(all.more).toBe(false);

      const seen: string[] = [];
      let after: string | undefined;
      for (;;) {
        const page = await store.list('/a/', { limit: 2, revision: all.revision, ...(after ? { after } : {}) });
        seen.push(...page.entries.map((entry) => entry.key));
        after = page.entries.at(-1)?.key;
        if (!page.more) break;
        expect(page.entries).toHaveLength(2);
      }
      expect(seen).toEqual(all.entries.map((entry) => entry.key));
      expect((await store.list('/a/', { after: '/a/1' })).entries[0]?.key).toBe('/a/10');
      expect((await store.list('/a/', { after: '/0' })).entries[0]?.key).toBe('/a/');
      expect((await store.list('/a/', { after: '/b' })).entries).toEqual([]);
    });

    test('pages at one revision see that revision, whatever is written between them', async () => {
      for (let i = 0; i < 5; i++) await store.commit({ preconditions: [], ops: [put(`/k${i}`, 'old')] });
      const first = await store.list('/k', { limit: 2 });
      await store.commit({ preconditions: [], ops: [put('/k2', 'new'), del('/k3'), put('/k2a', 'new')] });
      const rest = await store.list('/k', { revision: first.revision, after: '/k1' });
      expect(rest.entries.map((entry) => [entry.key, entry.value])).toEqual([
        ['/k2', 'old'],
        ['/k3', 'old'],
        ['/k4', 'old'],
      ]);
      await store.commit({ preconditions: [], ops: [put('/k3', 'again')] });
      const page = await store.list('/k', { revision: first.revision, after: '/k1', limit: 2 });
      expect([page.entries.map((entry) => entry.key), page.more]).toEqual([['/k2', '/k3'], true]);
      // An abandoned page must not keep later commits from being made.
      await store.commit({ preconditions: [], ops: [put('/k9', 'x')] });
    });

    test('compact forgets what is older and keeps what is there', async () => {
      const one = await store.commit({ preconditions: [], ops: [put('/a', '1'), put('/gone', '1')] });
      const two = await store.commit({ preconditions: [], ops: [put('/a', '2'), del('/gone')] });
      const three = await store.commit({ preconditions: [], ops: [put('/a', '3'), put('/gone', 'back')] });
      await store.compact(two.revision);
      const error = await failure(store.list('', { revision: one.revision }));
      expect([error.reason, error.retry]).toEqual(['Compacted', 'retry']);
      expect(values((await store.list('', { revision: two.revision })).entries)).toEqual({ '/a': '2' });
      expect(values((await store.list('')).entries)).toEqual({ '/a': '3', '/gone': 'back' });
      await store.compact(three.revision);
      await store.compact(one.revision);
      expect(values((await store.list('', { revision: three.revision })).entries)).toEqual({
        '/a': '3',
        '/gone': 'back',
      });
      expect(store.revision()).toBe(three.revision);
    });

    test('a revision that was never reached cannot be read or compacted', async () => {
      const { revision } = await store.commit({ preconditions: [], ops: [put('/a', '1')] });
      expect((await failure(store.list('', { revision: revision + 1 }))).reason).toBe('Compacted');
      expect((await failure(store.compact(revision + 1))).reason).toBe('Compacted');
    });

    test('a closed store refuses everything', async () => {
      await store.commit({ preconditions: [], ops: [put('/a', '1')] });
      await store.close();
      await store.close();
      for (const attempt of [store.get('/a'), store.list(''), store.commit(check()), store.compact(1)]) {
        expect((await failure(attempt)).reason).toBe('StoreUnavailable');
      }
    });

    test('a store that remembers has everything after it was opened again', async () => {
      if (!fixture.reopen) return expect(name).toBe('memory');
      const one = await store.commit({ preconditions: [], ops: [put('/a', '1'), put('/b', '1')] });
      const two = await store.commit({ preconditions: [], ops: [put('/a', '2'), del('/b')] });
      store = await fixture.reopen();
      expect(store.revision()).toBe(two.revision);
      expect(values((await store.list('')).entries)).toEqual({ '/a': '2' });
      expect(values((await store.list('', { revision: one.revision })).entries)).toEqual({ '/a': '1', '/b': '1' });

      const three = await store.commit({ preconditions: [at('/a', two.revision)], ops: [del('/a')] });
      await store.compact(three.revision);
      store = await fixture.reopen();
      expect(store.revision()).toBe(three.revision);
      expect((await failure(store.list('', { revision: two.revision }))).reason).toBe('Compacted');
      const four = await store.commit({ preconditions: [at('/a', 0)], ops: [put('/a', '4')] });
      expect(four.revision).toBeGreaterThan(three.revision);
    });

    conformingWatch(open);
    conformsToModel(open);
  });
}

export const put = (key: string, value: string): Op => ({ type: 'put', key, value });
export const del = (key: string): Op => ({ type: 'delete', key });
const at = (key: string, revision: number): Precondition => ({ key, revision });
const check = (...preconditions: Precondition[]) => ({ preconditions, ops: [] });

/** The PlumbError that the promise rejects with. */
export async function failure(attempt: Promise<unknown>): Promise<PlumbError> {
  try {
    await attempt;
  } catch (error) {
    return error as PlumbError;
  }
  throw new Error('it succeeded');
}

export function values(entries: { key: string; value: string }[]): Record<string, string> {
  return Object.fromEntries(entries.map(({ key, value }) => [key, value]));
}
