import { readFile } from 'node:fs/promises';

export interface User {
  name: string;
  uid: number;
  gid: number;
}

/** The user as whom a process of root fetches images or repositories, and reads what strangers made. */
export const FETCH_USER = 'plumb-fetch';
/** What makes it on a machine. */
export const MAKE_FETCH_USER = `useradd --system --user-group --no-create-home --shell /usr/sbin/nologin ${FETCH_USER}`;

/** A user of this machine by name, from /etc/passwd; undefined when there is none. */
export async function findUser(name: string, file = '/etc/passwd'): Promise<User | undefined> {
  for (const line of (await readFile(file, 'utf8').catch(() => '')).split('\n')) {
    const [found, , uid, gid] = line.split(':');
    if (found === name && /^\d+$/.test(uid ?? '') && /^\d+$/.test(gid ?? ''))
      return { name, uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}
