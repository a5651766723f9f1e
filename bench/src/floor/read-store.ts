/** The least that a start on a filled store can be: opens the store in argv[2], lists all objects, parses each. */
import { SqliteStore } from '@plumb/reconciler/store/sqlite.ts';

const store = SqliteStore.open(process.argv[2] ?? '');
const { entries } = await store.list('/objects/');
const objects = entries.map(({ value }) => JSON.parse(value) as unknown);
console.log(`read ${objects.length}`);
await store.close();
