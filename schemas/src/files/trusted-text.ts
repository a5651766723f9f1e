/** What a person named and other users may have made: a file, read at once with who could have written it; a socket. */
import { closeSync, constants, fstatSync, openSync, readFileSync, statSync } from 'node:fs';
import type { PlumbError } from '../meta/error.ts';
import { distrust, distrustSocket } from './judge.ts';
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

/**
 * Why the program behind a socket is not to be believed: it is another user's. Undefined where it may be, and where there is no
 * socket, which the one who connects finds out.
 */
export function socketDistrust(path: string): PlumbError | undefined {
  const me = self();
  const found = me && statSync(path, { throwIfNoEntry: false });
  return found && distrustSocket(path, found, me);
}
