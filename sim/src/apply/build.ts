/** Builds the program that keeps account as Kubernetes does, from the Go modules that bench/peers pins. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../../scripts/run.ts';
import { openApiSchemas } from './schemas.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const MODULE = join(ROOT, 'bench', 'peers', 'go', 'kubernetes');
const CACHE = join(ROOT, '.cache', 'peers');

export interface FieldManagerProgram {
  program: string;
  /** File with the schemas that it takes. */
  schemas: string;
  version: string;
}

/** About three minutes the first time, a second after that. Needs Go and its module proxy. */
export async function buildFieldManager(say: (line: string) => void): Promise<FieldManagerProgram> {
  await mkdir(join(CACHE, 'bin'), { recursive: true });
  const version = await go('list', '-m', '-f', '{{.Version}}', 'sigs.k8s.io/structured-merge-diff/v6');
  const program = join(CACHE, 'bin', `apply-${version}`);
  say(`building the field manager of Kubernetes (structured-merge-diff ${version})`);
  await go('build', '-p', '2', '-trimpath', '-o', program, './apply');
  const schemas = join(CACHE, 'apply-schemas.json');
  await writeFile(schemas, JSON.stringify(openApiSchemas()));
  return { program, schemas, version };
}

async function go(...args: string[]): Promise<string> {
  const env = { GOCACHE: join(CACHE, 'go-build'), GOFLAGS: '-buildvcs=false -mod=readonly', GOWORK: 'off' };
  const options = { cwd: MODULE, env: { ...env, CGO_ENABLED: '0', GOTOOLCHAIN: 'local' } };
  return (await run('nice', ['-n', '19', 'go', ...args], options)).stdout.trim();
}
