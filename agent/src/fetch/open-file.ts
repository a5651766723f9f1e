/**
 * Opens a file below a folder of the operator's, and no other, whatever links and renames happen meanwhile: what is judged is
 * not a path but what was opened, by the name that the kernel gives it.
 */
import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, readlink, realpath, statfs } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PlumbError } from '@plumb/schemas/meta/error.ts';
import { notFound, refused, unavailable } from './failures.ts';

/** A folder of the operator's, found once. */
export interface ImageFolder {
  /** As it was named, absolute. */
  named: string;
  /** Without links. */
  real: string;
  /** Where its files are opened: `real`, or an open descriptor of it in /proc, for a user who may not pass its parents. */
  base: string;
}

/** `O_PATH` of linux/fcntl.h, the same on all of Node's architectures: finds a file and does not open it. */
const O_PATH = 0o10000000;
const LINUX = process.platform === 'linux';

/** File systems without files of anybody: their reads may block for ever, or have effects (statfs(2), linux/magic.h). */
const UNREAL: ReadonlySet<number> = new Set([
  ...[0x9fa0, 0x62656572, 0x64626720, 0x74726163, 0x73636673, 0x27e0eb, 0x63677270, 0x1cd1, 0xcafe4a11, 0x62656570],
  ...[0xde5e81e4, 0x6165676c, 0x42494e4d, 0x19800202, 0xf97cff8c, 0x6e736673, 0x50495045, 0x534f434b, 0x9041934],
]);

export async function findFolder(named: string): Promise<ImageFolder> {
  const real = await realpath(named);
  return { named, real, base: real };
}

export interface OpenFile {
  handle: FileHandle;
  stats: Stats;
}

/**
 * Opens the file at the URL for reading. `ImageSourceRefused` (terminal) for everything outside of the folders or below
 * `dataDir`, be it there or not; `ImageNotFound` (terminal), `ImageUnavailable` (retry).
 */
export async function openFile(url: string, folders: readonly ImageFolder[], dataDir?: string): Promise<OpenFile> {
  const path = localPath(url);
  const folder = folders.find(({ named, real }) => isBelow(named, path) || isBelow(real, path));
  if (folder === undefined) throw refused(url);
  const { named, real } = folder;
  const parts = relative(isBelow(named, path) ? named : real, path).split(sep);
  let at = folder.base;
  // Each folder on the way, too: through a link out of here it could be seen what is there and what is not.
  for (const part of parts.slice(0, -1)) {
    at = join(at, part);
    await (await find(url, at, folder, dataDir)).close();
  }
  const found = await find(url, join(at, parts.at(-1)!), folder, dataDir);
  let handle: FileHandle | undefined;
  try {
    const stats = await requireFile(url, found);
    handle = LINUX ? await openFound(url, found) : found;
    return { handle, stats };
  } finally {
    if (handle !== found) await found.close();
  }
}

function localPath(url: string): string {
  try {
    const path = fileURLToPath(url);
    if (!path.includes('\0')) return path;
  } catch {
    // Of another host, or with a separator in a name.
  }
  throw refused(url);
}

/** A descriptor of what the path leads to, which is below the folder. Nothing is opened yet. */
async function find(url: string, path: string, folder: ImageFolder, dataDir?: string): Promise<FileHandle> {
  const found = await open(path, LINUX ? O_PATH : constants.O_RDONLY | constants.O_NONBLOCK).catch(async (thrown) => {
    const link = await lstat(path).catch(() => undefined);
    if (link?.isSymbolicLink()) throw refused(url); // Wherever it leads.
    throw failure(url, thrown);
  });
  const real = await realName(found, path).catch(() => undefined);
  const allowed =
    real !== undefined && isBelow(folder.real, real) && !(dataDir !== undefined && isBelow(dataDir, real));
  if (allowed) return found;
  await found.close();
  throw refused(url);
}

/** The name that the kernel gives to what was opened. Elsewhere than on Linux: the path's, if that is still the same file. */
async function realName(found: FileHandle, path: string): Promise<string> {
  if (LINUX) return readlink(descriptor(found));
  const real = await realpath(path);
  const [opened, named] = await Promise.all([found.stat(), lstat(real)]);
  if (opened.dev !== named.dev || opened.ino !== named.ino) throw new Error(`${path} was replaced`);
  return real;
}

async function requireFile(url: string, found: FileHandle): Promise<Stats> {
  const stats = await found.stat();
  if (!stats.isFile()) throw notFound(url, 'it is not a file');
  if (LINUX && UNREAL.has((await statfs(descriptor(found))).type)) throw notFound(url, 'it is not a file on a disk');
  return stats;
}

function openFound(url: string, found: FileHandle): Promise<FileHandle> {
  return open(descriptor(found), constants.O_RDONLY | constants.O_NONBLOCK).catch((thrown) => {
    throw failure(url, thrown);
  });
}

function descriptor({ fd }: FileHandle): string {
  return `/proc/self/fd/${fd}`;
}

function failure(url: string, thrown: unknown): PlumbError {
  if (thrown instanceof PlumbError) return thrown;
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  if (code === 'ENOENT' || code === 'ENOTDIR') return notFound(url, 'check the URL, and that the file is on this host');
  if (code === 'ENAMETOOLONG') return notFound(url, 'its name is too long');
  if (code === 'EACCES' || code === 'EPERM')
    return notFound(
      url,
      'the user that fetches images may not read it: make the file and its folders readable for others',
    );
  return unavailable(url, `it cannot be opened (${code || 'no reason was given'})`, thrown);
}

function isBelow(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`);
}
