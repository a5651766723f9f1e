/**
 * Commits to the store in the folder argv[2] for ever, and writes a line with the revision and key of each commit
 * after it was acknowledged. sqlite-faults.conformance.ts kills it in the middle.
 */
import { writeSync } from 'node:fs';
import { SqliteStore } from './sqlite.ts';

const [dir = '', run = '', lanes = '8'] = process.argv.slice(2);
const store = SqliteStore.open(dir);
writeSync(1, 'ready\n');

async function lane(lane: number): Promise<void> {
  for (let n = 0; ; n++) {
    const key = `/run-${run}/${lane}/${n}`;
    const ops = [key, `${key}/twin`].map((k) => ({ type: 'put' as const, key: k, value: `${key} ${'x'.repeat(500)}` }));
    const { revision } = await store.commit({ preconditions: [{ key, revision: 0 }], ops });
    // Synchronous: a line that was written survives the kill, in the pipe.
    writeSync(1, `${revision} ${key}\n`);
  }
}

await Promise.all(Array.from({ length: Number(lanes) }, (_, i) => lane(i)));
