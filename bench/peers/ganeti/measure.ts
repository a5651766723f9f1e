import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../../scripts/run.ts';
import type { PeerRun } from '../result.ts';
import { APART, type GanetiRoot } from './root.ts';

const INSIDE = join(import.meta.dirname, 'inside.ts');

/** Creates `size` instances at once on a cluster that is new. `folder`: on the disk that is measured. */
export async function measureGaneti(root: GanetiRoot, folder: string, size: number): Promise<PeerRun> {
  const state = join(folder, 'ganeti');
  mkdirSync(state, { recursive: true });
  try {
    // A shell as the first process: it asks about the orphans that daemons leave, which Node does not.
    const script = '"$@"; exit $?';
    const inside = [process.execPath, INSIDE, root.path, state, `${size}`];
    const args = [...APART, '--net', '--uts', '--ipc', 'sh', '-c', script, 'sh', ...inside];
    const { stdout } = await run('unshare', args);
    return JSON.parse(stdout.trim().split('\n').at(-1)!) as PeerRun;
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
}
