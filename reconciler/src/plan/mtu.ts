/** How large the packets are that a network carries. */
import type { L2Network } from '@plumb/schemas';

const VXLAN_OVERHEAD_BYTES = 50; // RFC 7348: outer Ethernet 14, IPv4 20, UDP 8, VXLAN 8
const ETHERNET_MTU_BYTES = 1500;

export function mtuBytes({ spec }: L2Network): number {
  const { type, mtuBytes = ETHERNET_MTU_BYTES - (type === 'vxlan' ? VXLAN_OVERHEAD_BYTES : 0) } = spec;
  return mtuBytes;
}
