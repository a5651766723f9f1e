/** What hosts need of an L3Network. */
import { type HostResource, type L2Network, type L3Network, objectName } from '@plumb/schemas';
import { macFromUid } from '../../plan/mac.ts';
import { mtuBytes } from '../../plan/mtu.ts';
import { findUsed, type SharedProvider } from '../shared-provider.ts';

/** True when every host answers for the gateway address itself. */
export function isDistributed(l3: L3Network, l2: L2Network): boolean {
  return (l3.spec.gateway ?? (l2.spec.type === 'vxlan' ? 'distributed' : 'external')) === 'distributed';
}

/** Needs `status.dhcpAddress`: the L3Network is Ready. */
export function subnetResource(l3: L3Network, l2: L2Network, dhcpAddress: string): HostResource<'subnet'> {
  const { ipv4, dns } = l3.spec;
  return {
    kind: 'subnet',
    id: l3.metadata.uid,
    owner: l3.metadata.uid,
    spec: {
      name: objectName(l3.metadata),
      bridge: l2.metadata.uid,
      cidr: ipv4.cidr,
      ...(ipv4.gateway === undefined ? {} : { gateway: ipv4.gateway }),
      serverAddress: dhcpAddress,
      serverMac: macFromUid('0a', l3.metadata.uid),
      mtuBytes: mtuBytes(l2),
      ...(dns?.domain === undefined ? {} : { domain: dns.domain }),
      dnsServers: dns?.servers ?? [],
    },
  };
}

/** There is none before the network has an address for its DHCP. */
export const subnetProvider: SharedProvider = {
  type: 'subnet',
  provide(_, id, __, used) {
    const l3 = findUsed(used, 'L3Network', id)?.object as L3Network | undefined;
    const address = l3?.status?.dhcpAddress;
    const l2 = l3 && used.find(({ object }) => isCarrier(object, l3))?.object;
    return l2 && address ? subnetResource(l3, l2 as L2Network, address) : undefined;
  },
};

function isCarrier({ kind, metadata }: { kind: string; metadata: { name: string } }, { spec }: L3Network): boolean {
  return kind === 'L2Network' && metadata.name === spec.l2Network;
}
