/** Terraform or OpenTofu on this machine: what is installed, else an OpenTofu that is built here once; and the newest of both. */
import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findProgram } from './machine.ts';
import { RunFailed, run } from './run.ts';

export interface Terraform {
  /** Path of the program. */
  path: string;
  /** For people: `Terraform 1.11.4`. */
  description: string;
}

const CACHE = join(import.meta.dirname, '..', '.cache');

/** A program that can be built, and the checksum that its Go module must have. */
interface Buildable {
  name: 'Terraform' | 'OpenTofu';
  module: string;
  version: string;
  sum: string;
  /** Where its main package is. */
  main: string;
  /** Path of the program that is built. */
  path: string;
}

const OPENTOFU: Buildable = {
  name: 'OpenTofu',
  module: 'github.com/opentofu/opentofu',
  version: 'v1.12.6',
  sum: 'h1:0VT4P8pMmGcCUnQ9JDrJ+Qg2d35Vzm4FFd/9+H7oF98=',
  main: './cmd/tofu',
  path: join(CACHE, 'opentofu', 'v1.12.6', 'tofu'),
};

const TERRAFORM: Buildable = {
  name: 'Terraform',
  module: 'github.com/hashicorp/terraform',
  version: 'v1.16.0',
  sum: 'h1:FgjcYL8Rt2n+INJ+blTABAf0wFHbmnKRzo+Rx2IKSYI=',
  main: '.',
  path: join(CACHE, 'terraform', 'v1.16.0', 'terraform'),
};

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
  const cached = await describe(OPENTOFU.path);
  if (cached) return cached;
  if (!(await findProgram('go'))) {
    throw new Error(
      'neither terraform nor tofu is installed, nor Go to build OpenTofu: install one of the three and try again',
    );
  }
  return await built(OPENTOFU, onLine);
}

/** The newest of both, as far as they were built before. */
export async function builtClients(): Promise<Terraform[]> {
  const found = await Promise.all([TERRAFORM, OPENTOFU].map(({ path }) => describe(path)));
  return found.filter((one) => one !== undefined);
}

/** The newest of both; what was not built yet is built. */
async function buildClients(onLine: (line: string) => void): Promise<void> {
  for (const one of [TERRAFORM, OPENTOFU]) if (!(await describe(one.path))) await built(one, onLine);
}

async function built(what: Buildable, onLine: (line: string) => void): Promise<Terraform> {
  const { name, version, path } = what;
  onLine(`building ${name} ${version} from its Go module, once: this takes about five minutes on two cores`);
  await buildFromModule(what);
  const found = await describe(path);
  if (!found) throw new Error(`the ${name} that was built does not run: remove ${dirname(path)} and try again`);
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
 * Builds it from a copy of its source rather than by its path: both modules replace dependencies, and Go obeys that in the main
 * module only.
 */
async function buildFromModule({ name, module, version, sum, main, path }: Buildable): Promise<void> {
  const folder = join(dirname(path), `building-${process.pid}`);
  const source = join(folder, 'source');
  // What it needs itself has the sums in its go.sum; settings of this user that look past sums do not count.
  const checked = { GONOSUMDB: '', GONOSUMCHECK: '', GOINSECURE: '', GOPRIVATE: '', GONOPROXY: '' };
  const env = { CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false', GOWORK: 'off', ...checked };
  await mkdir(folder, { recursive: true });
  try {
    const { stdout } = await run('go', ['mod', 'download', '-json', `${module}@${version}`], { cwd: folder, env });
    const { Dir, Sum } = JSON.parse(stdout) as { Dir: string; Sum: string };
    if (Sum !== sum) throw new Error(`the Go module ${module}@${version} has the sum ${Sum}, and should have ${sum}`);
    await cp(Dir, source, { recursive: true });
    await run('chmod', ['-R', 'u+w', source]);
    if (name === 'Terraform') await leaveOutBackends(source, env);
    const ldflags = `-s -w -X ${module}/version.dev=no`;
    const binary = join(folder, 'built');
    const args = ['build', '-mod=mod', '-trimpath', `-ldflags=${ldflags}`, '-o', binary, main];
    await run('go', args, { cwd: source, env });
    await mkdir(dirname(path), { recursive: true });
    await rename(binary, path);
  } catch (error) {
    if (!(error instanceof RunFailed)) throw error;
    throw new Error(`${name} could not be built (install terraform or tofu instead): ${error.message}`, {
      cause: error,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Terraform's backends for clouds are modules of their own, which its module leaves out and asks for by relative paths. Without them
 * it has local, remote, http, inmem and cloud, and is otherwise the same.
 */
async function leaveOutBackends(source: string, env: Record<string, string>): Promise<void> {
  const mod = join(source, 'go.mod');
  const replaced = [...(await readFile(mod, 'utf8')).matchAll(/^replace (\S+) => \.\//gm)].map(([, path]) => path!);
  const drop = replaced.flatMap((path) => [`-dropreplace=${path}`, `-droprequire=${path}`]);
  await run('go', ['mod', 'edit', ...drop], { cwd: source, env });
  const file = join(source, 'internal', 'backend', 'init', 'init.go');
  const text = await readFile(file, 'utf8');
  const names = replaced.flatMap((path) => new RegExp(`^\\s*(\\w+) "${path}"$`, 'm').exec(text)?.[1] ?? []);
  const kept = text.split('\n').filter((line) => !names.some((one) => new RegExp(`\\b${one}\\b`).test(line)));
  await writeFile(file, kept.join('\n'));
}

if (import.meta.main) {
  const onLine = (line: string) => console.error(line);
  if (process.argv.includes('--newest')) {
    await buildClients(onLine);
    for (const { path, description } of await builtClients()) console.log(`${description}: ${path}`);
  } else {
    const { path, description } = await findTerraform(onLine);
    console.log(`${description}: ${path}`);
  }
}
