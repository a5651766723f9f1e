/** What can be wrong with a host of libvirt as a whole, in the words that its Host shows. */
import type { HostTrouble } from '@plumb/schemas/wire/messages.ts';
import type { SpaceLeft } from '../../host/space-left.ts';
import type { Unseen } from './domain/looking.ts';

/** So many domains are named; of others it is said how many. */
const NAMED = 3;

/** `why`: a sentence. */
export function awayTrouble(why: string): HostTrouble {
  const message = `${why}; guests that run go on, and none can be made, changed or watched until libvirtd is started`;
  return { reason: 'LibvirtUnavailable', message, blocking: true };
}

export function hiddenTrouble(unseen: readonly Unseen[]): HostTrouble[] {
  if (unseen.length === 0) return [];
  const names = named(unseen.map(({ name, why }) => `${name} (${why})`));
  const message = `libvirt does not say what these domains are, so that what is known of them is of an earlier time: ${names}`;
  return [{ reason: 'DomainsNotSeen', message, blocking: false }];
}

/** `uid`: as whom libvirt starts QEMU. `asRoot`: names of domains whose QEMU runs as root. */
export function rootTrouble(uid: number, asRoot: readonly string[]): HostTrouble[] {
  const trouble = (message: string) => [{ reason: 'QemuRunsAsRoot', message, blocking: false }];
  if (uid === 0)
    return trouble(
      "libvirt starts QEMU as root, so that a guest that breaks out of QEMU has the host: set user and group in libvirt's qemu.conf to libvirt-qemu, and restart libvirtd and the agent",
    );
  if (asRoot.length === 0) return [];
  return trouble(
    `these guests were started when QEMU ran as root, and do so until they are next started: ${named(asRoot)}`,
  );
}

/** `problem`: a sentence. */
export function bridgedTrouble(problem: string | undefined): HostTrouble[] {
  return problem === undefined ? [] : [{ reason: 'BridgedPacketsDropped', message: problem, blocking: true }];
}

export function fullTrouble(folder: string, { isFull, freeMiB }: SpaceLeft): HostTrouble[] {
  if (!isFull) return [];
  const message = `the disk of the agent's data folder ${folder} is full: ${freeMiB} MiB are left. Guests are held when they write, and none are made, until there is space: delete instances or images, or add a disk`;
  return [{ reason: 'DiskFull', message, blocking: true }];
}

/** `paths`: what lies in the place of records and is none. */
export function recordsTrouble(paths: readonly string[]): HostTrouble[] {
  if (paths.length === 0) return [];
  const message = `these files of the agent are damaged or none of its own, so that what they were of counts as undeclared: ${named(paths)}. Each is written anew when its resource is next made; remove those of which nothing is left, and restart the agent`;
  return [{ reason: 'RecordsUnreadable', message, blocking: false }];
}

function named(names: readonly string[]): string {
  const rest = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  return `${names.slice(0, NAMED).join('; ')}${rest}`;
}
