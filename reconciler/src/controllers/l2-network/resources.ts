/** What hosts need of an L2Network. */
import type { HostResource, L2Network } from '@plumb/schemas';
import { mtuBytes } from '../../plan/mtu.ts';
import type { Cached } from '../../runtime/cache.ts';
import { findUsed, type SharedProvider } from '../shared-provider.ts';
import { peersOf } from './peers.ts';

/** `peers`: tunnel endpoints of the other hosts that carry the network; only vxlan has them. */
export function bridgeResource(l2: L2Network, peers: readonly string[]): HostResource<'bridge'> {
  const { type, vni, physicalInterface } = l2.spec;
  return {
    kind: 'bridge',
    id: l2.metadata.uid,
    owner: l2.metadata.uid,
    spec: {
      name: l2.metadata.name,
      type,
      ...(vni === undefined ? {} : { vni }),
      ...(physicalInterface === undefined ? {} : { physicalInterface }),
      mtuBytes: mtuBytes(l2),
      peers: type === 'vxlan' ? [...peers].sort() : [],
    },
  };
}

export const bridgeProvider: SharedProvider = {
  type: 'bridge',
  provide(context, id, host, used) {
    const l2 = findUsed(used, 'L2Network', id) as Cached<L2Network> | undefined;
    return l2 && bridgeResource(l2.object, l2.object.spec.type === 'vxlan' ? peersOf(context, l2.key, host) : []);
  },
};
