/** Terraform or OpenTofu on this machine: what is installed, else an OpenTofu that is built here once. */
import { cp, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from './machine.ts';
import { RunFailed, run } from './run.ts';

export interface Terraform {
  /** Path of the program. */
  path: string;
  /** For people: `Terraform 1.11.4`. */
  description: string;
}

/** What is built where nothing is installed, and the checksum that the Go module must have. */
const OPENTOFU = {
  module: 'github.com/opentofu/opentofu',
  version: 'v1.12.6',
  sum: 'h1:0VT4P8pMmGcCUnQ9JDrJ+Qg2d35Vzm4FFd/9+H7oF98=',
};
const CACHE = join(import.meta.dirname, '..', '.cache', 'opentofu');

/** The oldest whose plug-in protocol and configuration are as the provider and the examples need them: 1.5. */
const OLDEST: readonly [number, number] = [1, 5];

/** Asking a program for its version must neither ask the network for newer ones nor warn of a person's own settings. */
const QUIET = { CHECKPOINT_DISABLE: '1', TF_CLI_CONFIG_FILE: '/dev/null' };

/**
 * Finds terraform or tofu in PATH, or the OpenTofu that was built before, or builds it, which takes some minutes.
 * `onLine` is told of that. Throws an Error that says what to install.
 */
export async function findTerraform(onLine: (line: string) => void = () => {}): Promise<Terraform> {
  for (const name of ['terraform', 'tofu']) {
    const path = await findProgram(name);
    const found = path && (await describe(path));
    if (found) return found;
  }
  const built = join(CACHE, OPENTOFU.version, 'tofu');
  const cached = await describe(built);
  if (cached) return cached;
  if (!(await findProgram('go'))) {
    throw new Error(
      'neither terraform nor tofu is installed, nor Go to build OpenTofu: install one of the three and try again',
    );
  }
  onLine(`building OpenTofu ${OPENTOFU.version} from its Go module, once: this takes about five minutes on two cores`);
  await buildOpenTofu(built);
  const found = await describe(built);
  if (!found) throw new Error(`the OpenTofu that was built does not run: remove ${CACHE} and try again`);
  return found;
}

/** What the program says of itself; undefined when it is not there, does not run, or is too old. */
async function describe(path: string): Promise<Terraform | undefined> {
  try {
    const { stdout } = await run(path, ['version'], { env: QUIET, timeoutMs: 30_000 });
    const [, name, version] = /^(Terraform|OpenTofu) v(\S+)/m.exec(stdout) ?? [];
    if (!name || !version) return undefined;
    const [major = 0, minor = 0] = version.split('.').map(Number);
    if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) return undefined;
    return { path, description: `${name} ${version}` };
  } catch {
    return undefined;
  }
}

/**
 * Builds OpenTofu. Its module replaces a dependency, and Go obeys that in the main module only, so it is built from a
 * copy of its source rather than installed by its path.
 */
async function buildOpenTofu(target: string): Promise<void> {
  const folder = join(CACHE, `building-${process.pid}`);
  const source = join(folder, 'source');
  // What it needs itself has the sums in its go.sum; settings of this user that look past sums do not count.
  const checked = { GONOSUMDB: '', GONOSUMCHECK: '', GOINSECURE: '', GOPRIVATE: '', GONOPROXY: '' };
  const env = { CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false', GOWORK: 'off', ...checked };
  await mkdir(folder, { recursive: true });
  try {
    const { module, version, sum } = OPENTOFU;
    const { stdout } = await run('go', ['mod', 'download', '-json', `${module}@${version}`], { cwd: folder, env });
    const { Dir, Sum } = JSON.parse(stdout) as { Dir: string; Sum: string };
    if (Sum !== sum) throw new Error(`the Go module ${module}@${version} has the sum ${Sum}, and should have ${sum}`);
    await cp(Dir, source, { recursive: true });
    await run('chmod', ['-R', 'u+w', source]);
    const ldflags = '-s -w -X github.com/opentofu/opentofu/version.dev=no';
    const binary = join(folder, 'tofu');
    await run('go', ['build', '-trimpath', `-ldflags=${ldflags}`, '-o', binary, './cmd/tofu'], { cwd: source, env });
    await mkdir(join(target, '..'), { recursive: true });
    await rename(binary, target);
  } catch (error) {
    if (!(error instanceof RunFailed)) throw error;
    throw new Error(`OpenTofu could not be built (install terraform or tofu instead): ${error.message}`, {
      cause: error,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const { path, description } = await findTerraform((line) => console.error(line));
  console.log(`${description}: ${path}`);
}
