/** What this machine can do for real guests: programs, rights and the kernel, each by trying. */
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { FETCH_USER, findUser, MAKE_FETCH_USER } from '../schemas/src/sources/users.ts';
import { installPackages, isDebian, missingPackages } from './debian.ts';
import { run } from './run.ts';

/** Programs that real guests need, and the Debian package that has each. */
const PROGRAMS = {
  libvirtd: 'libvirt-daemon',
  virsh: 'libvirt-clients',
  'qemu-system-x86_64': 'qemu-system-x86',
  'qemu-img': 'qemu-utils',
  dnsmasq: 'dnsmasq-base',
  nft: 'nftables',
  ip: 'iproute2',
  genisoimage: 'genisoimage',
  mformat: 'mtools',
  syslinux: 'syslinux',
  modprobe: 'kmod',
  busybox: 'busybox-static', // a guest's programs, also for tests that play one
} as const;

/** Packages that bring no program, which only Debian's package tools can tell of. */
const DEBIAN_ONLY = ['libvirt-daemon-driver-qemu'];

const SYSTEM_PROGRAMS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

export type Machine =
  | { guests: true; note: string }
  /**
   * `reason`: one line: what is missing and what to do. `installable`: packages that may be installed right away.
   * `users`: users that may be made right away.
   */
  | { guests: false; reason: string; installable: string[]; users: string[] };

/** Installs what is missing where it may (Debian, as root) and says whether real guests can run here. */
export async function prepareMachine(onLine: (line: string) => void): Promise<Machine> {
  const made: string[] = [];
  let found = await inspectMachine();
  if (!found.guests && found.installable.length > 0) {
    onLine(`installing ${found.installable.join(' ')}`);
    await installPackages(found.installable);
    made.push(`installed ${found.installable.length} Debian packages`);
    found = await inspectMachine();
  }
  if (!found.guests && found.users.length > 0) {
    onLine(`making the user ${FETCH_USER}, as whom images are fetched`);
    const [program = '', ...args] = MAKE_FETCH_USER.split(' ');
    await run(program, args);
    made.push(`made the user ${FETCH_USER}`);
    found = await inspectMachine();
  }
  return found.guests && made.length > 0 ? { guests: true, note: made.join(', ') } : found;
}

/** Says whether real guests can run here, and changes nothing. */
export async function inspectMachine(): Promise<Machine> {
  const no = (reason: string, more: { installable?: string[]; users?: string[] } = {}): Machine => ({
    ...{ guests: false, reason, installable: [], users: [] },
    ...more,
  });
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return no(`real guests need Linux on x86-64, and this is ${process.platform} on ${process.arch}`);
  const path = (process.env.PATH ?? '').split(delimiter); // A person's PATH may lack the system's programs.
  process.env.PATH = [...path, ...SYSTEM_PROGRAMS.filter((folder) => !path.includes(folder))].join(delimiter);
  const root = process.getuid?.() === 0;
  const debian = await isDebian();
  const missing = debian ? await missingOnDebian() : await missingPrograms();
  if (missing.length > 0) return no(adviceFor(missing, debian), { installable: debian && root ? missing : [] });
  if (!root) return no('real guests need root: start it with sudo');
  if ((await findUser(FETCH_USER)) === undefined)
    return no(`images need a user without rights who fetches them: ${MAKE_FETCH_USER}`, {
      users: debian ? [FETCH_USER] : [],
    });
  const refused = await kernelRefuses();
  if (refused) return no(`the kernel refuses what networks are made of: ${refused}`);
  return { guests: true, note: 'everything is there' };
}

async function missingOnDebian(): Promise<string[]> {
  const programs = await missingPrograms();
  const packages = programs.map((program) => PROGRAMS[program]);
  return [...packages, ...(await missingPackages(DEBIAN_ONLY))];
}

async function missingPrograms(): Promise<(keyof typeof PROGRAMS)[]> {
  const names = Object.keys(PROGRAMS) as (keyof typeof PROGRAMS)[];
  const found = await Promise.all(names.map(findProgram));
  return names.filter((_name, index) => found[index] === undefined);
}

/** Full path of a program in PATH, or undefined. */
export async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name);
    if (
      folder &&
      (await access(path, constants.X_OK).then(
        () => true,
        () => false,
      ))
    )
      return path;
  }
  return undefined;
}

function adviceFor(missing: readonly string[], debian: boolean): string {
  const names = missing.join(' ');
  return debian
    ? `missing for real guests: sudo apt-get install --no-install-recommends ${names}, or start it with sudo`
    : `missing for real guests: ${names} (on Debian, as root, they are installed by themselves)`;
}

/** Makes one of each in a network namespace that goes with the process. What the kernel said, or undefined. */
async function kernelRefuses(): Promise<string | undefined> {
  const script = `
    ip link add plumb-b type bridge &&
    ip link add plumb-v type vxlan id 1 dstport 4789 &&
    ip tuntap add plumb-t mode tap &&
    nft add table inet plumb`;
  return run('unshare', ['--net', 'sh', '-c', script]).then(
    () => undefined,
    (error: Error) => error.message.split('\n').at(-1),
  );
}
