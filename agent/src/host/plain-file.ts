/**
 * Files of the agent's folders are plain ones. What else bears such a name, a link, a folder, a FIFO that nobody writes to, is
 * no file of ours: it is not followed, not waited for, and hides nothing of the rest of the host.
 */
import { constants } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';

/** More than anything that is read whole ever holds. */
const MOST_BYTES = 32 << 20;

/** How a file that is none of ours is met: a link, a socket, a file in the place of its folder. */
const NONE = new Set(['ENOENT', 'ELOOP', 'ENXIO', 'ENOTDIR']);

/** Undefined when there is none. `flags`: how it is opened; for reading, if absent. */
export async function openPlain(path: string, flags: number = constants.O_RDONLY): Promise<FileHandle | undefined> {
  // A FIFO is opened at once when nobody is waited for at its other end.
  const safely = flags | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, safely).catch((thrown: NodeJS.ErrnoException) => {
    if (NONE.has(thrown.code ?? '') || thrown.code === 'EISDIR') return undefined;
    throw thrown;
  });
  if (file === undefined || (await file.stat()).isFile()) return file;
  await file.close();
  return undefined;
}

export async function isPlain(path: string): Promise<boolean> {
  return (await lstat(path).catch(absent))?.isFile() ?? false;
}

/** How long the file is; 0 when there is none. */
export async function plainLength(path: string): Promise<number> {
  const found = await lstat(path).catch(absent);
  return found?.isFile() ? found.size : 0;
}

export interface ReadPlain {
  /** What is longer is none of ours. */
  mostBytes?: number;
  /** What another user but root put there is none of ours. */
  own?: boolean;
}

/** The text of the file; undefined when there is none. */
export async function readPlain(
  path: string,
  { mostBytes = MOST_BYTES, own = false }: ReadPlain = {},
): Promise<string | undefined> {
  const file = await openPlain(path);
  try {
    if (file === undefined) return undefined;
    const { size, uid } = await file.stat();
    if (size > mostBytes || (own && uid !== 0 && uid !== process.getuid?.())) return undefined;
    return await file.readFile('utf8');
  } finally {
    await file?.close();
  }
}

function absent(thrown: NodeJS.ErrnoException): undefined {
  if (!NONE.has(thrown.code ?? '')) throw thrown;
}
