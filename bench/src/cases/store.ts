import { join } from 'node:path';
import { SqliteStore } from '@plumb/reconciler/store/sqlite.ts';
import type { Op, Store } from '@plumb/reconciler/store/store.ts';
import type { Case } from '../case.ts';
import { Records } from '../floor/records.ts';
import { newHistogram, recordMs } from '../latencies.ts';

const CALLERS = 100;
const EACH = 200;
const VALUE = 'x'.repeat(1_000);
const put = (key: string): Op => ({ type: 'put', key, value: VALUE });

export const store: Case = {
  name: 'store',
  title: 'The embedded store by itself',
  about: [
    'The product’s SQLite store in this process, with N objects of 1,000 bytes in it. The case’s own figure is 20,000 reads each',
    'followed by a commit with a precondition, from 100 callers that each wait for theirs. The floor is the same number of',
    'records of 1 KiB, put into a bare SQLite table in 200 transactions: one for all callers each time.',
  ].join('\n'),
  axis: 'objects in the store',
  sizes: [1_000, 10_000, 100_000],
  figures: [
    { name: 'callers', title: '20,000 commits of 100 callers', unit: 'ms' },
    { name: 'load', title: 'N puts in batches of 100', unit: 'ms' },
    { name: 'single', title: 'one commit of one caller', unit: 'ms' },
    { name: 'gets', title: '100,000 gets', unit: 'ms' },
    { name: 'list', title: 'listing all N', unit: 'ms' },
  ],
  goals: [],
  picture: { also: ['load', 'list'] },
  async open(size, { folder }) {
    const store = SqliteStore.open(join(folder, 'store'));
    const floor = new Records(folder);
    const key = (i: number) => `/objects/instances/default/vm-${i % size}`;
    /** Visits all objects in an order that follows no page. */
    const scattered = (i: number) => key(i * 7_919);
    return {
      async run() {
        const load = await took(async () => {
          for (let i = 0; i < size; i += 100)
            await store.commit({ preconditions: [], ops: Array.from({ length: 100 }, (_, j) => put(key(i + j))) });
        });
        const latencies = newHistogram();
        const singles = await took(async () => {
          for (let i = 0; i < 1_000; i++) {
            const started = performance.now();
            await store.commit({ preconditions: [], ops: [put(scattered(i))] });
            recordMs(latencies, performance.now() - started);
          }
        });
        // Each caller has keys of its own: it is not about conflicts.
        const callers = await took(() => commitFrom(store, (caller, i) => key(caller + CALLERS * i * 79)));
        const gets = await took(async () => {
          for (let i = 0; i < 100_000; i++) await store.get(scattered(i));
        });
        const list = await took(async () => {
          const { entries } = await store.list('/objects/');
          if (entries.length !== size) throw new Error(`${entries.length} objects were listed, and not ${size}`);
        });
        return { figures: { callers, load, single: singles / 1_000, gets, list }, latencies };
      },
      floor: async () => ({ callers: floor.measure(CALLERS * EACH, EACH) }),
      async close() {
        floor.close();
        await store.close();
      },
    };
  },
};

async function commitFrom(store: Store, key: (caller: number, i: number) => string): Promise<void> {
  const calls = async (caller: number) => {
    for (let i = 0; i < EACH; i++) {
      const k = key(caller, i);
      const revision = (await store.get(k))?.revision ?? 0;
      await store.commit({ preconditions: [{ key: k, revision }], ops: [put(k)] });
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, (_, caller) => calls(caller)));
}

async function took(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
