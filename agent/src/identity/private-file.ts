import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { terminal } from '@plumb/schemas';

/** Where what must outlive the agent is kept: readPrivate and writePrivate are the real one. */
export interface PrivateFiles {
  read(path: string): Promise<string | undefined>;
  /** Resolves when the text is durable. A crash leaves the old text or the new one, whole. */
  write(path: string, text: string): Promise<void>;
}

/** The text of the file; undefined when there is none. Throws PlumbError `FileUnreadable` (terminal). */
export async function readPrivate(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw terminal('FileUnreadable', `${path} cannot be read: ${(error as Error).message}`);
  }
}

/** Writes the file for its owner's eyes only, whole or not at all: a new one, made durable, takes the old one's place. */
export async function writePrivate(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const beside = `${path}.new`;
  const file = await open(beside, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

export const realFiles: PrivateFiles = { read: readPrivate, write: writePrivate };
