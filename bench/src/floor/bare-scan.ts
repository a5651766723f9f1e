import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { SqliteStore } from '@plumb/reconciler/store/sqlite.ts';
import { fillDataDir } from '../processes/estate.ts';

const INSTANCES = '/objects/instances/';
const PAGE = 1_000;

/** The least that a comparison of all instances with something else can be. */
export interface BareScan {
  /** Milliseconds: lists all instances, parses each, and compares all of it with a copy that is parsed already. */
  measure(): Promise<number>;
  close(): Promise<void>;
}

/** Fills a store of its own in `dataDir` with the estate; the other one is the server's alone. */
export async function startBareScan(dataDir: string, size: { hosts: number; instances: number }): Promise<BareScan> {
  await fillDataDir(dataDir, size);
  const store = SqliteStore.open(join(dataDir, 'store'));
  const copies = new Map<string, unknown>();
  await eachEntry(store, (key, value) => copies.set(key, JSON.parse(value)));
  return {
    async measure() {
      let same = 0;
      const started = performance.now();
      await eachEntry(store, (key, value) => {
        if (isDeepStrictEqual(JSON.parse(value), copies.get(key))) same++;
      });
      const took = performance.now() - started;
      if (same !== size.instances) throw new Error(`${same} of ${size.instances} instances are the same`);
      return took;
    },
    close: () => store.close(),
  };
}

async function eachEntry(store: SqliteStore, look: (key: string, value: string) => void): Promise<void> {
  for (let after: string | undefined = ''; after !== undefined; ) {
    const { entries, more } = await store.list(INSTANCES, { after, limit: PAGE });
    for (const { key, value } of entries) look(key, value);
    after = more ? entries.at(-1)?.key : undefined;
  }
}
