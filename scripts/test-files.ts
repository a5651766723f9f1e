/**
 * Conformance and end-to-end files, each run by a process of its own in network and mount namespaces of its own: what one of
 * them makes does not meet what another makes, so several run at once.
 */
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

export interface TestFile {
  /** Project of vitest.config.ts. */
  project: 'conformance' | 'e2e';
  /** From the root of the repository. */
  path: string;
}

const FOLDERS = ['agent/src', 'reconciler/src', 'e2e', 'bench/src'];

/** The longest files, longest first, so that none of them begins last. The others follow in any order. */
const LONGEST = [
  'agent/src/drivers/libvirt/guest.conformance.ts',
  'e2e/faults.e2e.ts',
  'e2e/quickstart.e2e.ts',
  'agent/src/drivers/libvirt/libvirt.conformance.ts',
  'agent/src/drivers/libvirt/hands.conformance.ts',
  'e2e/start.e2e.ts',
  'e2e/terraform-kills.e2e.ts',
  'e2e/random-kills.e2e.ts',
  'reconciler/src/store/sqlite.conformance.ts',
  'e2e/provider-processes.e2e.ts',
  'e2e/provider-release.e2e.ts',
  'e2e/provider.e2e.ts',
];

/** They compare durations, so nothing else runs beside them. */
const ALONE = new Set(['bench/src/short.e2e.ts']);

/** Files to run several at a time, and those to run one by one afterwards. */
export function testFiles(root: string, projects: ReadonlySet<string>): { together: TestFile[]; alone: TestFile[] } {
  const files: TestFile[] = [];
  for (const folder of FOLDERS)
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      const project = /\.(conformance|e2e)\.ts$/.exec(name)?.[1] as TestFile['project'] | undefined;
      if (!project || !projects.has(project) || name.includes('node_modules')) continue;
      files.push({ project, path: relative(root, join(root, folder, name)) });
    }
  const rank = ({ path }: TestFile) => (LONGEST.indexOf(path) + LONGEST.length + 1) % (LONGEST.length + 1);
  files.sort((a, b) => rank(a) - rank(b) || (a.path < b.path ? -1 : 1));
  return {
    together: files.filter(({ path }) => !ALONE.has(path)),
    alone: files.filter(({ path }) => ALONE.has(path)),
  };
}

/** Runs `work` on all items, at most `atOnce` at a time, in their order. Rejects with the first error, when all have ended. */
export async function inParallel<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = items.values();
  const worker = async () => {
    for (const item of waiting) await work(item);
  };
  const ended = await Promise.allSettled(Array.from({ length: atOnce }, worker));
  for (const end of ended) if (end.status === 'rejected') throw end.reason;
}
