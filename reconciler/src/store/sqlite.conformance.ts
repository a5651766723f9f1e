import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FixtureOptions, storeConformance } from './conformance.ts';
import { SqliteStore } from './sqlite.ts';
import { connect } from './sqlite-connection.ts';
import { openStoreFile } from './sqlite-file.ts';

type Open = (dir: string, options: FixtureOptions | undefined) => SqliteStore;

function openHere(dir: string, options: FixtureOptions | undefined): SqliteStore {
  const file = openStoreFile(dir);
  return new SqliteStore(file, { ...options, writing: connect(file.path, 'writing') });
}

function conforms(name: string, open: Open): void {
  storeConformance(name, async (options) => {
    const dir = mkdtempSync(join(tmpdir(), 'plumb-store-'));
    let store = open(dir, options);
    return {
      store,
      reopen: async () => {
        await store.close();
        store = open(dir, options);
        return store;
      },
      dispose: async () => {
        await store.close();
        rmSync(dir, { recursive: true });
      },
    };
  });
}

conforms('sqlite', SqliteStore.open);
conforms('sqlite, writing on the same thread,', openHere);
