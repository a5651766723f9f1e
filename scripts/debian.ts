/** Debian's package tools: what is installed, installing what is missing, and fetching packages without installing. */
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
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
 * only points at the real one: the first dependency that matches is meant. Its hash is the one in apt's signed lists.
 */
export async function debPackage(name: string, folder: string, options: { dependency?: RegExp } = {}): Promise<string> {
  const pattern = options.dependency ?? new RegExp(`^${name}$`);
  const cached = (await readdir(folder))
    .filter((file) => file.endsWith('.deb') && pattern.test(file.split('_')[0] ?? ''))
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
  for (const file of cached) {
    const path = join(folder, file);
    if (await isGenuine(path)) return path;
    await Promise.all([path, hashFile(path)].map((old) => rm(old, { force: true })));
  }
  await fetchLists();
  const real = options.dependency ? await dependencyOf(name, options.dependency) : name;
  await run('apt-get', [...APT_OPTIONS, '-o', 'APT::Sandbox::User=root', 'download', real], {
    cwd: folder,
    env: QUIET,
  });
  const fetched = (await readdir(folder)).find((file) => file.startsWith(`${real}_`) && file.endsWith('.deb'));
  if (!fetched) throw new Error(`apt-get download ${real} fetched nothing into ${folder}`);
  const path = join(folder, fetched);
  if (!(await isGenuine(path)))
    throw new Error(`${path} is not what apt's signed lists say: remove it, run apt-get update and try again`);
  return path;
}

/**
 * Whether the file is the package that its name says, by its hash: the one that was found good when it was fetched, or else the one
 * in apt's lists, whose signatures apt has checked. The lists forget versions that have been replaced.
 */
async function isGenuine(deb: string): Promise<boolean> {
  const hash = createHash('sha256')
    .update(await readFile(deb))
    .digest('hex');
  const known = await readFile(hashFile(deb), 'utf8').catch(() => undefined);
  if (known !== undefined) return known.trim() === hash;
  if (!(await signedHashes(deb)).includes(hash)) return false;
  await writeFile(hashFile(deb), `${hash}\n`);
  return true;
}

function hashFile(deb: string): string {
  return `${deb}.sha256`;
}

/** SHA-256 in apt's lists of the package and version that the file is named for. */
async function signedHashes(deb: string): Promise<string[]> {
  const [name = '', version = ''] = deb.slice(deb.lastIndexOf('/') + 1).split('_');
  const wanted = `${name}=${decodeURIComponent(version)}`;
  const { stdout } = await run('apt-cache', ['show', wanted], { env: QUIET, accept: [0, 100] });
  return [...stdout.matchAll(/^SHA256: ([0-9a-f]{64})$/gm)].map(([, hash = '']) => hash);
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
