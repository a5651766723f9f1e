/** The address from which DHCP answers on a subnet. */
import { type L2Network, type L3Network, objectName } from '@plumb/schemas';
import type { AllocationIndex } from '../../allocation/allocation-index.ts';
import { lastFree, noFreeAddress, parseSubnet, toAddress } from '../../plan/addressing.ts';
import { ADDRESS } from '../../plan/allocation.ts';
import { isDistributed } from './resources.ts';

/** The gateway itself, where every host answers for it; undefined where DHCP needs an address of its own. */
export function sharedAddress(object: L3Network, l2: L2Network): string | undefined {
  return isDistributed(object, l2) ? object.spec.ipv4.gateway : undefined;
}

/** Takes the address in `index`, tentatively, where it is to be one of its own. */
export function dhcpAddressFor(object: L3Network, l2: L2Network, index: AllocationIndex): string {
  const shared = sharedAddress(object, l2);
  if (shared !== undefined) return shared;
  const { uid } = object.metadata;
  const subnet = parseSubnet(objectName(object.metadata), object.spec.ipv4);
  const free = lastFree(subnet, (address) => index.holderOf(ADDRESS, `${uid}/${address}`) !== undefined);
  if (free === undefined) throw noFreeAddress(subnet.name);
  const address = toAddress(free);
  index.claim(ADDRESS, `${uid}/${address}`, uid);
  return address;
}
