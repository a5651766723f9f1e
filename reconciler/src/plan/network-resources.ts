/** Pure projections of networks and images to the resources that hosts need for them. */
import type { HostResource, Image, L2Network, L3Network } from '@plumb/schemas';
import { objectName } from '@plumb/schemas';

const VXLAN_OVERHEAD_BYTES = 50; // RFC 7348: outer Ethernet 14, IPv4 20, UDP 8, VXLAN 8
const ETHERNET_MTU_BYTES = 1500;

export function mtuBytes(l2: L2Network): number {
  return (
    l2.spec.mtuBytes ?? (l2.spec.type === 'vxlan' ? ETHERNET_MTU_BYTES - VXLAN_OVERHEAD_BYTES : ETHERNET_MTU_BYTES)
  );
}

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

export function imageResource(image: Image): HostResource<'image'> {
  const { url, sha256, format, maxSizeMiB } = image.spec;
  return {
    kind: 'image',
    id: sha256,
    owner: image.metadata.uid,
    spec: { url, sha256, format, maxBytes: maxSizeMiB * 1024 * 1024 },
  };
}

/** Where the version of a UUID stands among its digits (RFC 9562). */
const VERSION_DIGIT = 12;

/**
 * A locally administered unicast address (IEEE 802) from random digits of a UUID and a small number. Of version 4 it takes
 * the first ones, as it always did: what runs keeps its address. Those of version 7 begin with a time, so the last ones.
 */
export function macFromUid(firstByte: '02' | '0a', uid: string, index = 0): string {
  const hex = uid.replaceAll('-', '');
  const random = hex[VERSION_DIGIT] === '4' ? hex.slice(0, 10) : hex.slice(-10);
  const last = (Number.parseInt(random.slice(8), 16) + index) % 256;
  const bytes = [firstByte, random.slice(0, 2), random.slice(2, 4), random.slice(4, 6), random.slice(6, 8)];
  return [...bytes, last.toString(16).padStart(2, '0')].join(':');
}
