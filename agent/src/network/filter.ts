/**
 * The packet filter of a host: one table of the bridge family for all networks of a driver, in which taps, legs and
 * uplinks are elements of sets. A guest sends from its declared Ethernet and IPv4 addresses and nothing else; the
 * gateway's address, the same on every host, is never heard beyond this one. Pure.
 */
import type { Thing } from '@plumb/schemas';
import { uplinkOf } from './bridge.ts';
import type { Names } from './names.ts';

export interface FilterInput {
  bridges: readonly Thing<'bridge'>[];
  subnets: readonly Thing<'subnet'>[];
  ports: readonly Thing<'port'>[];
}

type SetName = keyof typeof setTypes;
/** Elements of every set, as text: an interface, or an interface and an address. */
export type FilterSets = Record<SetName, Set<string>>;

/** Joins the parts of an element, as nft writes them. */
const AND = ' . ';

const setTypes = {
  taps: 'ifname',
  macs: 'ifname . ether_addr',
  addresses: 'ifname . ipv4_addr',
  legs: 'ifname',
  uplinks: 'ifname',
  server_macs: 'ifname . ether_addr',
  server_addresses: 'ifname . ipv4_addr',
} as const;

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
      'ether type { 8021q, 8021ad } drop',
      'iifname . ether saddr != @macs drop',
      'ether type arp jump guest_arp',
      'ether type ip jump guest_ip',
      'drop',
    ],
  },
  guest_arp: {
    rules: [
      'iifname . arp saddr ether != @macs drop',
      'arp saddr ip 0.0.0.0 accept', // The question whether an address is free (RFC 5227).
      'iifname . arp saddr ip @addresses accept',
      'drop',
    ],
  },
  guest_ip: {
    rules: [
      'ip saddr 0.0.0.0 udp sport 68 udp dport 67 accept',
      'udp sport 67 drop', // A guest is no DHCP server.
      'iifname . ip saddr @addresses accept',
      'drop',
    ],
  },
  from_uplink: {
    rules: ['iifname . ether saddr @server_macs drop', 'iifname . arp saddr ip @server_addresses drop'],
  },
  forward: {
    hook: hook('forward'),
    rules: [
      'iifname @legs oifname @uplinks drop',
      'iifname @uplinks oifname @legs drop',
      'oifname @uplinks jump to_uplink',
      'iifname @uplinks oifname @taps udp dport 68 drop',
    ],
  },
  to_uplink: { rules: ['udp dport 67 drop', 'oifname . arp daddr ip @server_addresses drop'] },
  // Nothing on these networks is for the host itself.
  input: { hook: hook('input'), rules: ['iifname @taps drop', 'iifname @legs drop', 'iifname @uplinks drop'] },
};

/** How many rules each chain has. */
export const chainLengths: ReadonlyMap<string, number> = new Map(
  Object.entries(chains).map(([name, { rules }]) => [name, rules.length]),
);

export function filterSets({ bridges, subnets, ports }: FilterInput, names: Names): FilterSets {
  const sets = Object.fromEntries(Object.keys(setTypes).map((name) => [name, new Set()])) as FilterSets;
  const uplinks = new Map(bridges.map((bridge) => [bridge.id, uplinkOf(bridge, names)]));
  for (const uplink of uplinks.values()) if (uplink !== undefined) sets.uplinks.add(uplink);
  for (const { id, spec } of subnets) {
    sets.legs.add(names.leg(id));
    const uplink = uplinks.get(spec.bridge);
    if (uplink === undefined) continue;
    sets.server_macs.add(uplink + AND + spec.serverMac);
    sets.server_addresses.add(uplink + AND + spec.serverAddress);
  }
  for (const port of ports) for (const [set, element] of portElements(port, names)) sets[set].add(element);
  return sets;
}

/** The elements by which one port is let through, each with the set that it belongs to. */
export function portElements({ id, spec }: Thing<'port'>, names: Names): [SetName, string][] {
  const tap = names.tap(id);
  return [
    ['taps', tap],
    ['macs', tap + AND + spec.macAddress],
    ...spec.addresses.map((address): [SetName, string] => ['addresses', tap + AND + address]),
  ];
}

/** Text for `nft -f`: replaces the whole table at once, so that there is no moment without it. */
export function filterRuleset(table: string, sets: FilterSets): string {
  const lines = [`table bridge ${table}`, `delete table bridge ${table}`, `table bridge ${table} {`];
  for (const [name, type] of Object.entries(setTypes)) {
    const elements = [...sets[name as SetName]].sort().map(quoted);
    const content = elements.length > 0 ? ` elements = { ${elements.join(', ')} };` : '';
    lines.push(`  set ${name} { type ${type};${content} }`);
  }
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
  const sets = Object.fromEntries(Object.keys(setTypes).map((name) => [name, new Set()])) as FilterSets;
  const lengths = new Map<string, number>();
  for (const { set, rule } of (JSON.parse(json) as { nftables: Listed[] }).nftables) {
    for (const element of set?.elem ?? [])
      sets[set?.name as SetName]?.add(typeof element === 'string' ? element : element.concat.join(AND));
    if (rule) lengths.set(rule.chain, (lengths.get(rule.chain) ?? 0) + 1);
  }
  const complete = [...chainLengths].every(([name, length]) => lengths.get(name) === length);
  return { sets, complete };
}

interface Listed {
  set?: { name: string; elem?: (string | { concat: string[] })[] };
  rule?: { chain: string };
}
