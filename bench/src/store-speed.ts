import { SqliteStore } from '@plumb/reconciler/store/sqlite.ts';
import type { Op, Store } from '@plumb/reconciler/store/store.ts';
import { quantile, type Spread, spread } from './statistics.ts';

/** Per second, unless said otherwise. Values are 1,000 bytes; the store holds 100,000 objects. */
export interface StoreResult {
  repetitions: number;
  objects: number;
  /** Keys put in batches of 100, one batch after the other. */
  putsInBatches: Spread;
  /** Batches of one key from one caller that waits for each. */
  commitsOneByOne: Spread;
  /** Batches of one key, with a precondition, from 100 callers that each wait for theirs. */
  commitsOf100Callers: Spread;
  gets: Spread;
  /** Objects listed in one call. */
  listed: Spread;
  /** Milliseconds of one commit of one caller. */
  commitMs: { median: number; p99: number };
}

const OBJECTS = 100_000;
const VALUE = 'x'.repeat(1_000);
const key = (i: number) => `/objects/instances/default/vm-${i % OBJECTS}`;
/** Visits all objects in an order that follows no page. */
const scattered = (i: number) => key(i * 7_919);
const put = (k: string): Op => ({ type: 'put', key: k, value: VALUE });

/** The embedded store by itself. `folder`: not there yet, on the disk that is measured. */
export async function measureStore(folder: string, repetitions: number): Promise<StoreResult> {
  const store = SqliteStore.open(folder);
  try {
    const runs = [];
    for (let i = 0; i <= repetitions; i++) {
      const run = await once(store);
      if (i > 0) runs.push(run);
    }
    const commits = runs.flatMap((run) => run.commits);
    return {
      repetitions,
      objects: OBJECTS,
      putsInBatches: spread(runs.map((run) => run.putsInBatches)),
      commitsOneByOne: spread(runs.map((run) => run.commitsOneByOne)),
      commitsOf100Callers: spread(runs.map((run) => run.commitsOf100Callers)),
      gets: spread(runs.map((run) => run.gets)),
      listed: spread(runs.map((run) => run.listed)),
      commitMs: { median: quantile(commits, 0.5), p99: quantile(commits, 0.99) },
    };
  } finally {
    await store.close();
  }
}

async function once(store: Store) {
  const putsInBatches = await perSecond(OBJECTS, async () => {
    for (let i = 0; i < OBJECTS; i += 100) {
      await store.commit({ preconditions: [], ops: Array.from({ length: 100 }, (_, j) => put(key(i + j))) });
    }
  });
  const commits: number[] = [];
  const commitsOneByOne = await perSecond(1_000, async () => {
    for (let i = 0; i < 1_000; i++) {
      const started = performance.now();
      await store.commit({ preconditions: [], ops: [put(scattered(i))] });
      commits.push(performance.now() - started);
    }
  });
  const commitsOf100Callers = await perSecond(20_000, () => callers(store, 100, 200));
  const gets = await perSecond(OBJECTS, async () => {
    for (let i = 0; i < OBJECTS; i++) await store.get(scattered(i));
  });
  const listed = await perSecond(OBJECTS, async () => {
    const { entries } = await store.list('/objects/');
    if (entries.length !== OBJECTS) throw new Error(`${entries.length} objects were listed`);
  });
  return { putsInBatches, commitsOneByOne, commitsOf100Callers, gets, listed, commits };
}

async function callers(store: Store, count: number, each: number): Promise<void> {
  const caller = async (first: number) => {
    for (let i = first; i < first + each; i++) {
      const k = scattered(i);
      const revision = (await store.get(k))?.revision ?? 0;
      await store.commit({ preconditions: [{ key: k, revision }], ops: [put(k)] });
    }
  };
  await Promise.all(Array.from({ length: count }, (_, lane) => caller(lane * each)));
}

async function perSecond(n: number, work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return (n / (performance.now() - started)) * 1000;
}
