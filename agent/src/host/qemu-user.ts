/**
 * The user that QEMU runs as, and what it may do with the files that are made for it. QEMU is what guests attack: it writes
 * its own disk, reads its seed and base image, and owns neither of the latter, so that it cannot give itself more.
 */
import { constants } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { terminal } from '@plumb/schemas';

export interface QemuUser {
  uid: number;
  /** Its group: what it only reads belongs to root and this group. */
  gid: number;
}

/** The file becomes QEMU's own, which it reads and writes, and others do not. Changes nothing that is so already. */
export function giveToQemu(path: string, { uid, gid }: QemuUser): Promise<void> {
  return grant(path, uid, gid, 0o600);
}

/** QEMU may read the file, which stays root's; others may not. Changes nothing that is so already. */
export function letQemuRead(path: string, { gid }: QemuUser): Promise<void> {
  return grant(path, process.getuid?.() ?? 0, gid, 0o440);
}

/** No link is followed: the file is the one that bears the name. */
async function grant(path: string, uid: number, gid: number, mode: number): Promise<void> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const found = await file.stat();
    if (!found.isFile()) throw terminal('InvalidResource', `${path} is no file: remove it`);
    if (found.uid !== uid || found.gid !== gid) await file.chown(uid, gid);
    if ((found.mode & 0o7777) !== mode) await file.chmod(mode);
  } finally {
    await file.close();
  }
}

/**
 * The user with the group that is its alone, where it has one. Debian's has `kvm` as its first group, to which people
 * belong as well who use KVM without libvirt, and one of its own name beside.
 */
export async function withOwnGroup(user: QemuUser, read = readAccounts): Promise<QemuUser> {
  const { passwd, group } = await read();
  const name = passwd
    .split('\n')
    .find((line) => line.split(':')[2] === String(user.uid))
    ?.split(':')[0];
  const own = group
    .split('\n')
    .map((line) => line.split(':'))
    .find(([called, , , members]) => called === name && members?.split(',').includes(name ?? ''));
  return own === undefined ? user : { ...user, gid: Number(own[2]) };
}

async function readAccounts(): Promise<{ passwd: string; group: string }> {
  const [passwd, group] = await Promise.all([readFile('/etc/passwd', 'utf8'), readFile('/etc/group', 'utf8')]);
  return { passwd, group };
}
