import fc from 'fast-check';
import { expect, test } from 'vitest';
import { failure, type OpenFixture } from './conformance.ts';
import { expectNothing, take } from './conformance-watch.ts';
import { ConflictError } from './errors.ts';
import type { Batch, Entry, Op, Store, WatchBatch } from './store.ts';

const KEYS = ['/a', '/a/1', '/a/1x', '/a/2', '/b/1', '/b/~', '/c'];
const PREFIXES = ['', '/', '/a', '/a/', '/a/1', '/b/', '/zz'];

/** Histories per store; `npm run soak -- --store N` sets another number. */
const RUNS = Number(process.env.PLUMB_STORE_RUNS ?? '50');

/** Random histories against a model: one map per revision. Finds what nobody thought of writing down. */
export function conformsToModel(open: OpenFixture): void {
  test('random commits, lists, watches, compactions and restarts agree with the model', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 1, maxLength: 40 }), async (actions) => {
        const fixture = await open();
        try {
          await new Run(fixture.store, fixture.reopen).all(actions);
        } finally {
          await fixture.dispose();
        }
      }),
      { numRuns: RUNS },
    );
  });
}

const key = fc.constantFrom(...KEYS);
const prefix = fc.constantFrom(...PREFIXES);
/** Position in history: 0 the first revision, 1 the newest. */
const position = fc.double({ min: 0, max: 1, noNaN: true });

const op = fc.oneof(
  fc.record({ type: fc.constant('put' as const), key, value: fc.string({ unit: 'grapheme', maxLength: 8 }) }),
  fc.record({ type: fc.constant('delete' as const), key }),
);

/** Preconditions by what they say of the state before the action; most of them hold. */
const batch = fc.record({
  ops: fc.uniqueArray(op, { selector: (o) => o.key, maxLength: 4 }),
  expect: fc.uniqueArray(
    fc.record({ key, how: fc.constantFrom('current' as const, 'current' as const, 'absent' as const, 'old' as const) }),
    { selector: (p) => p.key, maxLength: 2 },
  ),
});
type RandomBatch = typeof batch extends fc.Arbitrary<infer T> ? T : never;

const action = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('commit' as const),
      batches: fc.array(batch, { minLength: 1, maxLength: 5 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('list' as const),
      prefix,
      position,
      after: fc.option(key),
      limit: fc.option(fc.integer({ min: 1, max: 4 })),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('watch' as const), prefix, position }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('compact' as const), position }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const) }) },
);
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

/** A revision and what was there then. */
interface Snapshot {
  revision: number;
  entries: Map<string, Entry>;
}

class Run {
  #store: Store;
  readonly #reopen: (() => Promise<Store>) | undefined;
  readonly #snapshots: Snapshot[] = [{ revision: 0, entries: new Map() }];
  /** Index of the oldest snapshot that the store keeps. */
  #oldest = 0;
  #watches: { iterator: AsyncIterator<WatchBatch>; prefix: string; from: number }[] = [];
  #end = new AbortController();

  constructor(store: Store, reopen: (() => Promise<Store>) | undefined) {
    this.#store = store;
    this.#reopen = reopen;
  }

  async all(actions: Action[]): Promise<void> {
    this.#watch('', 0);
    this.#watch('/a/', 0);
    for (const one of actions) {
      if (one.do === 'commit') await this.#commit(one.batches);
      else if (one.do === 'list') await this.#list(one);
      else if (one.do === 'watch') this.#watch(one.prefix, this.#at(one.position));
      else if (one.do === 'compact') await this.#compact(this.#at(one.position));
      else await this.#restart();
    }
    await this.#list({ prefix: '', position: 1, after: null, limit: null });
    for (const { key, value, revision } of this.#newest.entries.values()) {
      expect(await this.#store.get(key)).toEqual({ key, value, revision });
    }
    await this.#checkWatches();
  }

  get #newest(): Snapshot {
    return this.#snapshots.at(-1) as Snapshot;
  }

  #at(where: number): number {
    return Math.round(where * (this.#snapshots.length - 1));
  }

  async #commit(random: RandomBatch[]): Promise<void> {
    const before = this.#snapshots.length - 1;
    const batches = random.map((one) => this.#concrete(one));
    const outcomes = await Promise.allSettled(batches.map((one) => this.#store.commit(one)));
    const committed: { batch: Batch; revision: number }[] = [];
    const rejected: { batch: Batch; error: unknown }[] = [];
    for (const [i, outcome] of outcomes.entries()) {
      const one = batches[i] as Batch;
      if (outcome.status === 'rejected') rejected.push({ batch: one, error: outcome.reason });
      else if (!this.#changes(one, before) && outcome.value.revision <= this.#newest.revision) continue;
      else committed.push({ batch: one, revision: outcome.value.revision });
    }
    committed.sort((a, b) => a.revision - b.revision);
    for (const one of committed) this.#apply(one.batch, one.revision);
    expect(this.#store.revision()).toBe(this.#newest.revision);
    // A batch may be refused only if its preconditions failed at some moment while it was under way.
    for (const { batch: one, error } of rejected) {
      expect(error).toBeInstanceOf(ConflictError);
      const couldFail = this.#snapshots.slice(before).some((at) => !holds(one, at));
      expect(couldFail).toBe(true);
    }
  }

  #concrete(random: RandomBatch): Batch {
    const preconditions = random.expect.map(({ key, how }) => {
      const current = this.#newest.entries.get(key)?.revision ?? 0;
      return { key, revision: how === 'current' ? current : how === 'absent' ? 0 : Math.max(0, current - 1) };
    });
    return { preconditions, ops: random.ops as Op[] };
  }

  /** Whether the batch writes anything in any state from snapshot `since` on. */
  #changes(one: Batch, since: number): boolean {
    return one.ops.some((o) => o.type === 'put' || this.#snapshots.slice(since).some((at) => at.entries.has(o.key)));
  }

  #apply(one: Batch, revision: number): void {
    const last = this.#newest;
    expect(holds(one, last)).toBe(true);
    const entries = new Map(last.entries);
    let changed = false;
    for (const o of one.ops) {
      if (o.type === 'put') entries.set(o.key, { key: o.key, value: o.value, revision });
      else if (!entries.delete(o.key)) continue;
      changed = true;
    }
    if (!changed) {
      expect(revision).toBe(last.revision);
      return;
    }
    expect(revision).toBeGreaterThan(last.revision);
    this.#snapshots.push({ revision, entries });
  }

  async #list(one: { prefix: string; position: number; after: string | null; limit: number | null }): Promise<void> {
    const index = this.#at(one.position);
    const { revision, entries } = this.#snapshots[index] as Snapshot;
    const options = {
      revision,
      ...(one.after ? { after: one.after } : {}),
      ...(one.limit ? { limit: one.limit } : {}),
    };
    if (index < this.#oldest) {
      expect((await failure(this.#store.list(one.prefix, options))).reason).toBe('Compacted');
      return;
    }
    const expected = [...entries.values()]
      .filter((entry) => entry.key.startsWith(one.prefix) && (one.after === null || entry.key > one.after))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    const limit = one.limit ?? expected.length;
    expect(await this.#store.list(one.prefix, options)).toEqual({
      entries: expected.slice(0, limit),
      revision,
      more: expected.length > limit,
    });
  }

  #watch(under: string, index: number): void {
    if (index < this.#oldest) return;
    const { revision } = this.#snapshots[index] as Snapshot;
    const iterator = this.#store.watch(under, revision, this.#end.signal)[Symbol.asyncIterator]();
    this.#watches.push({ iterator, prefix: under, from: index });
  }

  /** Every watch has told exactly what the model says, then nothing more. */
  async #checkWatches(): Promise<void> {
    for (const { iterator, prefix: under, from } of this.#watches) {
      if (from < this.#oldest) {
        expect((await failure(iterator.next())).reason).toBe('Compacted');
        continue;
      }
      const expected = this.#history(under, from);
      expect((await take(iterator, expected.length)).map(sorted)).toEqual(expected);
      await expectNothing(iterator);
    }
    this.#end.abort();
    this.#watches = [];
    this.#end = new AbortController();
  }

  #history(under: string, from: number): WatchBatch[] {
    const batches: WatchBatch[] = [];
    for (let i = from + 1; i < this.#snapshots.length; i++) {
      const before = (this.#snapshots[i - 1] as Snapshot).entries;
      const { revision, entries } = this.#snapshots[i] as Snapshot;
      const changes = KEYS.filter((k) => k.startsWith(under) && entries.get(k) !== before.get(k)).map((k) => ({
        key: k,
        value: entries.get(k)?.value,
        previous: before.get(k)?.value,
      }));
      if (changes.length > 0) batches.push(sorted({ revision, changes }));
    }
    return batches;
  }

  async #compact(index: number): Promise<void> {
    await this.#store.compact((this.#snapshots[index] as Snapshot).revision);
    this.#oldest = Math.max(this.#oldest, index);
  }

  async #restart(): Promise<void> {
    if (!this.#reopen) return;
    await this.#checkWatches();
    this.#store = await this.#reopen();
    expect(this.#store.revision()).toBe(this.#newest.revision);
  }
}

function holds(one: Batch, at: Snapshot): boolean {
  return one.preconditions.every((p) => (at.entries.get(p.key)?.revision ?? 0) === p.revision);
}

function sorted({ revision, changes }: WatchBatch): WatchBatch {
  return { revision, changes: changes.toSorted((a, b) => (a.key < b.key ? -1 : 1)) };
}
