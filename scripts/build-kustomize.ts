/** The program kustomize, by which the server renders repositories that have a kustomization, where Go is there to build it. */
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { dist, isUpToDate, remember } from './build-inputs.ts';

const run = promisify(execFile);

/** Pinned: what it makes of a repository must not change by itself. Go's checksum database says that it is what it was. */
const MODULE = 'sigs.k8s.io/kustomize/kustomize/v5@v5.7.1';

export const KUSTOMIZE = join(dist, 'kustomize', 'kustomize');

export interface Kustomize {
  /** The binary; undefined where there is no Go, or nothing to download it from. */
  path: string | undefined;
  line: string;
}

/** Without it, repositories with a kustomization are refused with a sentence; everything else works. */
export async function buildKustomize(): Promise<Kustomize> {
  const skipped = (why: string) => ({ path: undefined, line: `kustomize: skipped, since ${why}` });
  const version = await run('go', ['version']).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
  if (version === undefined) return skipped('go is not in PATH');
  if (isUpToDate('kustomize', `${version} ${MODULE}`, [KUSTOMIZE]))
    return { path: KUSTOMIZE, line: 'kustomize: unchanged' };
  const folder = join(dist, 'kustomize');
  mkdirSync(folder, { recursive: true });
  try {
    await run('go', ['install', '-trimpath', '-ldflags=-s -w', MODULE], {
      cwd: folder,
      env: { ...process.env, GOBIN: folder, CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOWORK: 'off', GOFLAGS: '' },
    });
  } catch (error) {
    return skipped(`it could not be built: ${(error as Error).message.split('\n', 2)[1] ?? 'go says no more'}`);
  }
  remember('kustomize', `${version} ${MODULE}`, ['scripts/build-kustomize.ts']);
  return { path: KUSTOMIZE, line: `kustomize: built (${MODULE})` };
}
