import type { L2Network, L3Network } from '@plumb/schemas';
import type { Cached } from '../../runtime/cache.ts';
import type { KindPreview } from '../kind-preview.ts';
import { mustBeReady, resolve } from '../references.ts';
import { dhcpAddressFor } from './dhcp-address.ts';

/** Nothing is made of a subnet before an instance is on it; but its DHCP server takes an address. */
export const l3NetworkPreview: KindPreview = {
  plan(context, cached) {
    const { object } = cached as Cached<L3Network>;
    if (object.status?.dhcpAddress !== undefined) return { steps: [] };
    const { l2Network } = object.spec;
    const l2 = resolve<L2Network>(context, object, 'spec.l2Network', 'L2Network', l2Network, { newUse: true });
    mustBeReady('spec.l2Network', l2);
    return { steps: [], status: { ...object.status, dhcpAddress: dhcpAddressFor(object, l2.object, context.index) } };
  },
};
