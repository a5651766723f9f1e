/**
 * Interfaces of ours of whose declaration nothing is left, or nothing that can be understood. Guests may be on them. What the
 * packet filters let them do stays as it is loaded, and never becomes more: a tap that the filter does not know may send
 * nothing, where without an element of its own it could send anything.
 */
import type { FilterInput, FilterSets } from './filter.ts';
import { noElements } from './filter.ts';
import type { Link } from './ip.ts';
import type { Names } from './names.ts';
import type { TunnelSets } from './tunnels.ts';

/** What is loaded for strays. */
export interface Strays {
  filter: FilterSets;
  tunnels: TunnelSets;
}

interface Found {
  links: ReadonlyMap<string, Link>;
  filter: { sets: FilterSets } | undefined;
  tunnels: { sets: TunnelSets } | undefined;
}

/** Undefined when all that is there is declared. */
export function straysOf(declared: FilterInput, names: Names, { links, filter, tunnels }: Found): Strays | undefined {
  const { taps, legs, uplinks, vnis } = strayLinks(declared, names, links);
  if (taps.size + legs.size + uplinks.size === 0) return undefined;
  const of = new Set([...taps, ...legs, ...uplinks]);
  const loaded = filter?.sets ?? noElements();
  const kept = noElements();
  for (const [name, set] of Object.entries(loaded) as [keyof FilterSets, Set<string>][])
    for (const element of set) if (of.has(firstWord(element))) kept[name].add(element);
  for (const [name, links] of [
    ['taps', taps],
    ['legs', legs],
    ['uplinks', uplinks],
  ] as const)
    for (const link of links) kept[name].add(link);
  // What lives on this host is not claimed from outside, by whatever uplink.
  const local = new Set([...kept.macs, ...kept.addresses].map(address));
  if (legs.size > 0) for (const element of loaded.server_addresses) keep(kept.server_addresses, element, local);
  for (const name of ['local_macs', 'local_addresses'] as const)
    for (const element of loaded[name]) if (local.has(address(element))) kept[name].add(element);
  const peers = [...(tunnels?.sets.peers ?? [])].filter((peer) => vnis.has(address(peer)));
  return { filter: kept, tunnels: { vnis: new Set(vnis), peers: new Set(peers) } };
}

function strayLinks({ bridges, subnets, ports }: FilterInput, names: Names, links: ReadonlyMap<string, Link>) {
  const known = new Set([...bridges, ...subnets, ...ports].map(({ kind, id }) => `${kind}/${id}`));
  /** The type of resource that the interface was made for. */
  const strayOf = (link: Link | undefined) => {
    const mark = names.readAlias(link?.alias);
    return mark === undefined || known.has(`${mark.kind}/${mark.id}`) ? undefined : mark.kind;
  };
  const [taps, legs, uplinks, vnis] = [new Set<string>(), new Set<string>(), new Set<string>(), new Set<string>()];
  for (const link of links.values()) {
    const kind = strayOf(link);
    if (kind === 'port') taps.add(link.name);
    else if (kind === 'subnet') legs.add(link.name);
    else if (kind === 'bridge' && link.vxlan !== undefined) {
      uplinks.add(link.name);
      vnis.add(String(link.vxlan.vni));
    } else if (names.readAlias(link.alias) === undefined && link.master !== undefined) {
      // A physical interface on a bridge of ours bears no mark.
      if (strayOf(links.get(link.master)) === 'bridge') uplinks.add(link.name);
    }
  }
  return { taps, legs, uplinks, vnis };
}

function keep(into: Set<string>, element: string, local: Set<string>): void {
  into.add(element);
  local.add(address(element));
}

const AND = ' . ';

function firstWord(element: string): string {
  return element.split(AND, 1)[0]!;
}

function address(element: string): string {
  return element.slice(element.indexOf(AND) + AND.length);
}

/** All elements of both. */
export function united<Sets extends Record<string, Set<string>>>(sets: Sets, more: Sets | undefined): Sets {
  if (more === undefined) return sets;
  return Object.fromEntries(Object.entries(sets).map(([name, set]) => [name, set.union(more[name]!)])) as Sets;
}
