/** Builds the program that decides as Kubernetes does, from the Go modules that bench/peers pins. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../../scripts/run.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const MODULE = join(ROOT, 'bench', 'peers', 'go', 'kubernetes');
const CACHE = join(ROOT, '.cache', 'peers');

/** About three minutes the first time, a second after that. Needs Go and its module proxy. */
export async function buildAuthorizer(say: (line: string) => void): Promise<{ program: string; version: string }> {
  await mkdir(join(CACHE, 'bin'), { recursive: true });
  const version = await go('list', '-m', '-f', '{{.Version}}', 'k8s.io/kubernetes');
  const program = join(CACHE, 'bin', `rbac-${version}`);
  say(`building the RBAC authorizer of Kubernetes ${version}`);
  await go('build', '-p', '2', '-trimpath', '-o', program, './rbac');
  return { program, version };
}

async function go(...args: string[]): Promise<string> {
  const env = { GOCACHE: join(CACHE, 'go-build'), GOFLAGS: '-buildvcs=false -mod=readonly', GOWORK: 'off' };
  const options = { cwd: MODULE, env: { ...env, CGO_ENABLED: '0', GOTOOLCHAIN: 'local' } };
  return (await run('nice', ['-n', '19', 'go', ...args], options)).stdout.trim();
}
