/** Who holds what where, for questions by host and by network: derived from status and flows, never stored. */
import type { Allocation } from '../plan/allocation.ts';

export interface HoldingsChange {
  /** uids of the L3Networks that the instance came to hold, or holds no more, on some host. */
  networks: ReadonlySet<string>;
  /** Hosts of which it holds nothing any more. */
  left: ReadonlySet<string>;
  /** Whether others may get something of it now. */
  freed: boolean;
}

export class Holdings {
  private readonly byUid = new Map<string, readonly Allocation[]>();
  private readonly uidsByHost = new Map<string, Set<string>>();
  /** l3 uid → host → number of allocations. */
  private readonly networks = new Map<string, Map<string, number>>();

  private listener: (change: HoldingsChange) => void = () => {};

  /** Says everything that the instance holds now; an empty list forgets it. */
  set(uid: string, allocations: readonly Allocation[]): void {
    const before = this.byUid.get(uid) ?? [];
    this.count(uid, before, -1);
    if (allocations.length === 0) this.byUid.delete(uid);
    else this.byUid.set(uid, allocations);
    this.count(uid, allocations, 1);
    const [had, has] = [places(before), places(allocations)];
    const networks = new Set([...had.symmetricDifference(has)].map((place) => place.split(' ')[0]!));
    const kept = new Set(allocations.map(({ host }) => host));
    const left = new Set(before.map(({ host }) => host).filter((host) => !kept.has(host)));
    const freed = JSON.stringify(before) !== JSON.stringify(allocations) && before.length > 0;
    if (networks.size > 0 || freed) this.listener({ networks, left, freed });
  }

  /** Calls `listener` after an instance came to hold something else. */
  onChange(listener: (change: HoldingsChange) => void): void {
    this.listener = listener;
  }

  /** uids of the instances that hold a share of the host. */
  on(host: string): ReadonlySet<string> {
    return this.uidsByHost.get(host) ?? new Set();
  }

  /** Hosts on which an instance holds an interface of the network. */
  hostsOfNetwork(l3Uid: string): Iterable<string> {
    return this.networks.get(l3Uid)?.keys() ?? [];
  }

  /** uids of the L3Networks of which an instance holds an interface on the host. */
  networksOn(host: string): Set<string> {
    const found = new Set<string>();
    for (const uid of this.on(host))
      for (const allocation of this.byUid.get(uid) ?? [])
        if (allocation.host === host) for (const { l3NetworkUid } of allocation.interfaces) found.add(l3NetworkUid);
    return found;
  }

  usesNetwork(host: string, l3Uid: string): boolean {
    return this.networks.get(l3Uid)?.has(host) ?? false;
  }

  /** Whether an instance holds, or is to have, a clone of this image on the host. */
  usesImage(host: string, sha256: string): boolean {
    for (const uid of this.on(host))
      if (this.byUid.get(uid)?.some((a) => a.host === host && a.rootDisk.sha256 === sha256)) return true;
    return false;
  }

  private count(uid: string, allocations: readonly Allocation[], sign: 1 | -1): void {
    for (const { host, interfaces } of allocations) {
      const uids = this.uidsByHost.get(host) ?? new Set();
      if (sign === 1) uids.add(uid);
      else uids.delete(uid);
      if (uids.size === 0) this.uidsByHost.delete(host);
      else this.uidsByHost.set(host, uids);
      for (const { l3NetworkUid } of interfaces) {
        const hosts = this.networks.get(l3NetworkUid) ?? new Map<string, number>();
        const n = (hosts.get(host) ?? 0) + sign;
        if (n <= 0) hosts.delete(host);
        else hosts.set(host, n);
        if (hosts.size === 0) this.networks.delete(l3NetworkUid);
        else this.networks.set(l3NetworkUid, hosts);
      }
    }
  }
}

/** `l3 uid, host` of every interface. */
function places(allocations: readonly Allocation[]): Set<string> {
  return new Set(allocations.flatMap(({ host, interfaces }) => interfaces.map((i) => `${i.l3NetworkUid} ${host}`)));
}
