/** Who owns files, and whom this process trusts with them. */
import { lstatSync, readFileSync } from 'node:fs';

/** This process, as the owner of files. */
export interface Self {
  uid: number;
  /**
   * Owners of folders on the way to ours: root, ourselves, and the owner of the program that runs, who could do anything
   * as us anyway (`sudo plumb server` in a person's own checkout).
   */
  trusted: ReadonlySet<number>;
}

const ROOT = 0;
/** Linux shows this owner for users that a user namespace does not map, root of the machine among them. */
const OVERFLOW = 65534;
const WHOLE_MAP = /^\s*0\s+0\s+4294967295\s*$/;

/** Undefined where files have no owners (Windows). */
export function self(): Self | undefined {
  const uid = process.geteuid?.();
  if (uid === undefined) return undefined;
  const trusted = new Set([ROOT, uid, lstatSync(import.meta.dirname).uid]);
  if (inUserNamespace()) trusted.add(OVERFLOW);
  return { uid, trusted };
}

function inUserNamespace(): boolean {
  try {
    return !WHOLE_MAP.test(readFileSync('/proc/self/uid_map', 'utf8'));
  } catch {
    return false;
  }
}

/** The name of a user; `user 1234` for one without a name. */
export function userName(uid: number): string {
  return nameIn('/etc/passwd', uid) ?? `user ${uid}`;
}

/** Whether the group holds nobody but its user: the group of that name, as most systems make one for each user. */
export function isPrivateGroup(gid: number, uid: number): boolean {
  const group = nameIn('/etc/group', gid);
  return group !== undefined && group === nameIn('/etc/passwd', uid);
}

function nameIn(file: string, id: number): string | undefined {
  try {
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      const [name, , number] = line.split(':');
      if (name && number === String(id)) return name;
    }
  } catch {
    // No such file: names come from elsewhere.
  }
  return undefined;
}
