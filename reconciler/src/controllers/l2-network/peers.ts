/** Which hosts carry an L2 network, and their tunnel endpoints. */
import type { Context } from '../controller.ts';

/** Hosts on which an instance holds an interface of any of the network's subnets. */
export function hostsOf(context: Context, l2Key: string): string[] {
  const hosts = new Set<string>();
  for (const { object } of context.cache.referrers(l2Key))
    for (const host of context.holdings.hostsOfNetwork(object.metadata.uid)) hosts.add(host);
  return [...hosts];
}

/** Tunnel endpoints of the hosts that carry the network, but for `host` itself; sorted, each once. */
export function peersOf(context: Context, l2Key: string, host: string): string[] {
  return tunnelPeers(context, l2Key)(host);
}

/** {@link peersOf} for many hosts: what they have in common is worked out once. */
export function tunnelPeers(context: Context, l2Key: string): (host: string) => string[] {
  const endpoints = new Set<string>();
  for (const host of hostsOf(context, l2Key)) {
    const address = context.fleet.host(host)?.facts.tunnelAddress;
    if (address) endpoints.add(address);
  }
  const sorted = [...endpoints].sort();
  return (host) => {
    const own = context.fleet.host(host)?.facts.tunnelAddress;
    return sorted.filter((address) => address !== own);
  };
}
