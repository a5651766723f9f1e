/** Debian's package tools: what is installed, installing what is missing, and fetching packages without installing. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './run.ts';

const QUIET = { DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_MODE: 'l', LC_ALL: 'C.UTF-8' };
/** Another installation may hold the lock for a while. */
const APT_OPTIONS = ['-q', '-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3'];

/** Whether this machine has Debian's package tools: Debian, or what is made from it. */
export async function isDebian(): Promise<boolean> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^ID(_LIKE)?="?[^"\n]*\bdebian\b/m.test(release);
}

/** Those of `names` that are not installed. */
export async function missingPackages(names: readonly string[]): Promise<string[]> {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own placeholders.
  const { stdout } = await run('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\n', ...names], {
    accept: [0, 1], // 1: at least one name is not known
  });
  const installed = new Set(stdout.split('\n').flatMap((line) => line.match(/^(\S+) installed$/)?.[1] ?? []));
  return names.filter((name) => !installed.has(name));
}

/** Installs packages with what they need and nothing that they only recommend. Needs root. */
export async function installPackages(names: readonly string[], onLine?: (line: string) => void): Promise<void> {
  await fetchLists();
  const install = () =>
    run('apt-get', [...APT_OPTIONS, 'install', '-y', '--no-install-recommends', ...names], { env: QUIET, onLine });
  try {
    await install();
  } catch {
    // Lists that are too old name files that the mirrors no longer have.
    await run('apt-get', [...APT_OPTIONS, 'update'], { env: QUIET });
    await install();
  }
}

/**
 * Path of the newest `name_*.deb` in `folder`, fetched if there is none. With `dependency`, `name` is a package that
 * only points at the real one: the first dependency that matches is meant.
 */
export async function debPackage(name: string, folder: string, options: { dependency?: RegExp } = {}): Promise<string> {
  const pattern = options.dependency ?? new RegExp(`^${name}$`);
  const cached = (await readdir(folder))
    .filter((file) => file.endsWith('.deb') && pattern.test(file.split('_')[0] ?? ''))
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
  if (cached[0]) return join(folder, cached[0]);
  await fetchLists();
  const real = options.dependency ? await dependencyOf(name, options.dependency) : name;
  await run('apt-get', [...APT_OPTIONS, '-o', 'APT::Sandbox::User=root', 'download', real], {
    cwd: folder,
    env: QUIET,
  });
  const fetched = (await readdir(folder)).find((file) => file.startsWith(`${real}_`) && file.endsWith('.deb'));
  if (!fetched) throw new Error(`apt-get download ${real} fetched nothing into ${folder}`);
  return join(folder, fetched);
}

/** Unpacks a package's files into `folder` without installing it. Returns the folder. */
export async function unpackDeb(deb: string, folder: string): Promise<string> {
  await run('dpkg-deb', ['-x', deb, folder]);
  return folder;
}

async function dependencyOf(name: string, pattern: RegExp): Promise<string> {
  const { stdout } = await run('apt-cache', ['depends', name], { env: QUIET });
  const found = stdout
    .split('\n')
    .map((line) => line.match(/^\s*Depends: (\S+)$/)?.[1] ?? '')
    .find((dependency) => pattern.test(dependency));
  if (!found) throw new Error(`${name} depends on nothing that matches ${pattern}: is this Debian on amd64?`);
  return found;
}

/** `apt-get update`, if no list of packages was ever fetched; fresh machines and containers come without. */
async function fetchLists(): Promise<void> {
  const lists = await readdir('/var/lib/apt/lists').catch(() => []);
  if (lists.some((file) => file.includes('_Packages'))) return;
  await run('apt-get', [...APT_OPTIONS, 'update'], { env: QUIET });
}
