/** What qemu-img does for us. Formats are always given: a guessed one lets a guest name files of the host. */
import { constants } from 'node:fs';
import { chmod, chown, open } from 'node:fs/promises';
import { type HostResource, retryable } from '@plumb/schemas';
import { printable } from '@plumb/schemas/meta/printable.ts';
import type { User } from '@plumb/schemas/sources/users.ts';
import { CommandFailed, type Run } from '../host/command.ts';
import type { QemuUser } from '../host/qemu-user.ts';
import { unprivileged } from '../host/unprivileged.ts';
import { invalid } from './image-content.ts';

export type ImageFormat = 'qcow2' | 'raw';

/** Looks at a file that was fetched, with more than its header. Throws `ImageInvalid` (terminal). */
export type Inspect = (spec: HostResource<'image'>['spec'], path: string) => Promise<void>;

/** A file that overlays are made on, and how it is to be read. */
export interface BaseImage {
  path: string;
  format: ImageFormat;
}

/** Makes a linked clone: an overlay that holds only what differs from `base`, which a stranger made and is not looked at. */
export async function createClone(run: Run, path: string, base: BaseImage, bytes: number): Promise<void> {
  await run('qemu-img', ['create', '-q', '-u', '-f', 'qcow2', '-b', base.path, '-F', base.format, path, String(bytes)]);
}

/**
 * Grows a qcow2 disk of QEMU's user that nothing holds open, as that user: a guest that broke out of QEMU may have written it.
 * It is handed the open file, and what that is a clone of is not opened: it has no part in it.
 */
export async function growDisk(run: Run, path: string, bytes: number, user: QemuUser): Promise<void> {
  const alone = JSON.stringify({ driver: 'qcow2', backing: null, file: { driver: 'file', filename: '/dev/fd/0' } });
  const args = ['resize', '-q', `json:${alone}`, String(bytes)];
  const isOther = process.getuid?.() === 0 && user.uid !== 0;
  const file = await open(path, constants.O_RDWR | constants.O_NOFOLLOW);
  try {
    await unprivileged(run, isOther ? user : undefined, 'writes')('qemu-img', args, { stdin: file.fd });
  } finally {
    await file.close();
  }
}

/** Exit codes of `qemu-img check` for what guests can live with: nothing, and clusters that nobody uses. */
const GOOD_ENOUGH = 3;
const INSPECT_MS = 300_000;
const MOST_SAID = 200;

/**
 * Lets qemu-img look through a file, as a user without rights who is handed the open file and may read no other. `user`:
 * undefined where this process is not root.
 */
export function inspector(run: Run, user: () => Promise<User | undefined>): Inspect {
  return async (spec, path) => {
    if (spec.format !== 'qcow2') return;
    const whom = process.getuid?.() === 0 ? await user() : undefined;
    if (process.getuid?.() === 0 && whom === undefined)
      throw retryable('FetchUserMissing', 'the user who is to look through images went from this host');
    if (whom) {
      await chown(path, 0, whom.gid);
      await chmod(path, 0o640);
    }
    const file = await open(path, 'r');
    const timeoutMs = INSPECT_MS;
    try {
      const args = ['check', '-q', '-U', '-f', 'qcow2', '/dev/fd/0'];
      await unprivileged(run, whom)('qemu-img', args, { stdin: file.fd, timeoutMs });
    } catch (thrown) {
      if (!(thrown instanceof CommandFailed)) throw thrown;
      if (thrown.exitCode !== GOOD_ENOUGH) throw invalid(spec, complaintOf(thrown));
    } finally {
      await file.close();
    }
  };
}

/** What qemu-img says, without its own name and that of the file as it knows it. */
function complaintOf({ exitCode, stderr }: CommandFailed): string {
  if (exitCode < 0) return 'qemu-img does not come to an end with it';
  const said = stderr
    .split('\n')[0]!
    .replace(/^qemu-img: /, '')
    .replace(/^Could not open '[^']*': /, '');
  return `qemu-img refuses it: ${printable(said, MOST_SAID) || 'it says no more'}`;
}
