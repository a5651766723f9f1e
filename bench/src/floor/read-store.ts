/** The least that a start on a filled store can be: opens the store in argv[2], lists all objects, parses each. */
import { SqliteStore } from '@plumb/reconciler/store/sqlite.ts';

const PAGE = 10_000;

const store = SqliteStore.open(process.argv[2] ?? '');
let read = 0;
for (let after: string | undefined = ''; after !== undefined; ) {
  const { entries, more } = await store.list('/objects/', { after, limit: PAGE });
  for (const { value } of entries) if (JSON.parse(value)) read++;
  after = more ? entries.at(-1)?.key : undefined;
}
console.log(`read ${read}`);
await store.close();
