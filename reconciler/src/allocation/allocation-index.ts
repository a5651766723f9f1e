/**
 * What is handed out, in memory: addresses, MACs, shares of hosts. The lane is the only writer: it changes the index
 * tentatively while it decides, and keeps or takes back the changes when the batch was or was not made durable.
 */

import { toInteger } from '../plan/addressing.ts';
import type { Allocation } from '../plan/allocation.ts';
import { unhurriedPages } from '../runtime/unhurried.ts';
import { isUid } from '../store/examine.ts';
import { keys, parseAddressKey } from '../store/keys.ts';
import { parsedRecord } from '../store/parsed.ts';
import type { Entry, Store } from '../store/store.ts';
import { AddressMap } from './address-map.ts';
import { HolderTable } from './holder-table.ts';

export interface HostUse {
  cpus: number;
  memoryMiB: number;
  instances: number;
}

export const noUse: HostUse = { cpus: 0, memoryMiB: 0, instances: 0 };

/** A record of what is handed out on a host, as the index has it. */
export interface KeptUse {
  use: HostUse;
  revision: number;
  /** Whether the record could not be read: `use` is nothing then. */
  unread?: boolean;
}

export class AllocationIndex {
  /** Key of the address or MAC → uid of its holder. */
  private readonly holders = new HolderTable();
  private readonly hostUse = new Map<string, KeptUse>();
  /** l3 uid → its addresses that somebody holds, counting what is pending. */
  private readonly taken = new Map<string, AddressMap>();
  private readonly useListeners = new Set<(host: string) => void>();

  private pendingPuts = new Map<string, string>();
  private pendingDeletes = new Set<string>();
  private pendingUse = new Map<string, HostUse>();
  private pendingForgotten = new Set<string>();
  /** How to take back the pending changes, in the order in which they were made. */
  private undo: (() => void)[] = [];

  /** Rejects with what `signal` is aborted with. `onUnreadable` is told of records that cannot be read. */
  static async load(
    store: Store,
    signal?: AbortSignal,
    onUnreadable: (key: string, what: string) => void = () => {},
  ): Promise<AllocationIndex> {
    const index = new AllocationIndex();
    for await (const { entries } of unhurriedPages(store, '/alloc/', signal))
      for (const entry of entries)
        try {
          index.takeIn(entry);
        } catch (error) {
          onUnreadable(entry.key, (error as Error).message);
        }
    return index;
  }

  /** Takes a record of the store in. Throws when it cannot be read, and is kept as far as it can be all the same. */
  private takeIn({ key, value, revision }: Entry): void {
    if (key.startsWith(keys.hostAllocation(''))) {
      const use = parsedRecord<HostUse>(hostUseSchema, value);
      this.hostUse.set(key.slice(keys.hostAllocation('').length), { use: use ?? noUse, revision, unread: !use });
      return;
    }
    // Whoever it is that holds it: it is not free.
    this.holders.set(key, { uid: value, revision });
    if (!this.mark(key, true)) throw new Error('is that of no address');
    if (!isUid(value)) throw new Error('is held by what is no uid');
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

  /** What each host's record says. */
  uses(): ReadonlyMap<string, KeptUse> {
    return this.hostUse;
  }

  /** The record of the host was written anew at `revision`, by another than the lane. Nothing may be pending. */
  setUse(host: string, use: HostUse, revision: number): void {
    this.hostUse.set(host, { use, revision });
    for (const listener of this.useListeners) listener(host);
  }

  /** The lowest address of the network at or after `from` that nobody holds, counting what is pending (integers). */
  nextFree(l3Uid: string, from: number): number {
    return this.taken.get(l3Uid)?.nextFree(from) ?? from;
  }

  /** Calls `listener` with each host whose share changes, tentatively or back. */
  onUse(listener: (host: string) => void): void {
    this.useListeners.add(listener);
  }

  /** Tentatively takes one address for any holder. */
  reserveAddress(l3Uid: string, address: string, uid: string): void {
    this.take(keys.address(l3Uid, address), uid);
  }

  freeAddress(l3Uid: string, address: string): void {
    this.giveUp(keys.address(l3Uid, address));
  }

  /** Tentatively takes what `wanted` needs beyond `held`. */
  reserve(uid: string, wanted: Allocation, held: readonly Allocation[]): void {
    const has = keySet(held);
    for (const key of allocationKeys(wanted)) if (!has.has(key) && this.holder(key) !== uid) this.take(key, uid);
    if (!held.some((h) => sameShare(h, wanted))) this.addUse(wanted, 1);
  }

  /** Tentatively frees what the holder has in `held` and not in `kept`. */
  release(uid: string, held: readonly Allocation[], kept: Allocation | undefined): void {
    const others = held.filter((allocation) => allocation !== kept);
    if (others.length === 0) return;
    const keeps = keySet(kept ? [kept] : []);
    const shares: Allocation[] = [];
    for (const allocation of others) {
      for (const key of allocationKeys(allocation)) if (!keeps.has(key) && this.isHeldBy(key, uid)) this.giveUp(key);
      if (!shares.some((s) => sameShare(s, allocation))) shares.push(allocation);
    }
    for (const share of shares) if (!kept || !sameShare(share, kept)) this.addUse(share, -1);
  }

  /** Tentatively frees every address and MAC of the holder but those in `kept`, whatever is written of it elsewhere. */
  releaseAll(uid: string, kept?: Allocation): void {
    const keeps = keySet(kept ? [kept] : []);
    for (const key of this.holders.keysOf(uid)) if (!keeps.has(key)) this.giveUp(key);
  }

  /** A record of whoever holds the key that cannot be read protects it from all but from the one that says it has it. */
  private isHeldBy(key: string, uid: string): boolean {
    const holder = this.holders.get(key)?.uid;
    return holder === uid || (holder !== undefined && !isUid(holder));
  }

  /** Tentatively frees one key, whoever holds it. */
  free(key: string): void {
    this.giveUp(key);
  }

  /** Tentatively forgets a host on which nothing is handed out any more. */
  forgetHost(host: string): void {
    if (!this.hostUse.has(host) || this.pendingForgotten.has(host)) return;
    this.pendingForgotten.add(host);
    this.undo.push(() => this.pendingForgotten.delete(host));
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
    for (const key of this.pendingDeletes) if (this.holders.delete(key)) this.mark(key, false);
    this.begin();
  }

  /** How many keys the pending changes write, at most. */
  get pendingKeys(): number {
    return this.pendingPuts.size + this.pendingUse.size + this.pendingDeletes.size + this.pendingForgotten.size;
  }

  /** What is pending now; the returned function goes back to it, when a decision fails in the middle. */
  savepoint(): () => void {
    const mark = this.undo.length;
    return () => {
      while (this.undo.length > mark) this.undo.pop()!();
    };
  }

  /** The batch was not written: nothing of it happened. */
  takeBack(): void {
    while (this.undo.length > 0) this.undo.pop()!();
    this.begin();
  }

  /** Nothing is pending. */
  private begin(): void {
    this.pendingPuts = new Map();
    this.pendingDeletes = new Set();
    this.pendingUse = new Map();
    this.pendingForgotten = new Set();
    this.undo = [];
  }

  private holder(key: string): string | undefined {
    return this.pendingPuts.get(key) ?? this.holders.get(key)?.uid;
  }

  private take(key: string, uid: string): void {
    const holder = this.holder(key);
    if (holder !== undefined) throw new Error(`${key} is held by ${holder}: the decision did not look`);
    this.pendingPuts.set(key, uid);
    this.mark(key, true);
    this.undo.push(() => {
      this.pendingPuts.delete(key);
      this.mark(key, false);
    });
  }

  private giveUp(key: string): void {
    if (this.pendingDeletes.has(key)) return;
    this.pendingDeletes.add(key);
    this.undo.push(() => this.pendingDeletes.delete(key));
  }

  private addUse({ host, cpus, memoryMiB }: Allocation, sign: 1 | -1): void {
    const before = this.pendingUse.get(host);
    const use = this.use(host);
    this.setPendingUse(host, {
      cpus: use.cpus + sign * cpus,
      memoryMiB: use.memoryMiB + sign * memoryMiB,
      instances: use.instances + sign,
    });
    this.undo.push(() => this.setPendingUse(host, before));
  }

  private setPendingUse(host: string, use: HostUse | undefined): void {
    if (use) this.pendingUse.set(host, use);
    else this.pendingUse.delete(host);
    for (const listener of this.useListeners) listener(host);
  }

  /** Keeps the map of taken addresses in step with the holders of keys. False for an address that is none. */
  private mark(key: string, taken: boolean): boolean {
    const parts = parseAddressKey(key);
    if (!parts) return true;
    const address = integerOf(parts.address);
    if (address === undefined) return false;
    const map = this.taken.get(parts.l3Uid) ?? new AddressMap();
    if (taken) map.take(address);
    else map.free(address);
    if (map.isEmpty) this.taken.delete(parts.l3Uid);
    else this.taken.set(parts.l3Uid, map);
    return true;
  }
}

function integerOf(address: string): number | undefined {
  try {
    return toInteger(address);
  } catch {
    return undefined;
  }
}

/** Keys of the addresses and MACs of the allocation. */
export function allocationKeys(allocation: Allocation): string[] {
  const found: string[] = [];
  for (const { l3NetworkUid, addresses, macAddress } of allocation.interfaces) {
    for (const address of addresses) found.push(keys.address(l3NetworkUid, address));
    found.push(keys.mac(macAddress));
  }
  return found;
}

function keySet(allocations: readonly Allocation[]): Set<string> {
  return new Set(allocations.flatMap(allocationKeys));
}

const count = { type: 'integer', minimum: 0 };
const hostUseSchema = {
  type: 'object',
  required: ['cpus', 'memoryMiB', 'instances'],
  properties: { cpus: count, memoryMiB: count, instances: count },
};

/** Whether two allocations are one share of their host. */
export function sameShare(a: Allocation, b: Allocation): boolean {
  return a.host === b.host && a.cpus === b.cpus && a.memoryMiB === b.memoryMiB;
}
