/**
 * Who may send to this host's ends of VXLAN tunnels: VXLAN has no authentication (RFC 7348 section 7), so whoever reaches its
 * UDP port would be in the networks. One table of the host's own firewall that drops what comes for a network of ours and
 * not from one of its peers, and lets everything else be as others have it. Pure.
 */
import { isIPv4 } from 'node:net';
import type { HostResource } from '@plumb/schemas';

/** UDP port of VXLAN (RFC 7348). */
export const VXLAN_PORT = 4789;
/** The number of the network in a VXLAN header, in bits after the beginning of the UDP header. */
const VNI = '@th,96,24';
/** Before any table that accepts. */
const PRIORITY = -310;

/** `vnis`: numbers of networks. `peers`: address and network of every peer. */
export type TunnelSets = Record<'vnis' | 'peers', Set<string>>;

/**
 * The endpoints of other hosts as far as they can be any: what a control plane has been told wrongly of one host keeps
 * none of the others away. `own`: the address of this host, to which nothing is sent.
 */
export function usablePeers({ spec }: HostResource<'bridge'>, own?: string): string[] {
  return [...new Set(spec.peers)].filter((address) => address !== own && isUnicast(address)).sort();
}

function isUnicast(address: string): boolean {
  const first = Number(address.split('.')[0]);
  return isIPv4(address) && first >= 1 && first <= 223 && first !== 127;
}

export function tunnelSets(bridges: readonly HostResource<'bridge'>[], own: string): TunnelSets {
  const sets: TunnelSets = { vnis: new Set(), peers: new Set() };
  for (const bridge of bridges) {
    const { type, vni } = bridge.spec;
    if (type !== 'vxlan' || vni === undefined || usablePeers(bridge).length === 0) continue;
    sets.vnis.add(String(vni));
    for (const peer of usablePeers(bridge, own)) sets.peers.add(`${peer} . ${vni}`);
  }
  return sets;
}

const RULE = `udp dport ${VXLAN_PORT} ${VNI} @vnis ip saddr . ${VNI} != @peers drop`;

/** Text for `nft -f`: replaces the whole table at once. */
export function tunnelRuleset(table: string, { vnis, peers }: TunnelSets): string {
  const elements = (set: Set<string>) => (set.size === 0 ? '' : ` elements = { ${[...set].sort().join(', ')} };`);
  return [
    `table ip ${table}`,
    `delete table ip ${table}`,
    `table ip ${table} {`,
    `  set vnis { typeof ${VNI};${elements(vnis)} }`,
    `  set peers { typeof ip saddr . ${VNI};${elements(peers)} }`,
    '  chain input {',
    `    type filter hook input priority ${PRIORITY}; policy accept;`,
    `    ${RULE}`,
    '  }',
    '}',
    '',
  ].join('\n');
}

/** What `nft -j list table` shows. */
export function readTunnels(json: string): { sets: TunnelSets; complete: boolean } {
  const sets: TunnelSets = { vnis: new Set(), peers: new Set() };
  let rules = 0;
  for (const { set, rule } of (JSON.parse(json) as { nftables: Listed[] }).nftables) {
    for (const element of set?.elem ?? [])
      sets[set?.name as keyof TunnelSets]?.add(
        typeof element === 'number' ? String(element) : element.concat.join(' . '),
      );
    if (rule?.chain === 'input') rules += 1;
  }
  return { sets, complete: rules === 1 };
}

/** How what is loaded differs for one bridge, as sentences. */
export function tunnelDrift(bridge: HostResource<'bridge'>, own: string, loaded: TunnelSets | undefined): string[] {
  const { vnis, peers } = tunnelSets([bridge], own);
  if (vnis.size === 0) return [];
  const of = (set: ReadonlySet<string> = new Set()) =>
    [...set]
      .filter((one) => one.endsWith(` . ${bridge.spec.vni}`))
      .sort()
      .join();
  if (loaded?.vnis.has(String(bridge.spec.vni)) && of(loaded.peers) === of(peers)) return [];
  return [`the host's firewall does not keep its VXLAN ${bridge.spec.vni} to its peers`];
}

interface Listed {
  set?: { name: string; elem?: (number | { concat: (string | number)[] })[] };
  rule?: { chain: string };
}
