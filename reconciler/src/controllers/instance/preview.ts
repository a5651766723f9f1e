/** What a preview says of an instance beside its steps. */
import type { Instance } from '@plumb/schemas';
import type { Allocation } from '../../plan/allocation.ts';
import type { Placement } from '../kind-preview.ts';

/** A MAC address follows from the uid, which an instance that is not there yet does not have. */
export function interfacesOf(
  { interfaces }: Allocation,
  { resourceVersion }: Instance['metadata'],
): Placement['interfaces'] {
  const isMade = resourceVersion !== '0';
  return interfaces.map(({ name, l3Network, addresses, macAddress }) => ({
    ...{ name, l3Network, addresses },
    ...(isMade ? { macAddress } : {}),
  }));
}
