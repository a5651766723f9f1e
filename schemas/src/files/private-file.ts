/**
 * Files that hold secrets: their owner's alone, never reached through a link, and never half written. The folder that holds
 * them is to be checked before (`private-folder.ts`).
 */
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { terminal } from '../meta/error.ts';
import { distrust, isOpen, refusal } from './judge.ts';
import { self } from './owner.ts';

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;

/** More than any secret or certificate has. */
const MOST_BYTES = 16 << 20;

export interface ReadOptions {
  /** Told of a file that could be read by others and is now closed to them. */
  log?: (line: string) => void;
}

/**
 * The text of the file, or undefined if there is none. A file that others may read is closed to them first. Throws PlumbError
 * `NotPrivate` (terminal) for one that is not ours or that others may write, and `FileUnreadable` (terminal).
 */
export async function readPrivate(path: string, { log }: ReadOptions = {}): Promise<string | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'ELOOP')
      throw terminal('NotPrivate', `${path} is a link: links are not followed here. Put the file itself there`);
    throw terminal('FileUnreadable', `${path} cannot be read: ${message}`);
  }
  try {
    const me = self();
    if (me) {
      const found = await file.stat();
      const why = refusal(path, found, 'file', me);
      if (why) throw why;
      if (found.size > MOST_BYTES)
        throw terminal('FileUnreadable', `${path} is larger than any file of its kind: ${found.size} bytes`);
      if (isOpen(found)) {
        await file.chmod(0o600);
        log?.(`${path} could be read by other users: it is closed to them now`);
      }
    }
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

let written = 0;

/**
 * Writes the file for its owner alone, whole or not at all: a new one, made durable, takes the old one's place, which may be
 * a link. Its folder is made where it is missing.
 */
export async function writePrivate(path: string, text: string): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const beside = `${path}.${process.pid}.${written++}.new`;
  // What a process of the same number left that was killed.
  await rm(beside, { force: true });
  const file = await open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    await file.chmod(0o600);
    await file.writeFile(text);
    await file.sync();
  } catch (error) {
    await rm(beside, { force: true }); // A full disk is no fuller by what did not fit.
    throw error;
  } finally {
    await file.close();
  }
  await rename(beside, path);
  await syncFolder(folder);
}

/** Makes a rename in the folder durable. Windows cannot, and needs it not. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const opened = await open(folder, O_RDONLY);
  try {
    await opened.sync();
  } finally {
    await opened.close();
  }
}

/** Where what must outlive a program is kept: {@link readPrivate} and {@link writePrivate} are the real one. */
export interface PrivateFiles {
  read(path: string): Promise<string | undefined>;
  /** Resolves when the text is durable. A crash leaves the old text or the new one, whole. */
  write(path: string, text: string): Promise<void>;
}

export const realFiles: PrivateFiles = { read: readPrivate, write: writePrivate };

/**
 * The text of a file that a person named, wherever it is, or undefined if there is none. Links are followed. Throws PlumbError
 * `NotPrivate` (terminal) when another user than root or us could have written it, and `FileUnreadable` (terminal).
 */
export async function readTrusted(path: string): Promise<string | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, O_RDONLY | O_NONBLOCK);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw terminal('FileUnreadable', `${path} cannot be read: ${message}`);
  }
  try {
    const me = self();
    const why = me && distrust(path, await file.stat(), me);
    if (why) throw why;
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
