/**
 * Folders that hold what is ours alone: a data folder, a folder for sockets.
 *
 * What a folder holds can be believed when no other user could have put it there. So the way to it is walked from the root
 * on: no other user may be able to replace a folder or a link on it, which also means that what was checked stays as it was.
 * The folder itself must be ours. Then every file in it can be opened by its path, as long as links are not followed.
 */
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
} from 'node:fs';
import { dirname, isAbsolute, join, parse, resolve } from 'node:path';
import { type PlumbError, terminal } from '../meta/error.ts';
import { type Found, refusal, unsafeOnTheWay, type Wanted } from './judge.ts';
import { isPrivateGroup, type Self, self } from './owner.ts';

export interface PrivateFolderOptions {
  /** Others may pass through it to what is theirs below, but not list it (mode 0711). */
  passable?: boolean;
  /** Told of what could be read by others and is now closed to them. */
  log?: (line: string) => void;
}

/** What lets others go through a folder without letting them see what is in it. */
const PASSING = 0o011;
/** Links on a way; Linux follows as many. */
const MOST_LINKS = 40;

/**
 * Makes the folder where it is missing, checks it and the way to it, and closes it to others. Returns its real path, to be
 * used from then on. Throws PlumbError `NotPrivate` (terminal), which names the command that mends it.
 */
export function openPrivateFolder(path: string, options: PrivateFolderOptions = {}): string {
  const me = self();
  if (!me) {
    mkdirSync(path, { recursive: true });
    return resolve(path);
  }
  const mode = options.passable ? 0o711 : 0o700;
  const real = join(walked(dirname(resolve(path)), me, mode), parse(resolve(path)).base);
  makeOne(real, mode);
  closeToOthers(real, 'folder', mode, me, options.log);
  return real;
}

/**
 * Checks everything that lies in a folder of ours, and closes it to others: a process that opens what is there by itself, as
 * SQLite does, could not. `pick`: which of its entries; all, if absent.
 */
export function checkContents(
  folder: string,
  log?: (line: string) => void,
  pick: (name: string) => boolean = () => true,
) {
  const me = self();
  if (!me) return;
  for (const name of readdirSync(folder)) {
    if (!pick(name)) continue;
    const path = join(folder, name);
    const found = lstatSync(path);
    if (found.isDirectory()) closeToOthers(path, 'folder', 0o700, me, log);
    else closeToOthers(path, found.isSocket() ? 'socket' : 'file', 0o600, me, log);
  }
}

/** The real path of a folder to which nobody else can change the way; folders that are missing are made. */
function walked(path: string, me: Self, mode: number): string {
  const { root } = parse(path);
  let at = root;
  let left = path.slice(root.length).split('/').filter(Boolean);
  let links = 0;
  checkOnTheWay(at, lstatSync(at), me);
  while (left.length > 0) {
    const next = join(at, left[0]!);
    left = left.slice(1);
    makeOne(next, mode);
    const found = lstatSync(next);
    checkOnTheWay(next, found, me);
    if (!found.isSymbolicLink()) {
      if (!found.isDirectory()) throw terminal('NotPrivate', `${next} is no folder`);
      at = next;
      continue;
    }
    if (++links > MOST_LINKS) throw terminal('NotPrivate', `${path} has too many links on its way`);
    const target = readlinkSync(next);
    const whole = isAbsolute(target) ? target : join(at, target);
    left = [...whole.slice(root.length).split('/').filter(Boolean), ...left];
    at = root;
  }
  return at;
}

function checkOnTheWay(path: string, found: Found, me: Self): void {
  const unsafe = unsafeOnTheWay(path, found, me, isPrivateGroup(found.gid, found.uid));
  if (unsafe) throw unsafe;
}

function makeOne(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (!['EEXIST', 'EISDIR', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw cannot(path, error);
  }
}

/** Refuses what is not ours; takes from others what they may do beyond `mode`. */
function closeToOthers(path: string, wanted: Wanted, mode: number, me: Self, log: (line: string) => void = () => {}) {
  // A socket cannot be held open to change its mode; the folder that it lies in is ours, so it stays the same one.
  if (wanted === 'socket') {
    if (!isBeyond(path, lstatSync(path), wanted, mode, me)) return;
    chmodSync(path, mode);
  } else {
    // Before it is opened, since opening a device or a pipe may do something.
    isBeyond(path, lstatSync(path), wanted, mode, me);
    const fd = openHeld(path, wanted);
    try {
      if (!isBeyond(path, fstatSync(fd), wanted, mode, me)) return;
      fchmodSync(fd, mode);
    } finally {
      closeSync(fd);
    }
  }
  log(`${path} could be read by other users: it is closed to them now`);
}

/** Whether others may do more with it than `mode` allows, beside passing through. Throws when it cannot be used. */
function isBeyond(path: string, found: Found, wanted: Wanted, mode: number, me: Self): boolean {
  const why = refusal(path, found, wanted, me);
  if (why) throw why;
  return (found.mode & 0o777 & ~mode & ~PASSING) !== 0;
}

function openHeld(path: string, wanted: Wanted): number {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_DIRECTORY } = constants;
  try {
    return openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | (wanted === 'folder' ? O_DIRECTORY : 0));
  } catch (error) {
    throw cannot(path, error);
  }
}

function cannot(path: string, error: unknown): PlumbError {
  return terminal('FileUnreadable', `${path} cannot be used: ${(error as Error).message}`);
}
