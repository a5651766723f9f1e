/**
 * Commits to the store in the folder argv[2] under a limit of file size, in answer to lines on stdin: `fill` commits
 * until one fails, `more` commits once. Answers with one JSON line each. The limit is set, and lifted, from outside.
 */
import { createInterface } from 'node:readline';
import { SqliteStore } from './sqlite.ts';

// The kernel's notice of a reached limit would end the process; the failed write is what is to be seen.
process.on('SIGXFSZ', () => {});
const store = SqliteStore.open(process.argv[2] ?? '');
const say = (what: unknown) => process.stdout.write(`${JSON.stringify(what)}\n`);
let next = 0;

async function put(): Promise<{ key: string; revision?: number; reason?: string; retry?: string }> {
  const key = `/k/${next++}`;
  try {
    const ops = [{ type: 'put' as const, key, value: 'x'.repeat(20_000) }];
    return { key, revision: (await store.commit({ preconditions: [], ops })).revision };
  } catch (error) {
    const { reason, retry } = error as { reason: string; retry: string };
    return { key, reason, retry };
  }
}

say('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const acknowledged: string[] = [];
  let last = await put();
  while (line === 'fill' && last.revision !== undefined && next < 10_000) {
    acknowledged.push(last.key);
    last = await put();
  }
  const keys = (await store.list('/k/')).entries.map((entry) => entry.key);
  say({ acknowledged, last, keys, revision: store.revision() });
}
await store.close();
