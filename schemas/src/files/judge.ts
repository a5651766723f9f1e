/** Whether a file or folder may be used as ours. Pure: what the file system says goes in, a refusal comes out. */
import { type PlumbError, terminal } from '../meta/error.ts';
import { type Self, userName } from './owner.ts';

/** Part of node's Stats. */
export interface Found {
  uid: number;
  gid: number;
  mode: number;
  nlink: number;
  isFile(): boolean;
  isDirectory(): boolean;
  isSocket(): boolean;
  isSymbolicLink(): boolean;
}

export type Wanted = 'file' | 'folder' | 'socket';

const GROUP_AND_OTHERS = 0o077;
const WRITABLE = 0o022;
const STICKY = 0o1000;

/**
 * Why it cannot be used: PlumbError `NotPrivate` (terminal), which names the command that mends it; undefined when it can.
 * That others may read it is no reason: see {@link isOpen}.
 */
export function refusal(path: string, found: Found, wanted: Wanted, { uid }: Self): PlumbError | undefined {
  const name = quoted(path);
  if (found.isSymbolicLink()) {
    return notPrivate(`${path} is a link: links are not followed here. Put the ${wanted} itself there`);
  }
  const fits = { file: found.isFile(), folder: found.isDirectory(), socket: found.isSocket() }[wanted];
  if (!fits) return terminal('FileUnreadable', `${path} is no ${wanted}. Move it away`);
  if (found.uid !== uid) {
    const [owner, me] = [userName(found.uid), userName(uid)];
    return notPrivate(
      `${path} belongs to ${owner}, and Plumb runs as ${me}: ${owner} could have put keys into it, and can read what is. If you made it yourself: chown -R ${uid} ${name}; else use another folder`,
    );
  }
  if (wanted !== 'socket' && found.mode & WRITABLE) {
    return notPrivate(
      `${path} can be written by other users: they could have put keys into it. If you trust what is in it: chmod -R go-w ${name}`,
    );
  }
  if (wanted === 'file' && found.nlink > 1 && isOpen(found)) {
    return notPrivate(
      `${path} has another name somewhere (a hard link), and can be read by other users. Replace it by a copy: cp ${name} ${quoted(`${path}.copy`)} && mv ${quoted(`${path}.copy`)} ${name}`,
    );
  }
  return undefined;
}

/** Whether anybody but its owner can read it, write it or enter it. */
export function isOpen({ mode }: Found): boolean {
  return (mode & GROUP_AND_OTHERS) !== 0;
}

/** Why a file that a person named is not to be believed: another user could have written it. */
export function distrust(path: string, found: Found, { uid, trusted }: Self): PlumbError | undefined {
  if (!found.isFile()) return notPrivate(`${path} is no file`);
  if (!trusted.has(found.uid)) {
    const [owner, me] = [userName(found.uid), userName(uid)];
    return notPrivate(
      `${path} belongs to ${owner}, and Plumb runs as ${me}: ${owner} could have written anything into it. If you trust it: chown ${uid} ${quoted(path)}`,
    );
  }
  if (found.mode & WRITABLE) {
    return notPrivate(`${path} can be written by other users. If you trust what is in it: chmod go-w ${quoted(path)}`);
  }
  return undefined;
}

/** Why a socket is not to be believed: who made it answers on it. Who may connect to it is its maker's affair. */
export function distrustSocket(
  path: string,
  found: Pick<Found, 'uid'>,
  { uid, trusted }: Self,
): PlumbError | undefined {
  if (trusted.has(found.uid)) return undefined;
  const [owner, me] = [userName(found.uid), userName(uid)];
  return notPrivate(
    `${path} belongs to ${owner}, who would answer there, and Plumb runs as ${me}: name another socket`,
  );
}

/**
 * Why a folder on the way to ours, or a link there, is not safe: somebody else could put another one in its place.
 * `privateGroup`: whether its group is its owner alone.
 */
export function unsafeOnTheWay(
  path: string,
  found: Found,
  { trusted }: Self,
  privateGroup: boolean,
): PlumbError | undefined {
  if (!trusted.has(found.uid)) {
    const owner = userName(found.uid);
    return notPrivate(`${path} belongs to ${owner}, who could replace what is below it: use a folder elsewhere`);
  }
  // What a sticky folder holds can be moved by its owner only. The mode of a link means nothing.
  if (found.isSymbolicLink() || found.mode & STICKY) return undefined;
  const writable = found.mode & (privateGroup ? 0o002 : WRITABLE);
  if (!writable) return undefined;
  return notPrivate(
    `${path} can be written by other users, who could replace what is below it: chmod ${privateGroup ? 'o' : 'go'}-w ${quoted(path)}, or use a folder elsewhere`,
  );
}

/** As a shell takes it. */
function quoted(path: string): string {
  return /^[\w./@%+=:,-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}

function notPrivate(message: string): PlumbError {
  return terminal('NotPrivate', message);
}
