import { join } from 'node:path';
import { startChild } from '../processes/child.ts';

const READER = join(import.meta.dirname, 'read-store.ts');

/** Milliseconds in which a process is started that opens the store of a server's data folder and reads all objects. */
export async function readTime(dataDir: string): Promise<number> {
  const started = performance.now();
  const reader = await startChild(READER, [join(dataDir, 'store')], /^read \d+$/);
  const took = performance.now() - started;
  await reader.end();
  return took;
}
