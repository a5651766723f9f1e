/**
 * What is handed out, in memory: addresses, MACs, shares of hosts. The lane is the only writer: it changes the index
 * tentatively while it decides, and keeps or takes back the changes when the batch was or was not made durable.
 */

import { type Allocation, allocatedAddresses, allocatedMacs } from '../plan/allocation.ts';
import { keys } from '../store/keys.ts';
import { pages } from '../store/pages.ts';
import type { Store } from '../store/store.ts';
import { HolderTable } from './holder-table.ts';

export interface HostUse {
  cpus: number;
  memoryMiB: number;
  instances: number;
}

const noUse: HostUse = { cpus: 0, memoryMiB: 0, instances: 0 };

export class AllocationIndex {
  /** Key of the address or MAC → uid of its holder. */
  private readonly holders = new HolderTable();
  private readonly hostUse = new Map<string, { use: HostUse; revision: number }>();
  /** l3 uid → the lowest address that may be free, as an integer. */
  private readonly cursors = new Map<string, number>();

  private pendingPuts = new Map<string, string>();
  private pendingDeletes = new Set<string>();
  private pendingUse = new Map<string, HostUse>();
  private pendingForgotten = new Set<string>();

  static async load(store: Store): Promise<AllocationIndex> {
    const index = new AllocationIndex();
    for await (const { entries } of pages(store, '/alloc/'))
      for (const { key, value, revision } of entries)
        if (key.startsWith(keys.hostAllocation(''))) {
          index.hostUse.set(key.slice(keys.hostAllocation('').length), { use: JSON.parse(value) as HostUse, revision });
        } else index.holders.set(key, { uid: value, revision });
    return index;
  }

  /** uid of the holder of an address, counting what is pending; what is pending to be freed is still held. */
  addressHolder(l3Uid: string, address: string): string | undefined {
    return this.holder(keys.address(l3Uid, address));
  }

  macHolder(mac: string): string | undefined {
    return this.holder(keys.mac(mac));
  }

  use(host: string): HostUse {
    return this.pendingUse.get(host) ?? this.hostUse.get(host)?.use ?? noUse;
  }

  /** Where a search for a free address of the network may begin (an integer). */
  cursor(l3Uid: string): number {
    return this.cursors.get(l3Uid) ?? 0;
  }

  moveCursor(l3Uid: string, to: number): void {
    this.cursors.set(l3Uid, to);
  }

  /** Tentatively takes one address for any holder. */
  reserveAddress(l3Uid: string, address: string, uid: string): void {
    this.take(keys.address(l3Uid, address), uid);
  }

  freeAddress(l3Uid: string, address: string): void {
    this.pendingDeletes.add(keys.address(l3Uid, address));
  }

  /** Tentatively takes what `wanted` needs beyond `held`. */
  reserve(uid: string, wanted: Allocation, held: readonly Allocation[]): void {
    const has = keySet(held);
    for (const key of allocationKeys(wanted)) if (!has.has(key)) this.take(key, uid);
    if (!held.some((h) => sameShare(h, wanted))) this.addUse(wanted, 1);
  }

  /** Tentatively frees what is in `held` and not in `kept`. */
  release(held: readonly Allocation[], kept: Allocation | undefined): void {
    const keeps = keySet(kept ? [kept] : []);
    const shares: Allocation[] = [];
    for (const allocation of held) {
      for (const key of allocationKeys(allocation)) if (!keeps.has(key)) this.pendingDeletes.add(key);
      if (!shares.some((s) => sameShare(s, allocation))) shares.push(allocation);
    }
    for (const share of shares) if (!kept || !sameShare(share, kept)) this.addUse(share, -1);
  }

  /** Tentatively forgets a host on which nothing is handed out any more. */
  forgetHost(host: string): void {
    if (this.hostUse.has(host)) this.pendingForgotten.add(host);
  }

  /** What the pending changes mean for a batch. */
  pending(): { preconditions: { key: string; revision: number }[]; puts: [string, string][]; deletes: string[] } {
    const preconditions: { key: string; revision: number }[] = [];
    const puts: [string, string][] = [];
    for (const [key, uid] of this.pendingPuts) {
      preconditions.push({ key, revision: 0 }); // guard: stale cache allocating one address twice
      puts.push([key, uid]);
    }
    for (const [host, use] of this.pendingUse) {
      const key = keys.hostAllocation(host);
      preconditions.push({ key, revision: this.hostUse.get(host)?.revision ?? 0 });
      puts.push([key, JSON.stringify(use)]);
    }
    const deletes = [...this.pendingDeletes].filter((key) => this.holders.has(key));
    for (const key of deletes) preconditions.push({ key, revision: this.holders.get(key)!.revision });
    for (const host of this.pendingForgotten) {
      const key = keys.hostAllocation(host);
      preconditions.push({ key, revision: this.hostUse.get(host)!.revision });
      deletes.push(key);
    }
    return { preconditions, puts, deletes };
  }

  /** The batch is durable at `revision`. */
  keep(revision: number): void {
    for (const [key, uid] of this.pendingPuts) this.holders.set(key, { uid, revision });
    for (const [host, use] of this.pendingUse) this.hostUse.set(host, { use, revision });
    for (const host of this.pendingForgotten) this.hostUse.delete(host);
    for (const key of this.pendingDeletes) {
      this.holders.delete(key);
      const l3Uid = key.split('/')[3];
      if (key.startsWith('/alloc/address/') && l3Uid) this.cursors.delete(l3Uid);
    }
    this.takeBack();
  }

  /** What is pending now; the returned function goes back to it, when a decision fails in the middle. */
  savepoint(): () => void {
    const puts = new Map(this.pendingPuts);
    const deletes = new Set(this.pendingDeletes);
    const use = new Map(this.pendingUse);
    const forgotten = new Set(this.pendingForgotten);
    return () => {
      this.pendingPuts = puts;
      this.pendingDeletes = deletes;
      this.pendingUse = use;
      this.pendingForgotten = forgotten;
    };
  }

  /** The batch was not written: nothing of it happened. */
  takeBack(): void {
    for (const key of this.pendingPuts.keys()) {
      const l3Uid = key.split('/')[3];
      if (!this.holders.has(key) && l3Uid) this.cursors.delete(l3Uid);
    }
    this.pendingPuts = new Map();
    this.pendingDeletes = new Set();
    this.pendingUse = new Map();
    this.pendingForgotten = new Set();
  }

  private holder(key: string): string | undefined {
    return this.pendingPuts.get(key) ?? this.holders.get(key)?.uid;
  }

  private take(key: string, uid: string): void {
    const holder = this.holder(key);
    if (holder !== undefined) throw new Error(`${key} is held by ${holder}: the decision did not look`);
    this.pendingPuts.set(key, uid);
  }

  private addUse(share: Allocation, sign: 1 | -1): void {
    const use = this.use(share.host);
    this.pendingUse.set(share.host, {
      cpus: use.cpus + sign * share.cpus,
      memoryMiB: use.memoryMiB + sign * share.memoryMiB,
      instances: use.instances + sign,
    });
  }
}

function allocationKeys(allocation: Allocation): string[] {
  return [
    ...allocatedAddresses(allocation).map((a) => keys.address(a.l3Uid, a.address)),
    ...allocatedMacs(allocation).map(keys.mac),
  ];
}

function keySet(allocations: readonly Allocation[]): Set<string> {
  return new Set(allocations.flatMap(allocationKeys));
}

function sameShare(a: Allocation, b: Allocation): boolean {
  return a.host === b.host && a.cpus === b.cpus && a.memoryMiB === b.memoryMiB;
}
