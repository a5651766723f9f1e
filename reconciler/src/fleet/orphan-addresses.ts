/**
 * The addresses of ports that live on hosts and belong to no object that the store knows: after a store was put back to an earlier
 * time, guests that were made since run on with theirs.
 */
import type { LiveResource } from '@plumb/schemas';
import type { Fleet } from './fleet.ts';

/** By host, by uid of the L3Network. Hosts without any are not in it: it is mostly empty. */
type Found = Map<string, Map<string, Set<string>>>;

const found = new WeakMap<Fleet, Found>();

/** To be told of every look at a host, with all that nobody there knows; nothing when the host goes. */
export function noteOrphanAddresses(fleet: Fleet, host: string, orphans: readonly LiveResource[]): void {
  const here = new Map<string, Set<string>>();
  for (const orphan of orphans) {
    if (orphan.kind !== 'port' || orphan.spec.subnet === undefined) continue;
    const { subnet, addresses } = orphan.spec;
    const known = here.get(subnet) ?? new Set();
    here.set(subnet, known);
    for (const address of addresses) known.add(address);
  }
  const all: Found = found.get(fleet) ?? new Map();
  found.set(fleet, all);
  if (here.size > 0) all.set(host, here);
  else all.delete(host);
}

/** Whether something that nobody knows has the address. It is the word of a host. */
export function isOrphanAddress(fleet: Fleet, l3Uid: string, address: string): boolean {
  for (const here of found.get(fleet)?.values() ?? []) if (here.get(l3Uid)?.has(address)) return true;
  return false;
}
