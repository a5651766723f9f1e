/** A file that a person named, read at once with who could have written it. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import type { PlumbError } from '../meta/error.ts';
import { distrust } from './judge.ts';
import { self } from './owner.ts';

export interface FileText {
  text: string;
  /** Why it is not to be believed in what it says to run: somebody else could have written it. */
  distrust: PlumbError | undefined;
}

/** Throws what node throws when it cannot be read. */
export function readWithOwner(path: string): FileText {
  const fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const me = self();
    return { distrust: me && distrust(path, fstatSync(fd), me), text: readFileSync(fd, 'utf8') };
  } finally {
    closeSync(fd);
  }
}
