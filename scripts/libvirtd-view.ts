/**
 * What a private libvirtd sees of the machine: its own folders in place of the machine's, the user that guests run as, and a
 * way to the guests' files that this user may go. Nothing of it changes the machine: it is a mount namespace.
 */
import { readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** As Debian's package libvirt-daemon-system makes them; Debian gives these numbers to nobody else. */
const QEMU_USER = 'libvirt-qemu';
const QEMU_ID = 64055;

/**
 * libvirt does not start without the user that its package would make for guests. Where the machine has none, libvirtd is
 * shown lists of users and groups that have it. Returns pairs of what is to be bound where.
 */
export async function accountBinds(state: string): Promise<string[]> {
  const [passwd, group] = await Promise.all(['passwd', 'group'].map((name) => readFile(`/etc/${name}`, 'utf8')));
  const shown = withQemuUser(passwd!, group!);
  const binds: string[] = [];
  for (const [name, text] of Object.entries(shown)) {
    await writeFile(join(state, name), text);
    binds.push(join(state, name), `/etc/${name}`);
  }
  return binds;
}

/**
 * Those of the two lists that must be others for the user to be there, with a group of its own and in the group that may use
 * KVM. Throws when somebody else has its number.
 */
export function withQemuUser(passwd: string, group: string): { passwd?: string; group?: string } {
  const users = rows(passwd);
  const named = (table: string[][]) => table.some(([name]) => name === QEMU_USER);
  if (named(users) && named(rows(group))) return {};
  const taken =
    users.find((user) => user[2] === String(QEMU_ID)) ?? rows(group).find((one) => one[2] === String(QEMU_ID));
  if (taken !== undefined && taken[0] !== QEMU_USER)
    throw new Error(
      `${taken[0]} has the number ${QEMU_ID} on this machine, which Debian keeps for ${QEMU_USER}, the user that guests run as: make that user (useradd --system ${QEMU_USER})`,
    );
  const entry = `${QEMU_USER}:x:${QEMU_ID}:${QEMU_ID}::/var/lib/libvirt:/usr/sbin/nologin`;
  const groups = rows(group).map((row) =>
    (row[0] === 'kvm' ? [...row.slice(0, 3), withMember(row[3])] : row).join(':'),
  );
  if (!named(rows(group))) groups.push(`${QEMU_USER}:x:${QEMU_ID}:`);
  return {
    ...(named(users) ? {} : { passwd: `${passwd.trimEnd()}\n${entry}\n` }),
    group: `${groups.join('\n')}\n`,
  };
}

function rows(table: string): string[][] {
  return table
    .trimEnd()
    .split('\n')
    .map((line) => line.split(':'));
}

function withMember(members = ''): string {
  if (members.split(',').includes(QEMU_USER)) return members;
  return members === '' ? QEMU_USER : `${members},${QEMU_USER}`;
}

/**
 * The topmost folder on the way to `path` through which only its owner may go, such as /root; undefined when everybody may
 * go there. Of `path`, which must exist, links are followed.
 */
export async function closedFolder(path: string): Promise<string | undefined> {
  const way: string[] = [];
  for (let at = dirname(await realpath(path)); at !== dirname(at); at = dirname(at)) way.unshift(at);
  for (const folder of way) if (((await stat(folder)).mode & 0o001) === 0) return folder;
  return undefined;
}

/**
 * A shell script that prepares the namespace and becomes libvirtd. Arguments: its pid file; an empty folder; then pairs of
 * what is bound where, up to `--`; then pairs of a closed folder and of a folder below it that guests' files are in. Over a
 * closed folder comes an empty one that holds the way there and nothing else: guests can go it, and see nothing on its sides.
 *
 * /dev/kvm is shown as guests' own. Where nothing has opened it to them, libvirt tries it with more rights than they have,
 * finds each time that they have not, and tries QEMU anew, for seconds, at everything that it is asked.
 */
export const VIEW_SCRIPT = `
lock=$1; devices=$2; shift 2
while [ "$1" != -- ]; do mount --bind "$1" "$2" || exit 1; shift 2; done
shift
if [ -c /dev/kvm ]; then
  mount -t tmpfs -o mode=0711,size=64k plumb-devices "$devices" || exit 1
  mknod -m 0660 "$devices/kvm" c $(stat -c '0x%t 0x%T' /dev/kvm) || { : > "$devices/kvm"; chmod 0600 "$devices/kvm"; }
  chgrp libvirt-qemu "$devices/kvm" && mount --bind "$devices/kvm" /dev/kvm || exit 1
fi
while [ $# -gt 0 ]; do
  exec 9<"$2" || exit 1
  mount -t tmpfs -o mode=0711,size=64k plumb-way "$1" && mkdir -p "$2" || exit 1
  mount --no-canonicalize --bind /proc/$$/fd/9 "$2" || exit 1
  exec 9<&-
  shift 2
done
exec libvirtd -p "$lock"
`;
