/**
 * Files of the agent's data folder are plain ones. What else bears such a name, a link, a folder, a FIFO that nobody writes to, is
 * no file of ours: it is not followed, not waited for, and hides nothing of the rest of the host.
 */
import { constants } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';

/** Opened for reading; undefined when there is none. */
export async function openPlain(path: string): Promise<FileHandle | undefined> {
  // A FIFO is opened at once when nobody is waited for at its other end.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch((thrown: NodeJS.ErrnoException) => {
    // A link; a socket.
    if (thrown.code === 'ENOENT' || thrown.code === 'ELOOP' || thrown.code === 'ENXIO') return undefined;
    throw thrown;
  });
  if (file === undefined || (await file.stat()).isFile()) return file;
  await file.close();
  return undefined;
}

export async function isPlain(path: string): Promise<boolean> {
  return (await lstat(path).catch(absent))?.isFile() ?? false;
}

/** The text of the file; undefined when there is none. */
export async function readPlain(path: string): Promise<string | undefined> {
  const file = await openPlain(path);
  try {
    return await file?.readFile('utf8');
  } finally {
    await file?.close();
  }
}

function absent(thrown: NodeJS.ErrnoException): undefined {
  if (thrown.code !== 'ENOENT') throw thrown;
}
