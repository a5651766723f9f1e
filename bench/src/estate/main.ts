/** `node bench/src/estate/main.ts DATA_DIR HOSTS INSTANCES [grouped]`: fills the store of a server's data folder. */
import { join } from 'node:path';
import { SqliteStore } from '@plumb/reconciler/store/sqlite.ts';
import { fillEstate } from './fill.ts';

const [dataDir = '', hosts = '30000', instances = '100000', grouped] = process.argv.slice(2);
if (dataDir === '') throw new Error('usage: main.ts DATA_DIR [HOSTS] [INSTANCES] [grouped]');
const store = SqliteStore.open(join(dataDir, 'store'));
const began = performance.now();
await fillEstate(store, { hosts: Number(hosts), instances: Number(instances), grouped: grouped === 'grouped' });
await store.close();
process.stdout.write(
  `${hosts} hosts and ${instances} instances in ${((performance.now() - began) / 1000).toFixed(1)} s\n`,
);
