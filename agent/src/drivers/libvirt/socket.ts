import { stat } from 'node:fs/promises';
import { retryable } from '@plumb/schemas';

/** Where a system's libvirt listens: the one daemon, or QEMU's own where the daemons are several. */
const SOCKETS = ['/run/libvirt/libvirt-sock', '/run/libvirt/virtqemud-sock'];

/** The socket of the system's libvirt. Throws `LibvirtUnavailable` (retry) when there is none. */
export async function findSocket(): Promise<string> {
  for (const path of SOCKETS) if ((await stat(path).catch(() => undefined))?.isSocket()) return path;
  throw retryable('LibvirtUnavailable', `Libvirt has no socket at ${SOCKETS.join(' or ')}: install and start libvirtd`);
}
