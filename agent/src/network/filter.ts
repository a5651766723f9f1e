/**
 * The packet filter of a host: one table of the bridge family for all networks of a driver, in which taps, legs and
 * uplinks are elements of sets. A guest sends ARP and IPv4 from its declared addresses, asks for a lease in its own name,
 * and sends nothing else; what the server can give to few at a time it is given rarely. What lives on this host is not claimed from outside, and the gateway's address, the same on
 * every host, is never heard beyond this one. Pure.
 */
import { createHash } from 'node:crypto';
import type { HostResource } from '@plumb/schemas';
import { uplinkOf } from './bridge.ts';
import type { Names } from './names.ts';

export interface FilterInput {
  bridges: readonly HostResource<'bridge'>[];
  subnets: readonly HostResource<'subnet'>[];
  ports: readonly HostResource<'port'>[];
}

/** Fields of a DHCP message (RFC 2131 section 2) by their offset and length in bytes, and its first option. */
const dhcpFields = {
  /** `op`, `htype` and `hlen`. */
  kind: [0, 3],
  ciaddr: [12, 4],
  giaddr: [24, 4],
  chaddr: [28, 6],
  firstOption: [240, 3],
} as const;

/** The field as nft reads it: counted in bits, from the beginning of the UDP header. */
function dhcp(field: keyof typeof dhcpFields): string {
  const [offset, bytes] = dhcpFields[field];
  return `@th,${(8 + offset) * 8},${bytes * 8}`;
}

/** The groups 01:80:c2:00:00:00 to 0f, by which bridges speak to each other. */
const BRIDGE_GROUP = 'ether daddr & ff:ff:ff:ff:ff:f0 == 01:80:c2:00:00:00';

/** A request of an Ethernet client in its own name, which no relay passed on. */
const OWN_REQUEST = `udp sport 68 ${dhcp('kind')} 0x010106 ${dhcp('giaddr')} 0 iifname . ${dhcp('chaddr')} @dhcp_macs`;

type SetName = keyof typeof setTypes;
/** Elements of every set, as text: an interface, or an interface and an address. */
export type FilterSets = Record<SetName, Set<string>>;

/** Joins the parts of an element, as nft writes them. */
const AND = ' . ';

const setTypes = {
  taps: 'type ifname',
  macs: 'type ifname . ether_addr',
  addresses: 'type ifname . ipv4_addr',
  /** The addresses again, as they stand in a DHCP message: to nft these are numbers without a meaning. */
  dhcp_macs: `typeof iifname . ${dhcp('chaddr')}`,
  dhcp_addresses: `typeof iifname . ${dhcp('ciaddr')}`,
  legs: 'type ifname',
  uplinks: 'type ifname',
  /** What lives on this host, by the uplink on which it must not be heard. */
  local_macs: 'type ifname . ether_addr',
  local_addresses: 'type ifname . ipv4_addr',
  server_addresses: 'type ifname . ipv4_addr',
} as const;

/** Filled by the rules themselves: who did something lately, and how often. */
const meters = { dns_calls: 'type ifname; flags dynamic, timeout; timeout 5m; size 65535;' } as const;

/**
 * dnsmasq answers each TCP connection with a process of its own, twenty at most, and gives up a silent one after 150
 * seconds: a guest that opens more than these few would have all of them. Names are answered by UDP.
 */
const MANY_CALLS =
  'iifname @taps oifname @legs tcp dport 53 tcp flags & (syn | ack) == syn update @dns_calls { iifname limit rate over 2/minute burst 3 packets } drop';

/** Before anything else looks at a frame. */
const PRIORITY = -310;
const hook = (name: string) => `type filter hook ${name} priority ${PRIORITY}; policy accept;`;

/** Chains and their rules; the first line of a base chain is its hook. */
const chains: Record<string, { hook?: string; rules: string[] }> = {
  prerouting: {
    hook: hook('prerouting'),
    rules: ['iifname @taps jump from_guest', 'iifname @uplinks jump from_uplink'],
  },
  from_guest: {
    rules: [
      `${BRIDGE_GROUP} drop`,
      'iifname . ether saddr != @macs drop',
      'ether type arp jump guest_arp',
      'ether type ip jump guest_ip',
      'drop',
    ],
  },
  guest_arp: {
    rules: [
      // With other lengths the fields that are looked at are not those that a receiver reads.
      'arp htype != 1 drop',
      'arp ptype != ip drop',
      'arp hlen != 6 drop',
      'arp plen != 4 drop',
      'iifname . arp saddr ether != @macs drop',
      // The question whether an address is free (RFC 5227). Asked for a neighbour's, it makes the neighbour give it up.
      'arp operation request arp saddr ip 0.0.0.0 iifname . arp daddr ip @addresses accept',
      'arp operation { request, reply } iifname . arp saddr ip @addresses accept',
    ],
  },
  guest_ip: {
    rules: [
      'udp dport 67 jump guest_dhcp',
      // A guest is no DHCP server, whatever port it answers from, and no router.
      'udp dport 68 drop',
      'icmp type { redirect, router-advertisement } drop',
      'ip option lsrr exists drop',
      'ip option ssrr exists drop',
      // Fragments that begin within a transport header, and packets whose header is not whole.
      'ip frag-off & 0x1fff == 1 drop',
      'iifname . ip saddr @addresses meta l4proto 0-254 accept',
    ],
  },
  guest_dhcp: {
    rules: [
      // A message of which only a part is seen may have anything in the others.
      'ip frag-off & 0x3fff != 0 drop',
      // DHCPDECLINE: addresses are declared, there is no other to be had.
      `${dhcp('firstOption')} 0x350104 drop`,
      'ip saddr != 0.0.0.0 iifname . ip saddr != @addresses drop',
      'ip saddr 0.0.0.0 ip daddr != 255.255.255.255 drop',
      `${OWN_REQUEST} ${dhcp('ciaddr')} 0 accept`,
      `${OWN_REQUEST} iifname . ${dhcp('ciaddr')} @dhcp_addresses accept`,
      'drop',
    ],
  },
  from_uplink: {
    rules: [
      `${BRIDGE_GROUP} drop`,
      'ether type != { arp, ip } drop',
      'udp dport 67 drop',
      'iifname . ether saddr @local_macs drop',
      'iifname . arp saddr ip @local_addresses drop',
    ],
  },
  forward: {
    hook: hook('forward'),
    rules: [
      'iifname @legs oifname @uplinks drop',
      'iifname @uplinks oifname @legs drop',
      'oifname @uplinks jump to_uplink',
      'iifname @uplinks oifname @taps udp dport 68 drop',
      'iifname @taps oifname @taps udp dport 67 drop',
      MANY_CALLS,
    ],
  },
  to_uplink: { rules: ['udp dport 67 drop', 'oifname . arp daddr ip @server_addresses drop'] },
  // Nothing on these networks is for the host itself, or from it: a daemon may try to configure every interface.
  output: { hook: hook('output'), rules: ['oifname @taps drop', 'oifname @legs drop', 'oifname @uplinks drop'] },
  input: { hook: hook('input'), rules: ['iifname @taps drop', 'iifname @legs drop', 'iifname @uplinks drop'] },
};

/** An empty chain whose name tells these rules from those of another version, which nft lists in words of its own. */
const MARK = `rules_${createHash('sha256')
  .update(JSON.stringify([setTypes, meters, chains]))
  .digest('hex')
  .slice(0, 12)}`;
chains[MARK] = { rules: [] };

/** How many rules each chain has. */
export const chainLengths: ReadonlyMap<string, number> = new Map(
  Object.entries(chains).map(([name, { rules }]) => [name, rules.length]),
);

export function noElements(): FilterSets {
  return Object.fromEntries(Object.keys(setTypes).map((name) => [name, new Set()])) as FilterSets;
}

export function filterSets({ bridges, subnets, ports }: FilterInput, names: Names): FilterSets {
  const sets = noElements();
  const uplinks = new Map(bridges.map((bridge) => [bridge.id, uplinkOf(bridge, names)]));
  for (const uplink of uplinks.values()) if (uplink !== undefined) sets.uplinks.add(uplink);
  for (const { id, spec } of subnets) {
    sets.legs.add(names.leg(id));
    const uplink = uplinks.get(spec.bridge);
    if (uplink === undefined) continue;
    sets.local_macs.add(uplink + AND + spec.serverMac);
    sets.local_addresses.add(uplink + AND + spec.serverAddress);
    sets.server_addresses.add(uplink + AND + spec.serverAddress);
  }
  for (const port of ports) {
    for (const [set, element] of portElements(port, names)) sets[set].add(element);
    const uplink = uplinks.get(port.spec.bridge);
    if (uplink === undefined) continue;
    sets.local_macs.add(uplink + AND + port.spec.macAddress);
    for (const address of port.spec.addresses) sets.local_addresses.add(uplink + AND + address);
  }
  return sets;
}

/** The elements by which one port is let through, each with the set that it belongs to. */
export function portElements({ id, spec }: HostResource<'port'>, names: Names): [SetName, string][] {
  const tap = names.tap(id);
  return [
    ['taps', tap],
    ['macs', tap + AND + spec.macAddress],
    ['dhcp_macs', tap + AND + asNumber(spec.macAddress, ':', 16)],
    ...spec.addresses.flatMap((address): [SetName, string][] => [
      ['addresses', tap + AND + address],
      ['dhcp_addresses', tap + AND + asNumber(address, '.', 10)],
    ]),
  ];
}

/** The bytes of an address as one number, the way nft lists it; 48 bits at most. */
function asNumber(address: string, separator: string, base: number): number {
  return address.split(separator).reduce((sum, byte) => sum * 256 + Number.parseInt(byte, base), 0);
}

/** Text for `nft -f`: replaces the whole table at once, so that there is no moment without it. */
export function filterRuleset(table: string, sets: FilterSets): string {
  const lines = [`table bridge ${table}`, `delete table bridge ${table}`, `table bridge ${table} {`];
  for (const [name, type] of Object.entries(setTypes)) {
    const elements = [...sets[name as SetName]].sort().map(quoted);
    const content = elements.length > 0 ? ` elements = { ${elements.join(', ')} };` : '';
    lines.push(`  set ${name} { ${type};${content} }`);
  }
  for (const [name, type] of Object.entries(meters)) lines.push(`  set ${name} { ${type} }`);
  for (const [name, { hook, rules }] of Object.entries(chains))
    lines.push(`  chain ${name} {`, ...[...(hook ? [hook] : []), ...rules].map((line) => `    ${line}`), '  }');
  return [...lines, '}', ''].join('\n');
}

/** The interface in quotes, as nft wants names that could be words of its own. */
function quoted(element: string): string {
  const [name, ...address] = element.split(AND);
  return [`"${name}"`, ...address].join(AND);
}

/** What `nft -j list table` shows: the elements that are there, and whether all rules are. */
export function readFilter(json: string): { sets: FilterSets; complete: boolean } {
  const sets = noElements();
  const lengths = new Map<string, number>();
  for (const { set, chain, rule } of (JSON.parse(json) as { nftables: Listed[] }).nftables) {
    for (const element of set?.elem ?? [])
      sets[set?.name as SetName]?.add(typeof element === 'string' ? element : element.concat.join(AND));
    if (chain) lengths.set(chain.name, lengths.get(chain.name) ?? 0);
    if (rule) lengths.set(rule.chain, (lengths.get(rule.chain) ?? 0) + 1);
  }
  const complete = [...chainLengths].every(([name, length]) => lengths.get(name) === length);
  return { sets, complete };
}

interface Listed {
  set?: { name: string; elem?: (string | { concat: (string | number)[] })[] };
  chain?: { name: string };
  rule?: { chain: string };
}
