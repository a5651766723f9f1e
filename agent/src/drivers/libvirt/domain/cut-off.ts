/** Whether a guest lost its connection to a port, or its QEMU has just ended and libvirt has not said so yet. */
import type { Clock } from '@plumb/schemas';
import type { Procedures } from '../rpc/procedures.ts';
import { isLibvirtError, libvirtError } from '../rpc/remote-error.ts';

export interface CutOffOptions {
  libvirt: Pick<Procedures, 'lookupByUuid' | 'state'>;
  clock: Clock;
  /** Those of the ports whose tap nobody holds open. */
  withoutCarrier: (portIds: readonly string[]) => Promise<string[]>;
  /** The instance that a port was made for, whose uid its domain bears. */
  ownerOf: (portId: string) => string | undefined;
}

/** libvirt's states of a domain whose QEMU is there and not about to end (virDomainState in libvirt-domain.h). */
const ALIVE = new Set([1, 2, 3, 7]);
/** libvirt hears of the end of a QEMU within this time, also on a machine that is busy. */
const HEARS_WITHIN_MS = 1_500;
const LOOK_AGAIN_MS = 50;

/**
 * Those of a running domain's ports that it is not connected to. A tap loses its carrier when QEMU ends, before libvirt
 * says that the domain is off: taken for a lost connection, it would be repaired by a start, against a guest that has
 * powered off.
 */
export async function cutOffPorts(portIds: readonly string[], options: CutOffOptions): Promise<string[]> {
  const { clock, withoutCarrier, ownerOf } = options;
  const found = await withoutCarrier(portIds);
  const owner = found[0] === undefined ? undefined : ownerOf(found[0]);
  if (owner === undefined) return found;
  const deadline = clock.now() + HEARS_WITHIN_MS;
  while (clock.now() < deadline) {
    if (!(await isAlive(owner, options))) return [];
    await new Promise<void>((resolve) => clock.after(LOOK_AGAIN_MS, resolve));
  }
  return (await isAlive(owner, options)) ? withoutCarrier(portIds) : [];
}

async function isAlive(uuid: string, { libvirt }: CutOffOptions): Promise<boolean> {
  try {
    return ALIVE.has((await libvirt.state(await libvirt.lookupByUuid(uuid))).state);
  } catch (thrown) {
    if (isLibvirtError(thrown, libvirtError.noDomain)) return false;
    throw thrown;
  }
}
