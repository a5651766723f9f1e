import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { storeConformance } from './conformance.ts';
import { SqliteStore } from './sqlite.ts';

storeConformance('sqlite', async (options) => {
  const dir = mkdtempSync(join(tmpdir(), 'plumb-store-'));
  let store = SqliteStore.open(dir, options);
  return {
    store,
    reopen: async () => {
      await store.close();
      store = SqliteStore.open(dir, options);
      return store;
    },
    dispose: async () => {
      await store.close();
      rmSync(dir, { recursive: true });
    },
  };
});
