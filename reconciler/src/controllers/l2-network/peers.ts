/** Which hosts carry an L2 network, and their tunnel endpoints. */
import type { Context } from '../controller.ts';
import type { OwnState } from '../own-state.ts';

/** What is asked for, of all that a controller is made with. */
type Asked = Pick<Context, 'read' | 'cache' | 'endpoints' | 'fleet' | 'holdings' | 'own'>;

/** Hosts on which something is held of the network: by itself, or of any of its subnets. */
export function hostsOf(context: Asked, l2Key: string): Set<string> {
  const { cache, read, holdings } = context;
  const hosts = new Set<string>();
  for (const { object } of read.referrers(l2Key))
    for (const host of holdings.hostsOfNetwork(object.metadata.uid)) hosts.add(host);
  const own = read.get(l2Key)?.object.metadata.uid;
  if (own !== undefined) for (const host of holdings.hostsOfNetwork(own)) hosts.add(host);
  if (cache.poisoned.objects > 0) addHostsOfSetAside(context, l2Key, hosts);
  return hosts;
}

/** What cannot be understood uses the network all the same: by a reference that can be read, or by a port that lives. */
function addHostsOfSetAside({ cache, read, fleet, holdings }: Asked, l2Key: string, hosts: Set<string>): void {
  for (const { uid } of cache.poisoned.referrers(l2Key))
    if (uid !== undefined) for (const host of holdings.hostsOfNetwork(uid)) hosts.add(host);
  const l2Uid = read.get(l2Key)?.object.metadata.uid;
  for (const { uid } of cache.poisoned.aside())
    if (uid !== undefined)
      for (const { host, resource } of fleet.ownedBy(uid))
        if (resource.kind === 'port' && resource.spec.bridge === l2Uid) hosts.add(host);
}

/** Tunnel endpoints of the hosts that carry the network, but for `host` itself; sorted, each once. */
export function peersOf(context: Asked, l2Key: string, host: string): string[] {
  return tunnelPeers(context, l2Key)(host);
}

/** {@link peersOf} for many hosts: what they have in common is worked out once. */
export function tunnelPeers(context: Asked, l2Key: string): (host: string) => string[] {
  const { endpoints: all } = context;
  const networks = context.own(tunnelEndpoints);
  const endpoints = networks.get(l2Key) ?? new Endpoints();
  const sorted = endpoints.follow(hostsOf(context, l2Key), all);
  if (sorted.length === 0) networks.delete(l2Key);
  else networks.set(l2Key, endpoints);
  return (host) => {
    const own = all.addressOf(host);
    return sorted.filter((address) => address !== own);
  };
}

/** By key of the network; as far as no host has another address since they were worked out. */
export const tunnelEndpoints: OwnState<Map<string, Endpoints>> = {
  name: 'the tunnel endpoints of each network',
  begin({ endpoints }) {
    const networks = new Map<string, Endpoints>();
    endpoints.onChange(() => networks.clear());
    return networks;
  },
};

/** The endpoints of one network, to which hosts come one at a time: a burst of creates asks after each of them. */
class Endpoints {
  /** Host → its address; empty when it has none. */
  readonly #addresses = new Map<string, string>();
  /** Address → hosts that have it. */
  readonly #uses = new Map<string, number>();
  #sorted: readonly string[] = [];

  /** The addresses of these hosts, sorted, each once. What was given before stays as it is. */
  follow(hosts: ReadonlySet<string>, all: Asked['endpoints']): readonly string[] {
    const sorted = [...this.#sorted];
    for (const host of hosts) if (!this.#addresses.has(host)) this.#add(sorted, host, all);
    if (this.#addresses.size > hosts.size)
      for (const host of this.#addresses.keys()) if (!hosts.has(host)) this.#remove(sorted, host);
    this.#sorted = sorted;
    return sorted;
  }

  #add(sorted: string[], host: string, all: Asked['endpoints']): void {
    const address = all.addressOf(host);
    this.#addresses.set(host, address);
    if (address === '') return;
    const uses = this.#uses.get(address) ?? 0;
    this.#uses.set(address, uses + 1);
    if (uses === 0) sorted.splice(placeOf(sorted, address), 0, address);
  }

  #remove(sorted: string[], host: string): void {
    const address = this.#addresses.get(host)!;
    this.#addresses.delete(host);
    if (address === '') return;
    const uses = this.#uses.get(address)! - 1;
    if (uses > 0) this.#uses.set(address, uses);
    else {
      this.#uses.delete(address);
      sorted.splice(placeOf(sorted, address), 1);
    }
  }
}

/** Where the address is in the sorted list, or belongs. */
function placeOf(sorted: readonly string[], address: string): number {
  let [from, until] = [0, sorted.length];
  while (from < until) {
    const middle = (from + until) >> 1;
    if (sorted[middle]! < address) from = middle + 1;
    else until = middle;
  }
  return from;
}
