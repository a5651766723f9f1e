/**
 * What is handed out, in memory: addresses, MACs, shares of hosts. It follows the store, whoever writes there. The lane changes it
 * tentatively while it decides, and keeps or takes back the changes when the batch was or was not made durable: what it has
 * written is known before the feed brings it, and skipped then.
 */

import { toInteger } from '../plan/addressing.ts';
import type { Allocation } from '../plan/allocation.ts';
import { StoreFeed } from '../runtime/store-feed.ts';
import { isUid } from '../store/examine.ts';
import type { Follower } from '../store/follower.ts';
import { keys, parseAddressKey } from '../store/keys.ts';
import { parsedRecord } from '../store/parsed.ts';
import type { Store } from '../store/store.ts';
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
  /** Whether the record could not be read: `use` is what it said before, nothing at first. */
  unread?: boolean;
}

/** Is told which records cannot be read, and which of them can by now, or are gone. */
export interface UnreadRecords {
  noteRecord(key: string, what: string): void;
  clearRecord(key: string): void;
}

export class AllocationIndex implements Follower {
  readonly prefix = '/alloc/';
  /** Key of the address or MAC → uid of its holder. */
  private readonly holders = new HolderTable();
  private readonly hostUse = new Map<string, KeptUse>();
  /** l3 uid → its addresses that somebody holds, counting what is pending. */
  private readonly taken = new Map<string, AddressMap>();
  private readonly useListeners = new Set<(host: string) => void>();
  private readonly freedListeners = new Set<(hosts: ReadonlySet<string>) => void>();
  /** Whether another process freed something in the commit that is being given, and on which hosts. */
  private freed: Set<string> | undefined;
  /** Revisions of commits of the lane that the feed has not brought yet, in their order. */
  private own: number[] = [];
  /** Keys of records that cannot be read. */
  private readonly unread = new Set<string>();
  private readonly told: UnreadRecords;

  private pendingPuts = new Map<string, string>();
  private pendingDeletes = new Set<string>();
  private pendingUse = new Map<string, HostUse>();
  private pendingForgotten = new Set<string>();
  /** How to take back the pending changes, in the order in which they were made. */
  private undo: (() => void)[] = [];

  constructor(told: UnreadRecords = { noteRecord() {}, clearRecord() {} }) {
    this.told = told;
  }

  /** What the store holds now; it does not follow it. */
  static async load(store: Store): Promise<AllocationIndex> {
    const index = new AllocationIndex();
    await new StoreFeed(store, [index]).load(new AbortController().signal);
    return index;
  }

  take(key: string, value: string | undefined, revision: number): void {
    if (this.own[0] === revision || (this.knownRevision(key) ?? 0) >= revision) return;
    if (this.unread.size > 0) this.clearUnread(key);
    if (value === undefined) this.forget(key);
    else if (key.startsWith(HOSTS)) this.takeUse(key, value, revision);
    else this.takeHolder(key, value, revision);
  }

  knownRevision(key: string): number | undefined {
    if (key.startsWith(HOSTS)) return this.hostUse.get(key.slice(HOSTS.length))?.revision;
    return this.holders.get(key)?.revision;
  }

  *knownKeys(): Generator<string> {
    for (const host of this.hostUse.keys()) yield keys.hostAllocation(host);
    yield* this.holders.keys();
  }

  reached(revision: number, loaded: boolean): void {
    // Of what was read as a whole some may be older than own commits that are not in it: these are to come again.
    if (loaded) this.own = [];
    while (this.own.length > 0 && this.own[0]! <= revision) this.own.shift();
    const { freed } = this;
    this.freed = undefined;
    if (freed) for (const listener of this.freedListeners) listener(freed);
  }

  private takeUse(key: string, value: string, revision: number): void {
    const host = key.slice(HOSTS.length);
    const before = this.hostUse.get(host)?.use ?? noUse;
    const use = parsedRecord<HostUse>(hostUseSchema, value);
    this.hostUse.set(host, { use: use ?? before, revision, unread: !use });
    if (use && (use.cpus < before.cpus || use.memoryMiB < before.memoryMiB)) this.noteFreed(host);
    this.tellUse(host);
  }

  /** Whoever it is that holds it: it is not free. */
  private takeHolder(key: string, uid: string, revision: number): void {
    this.holders.set(key, { uid, revision });
    if (!this.mark(key, true)) this.noteUnread(key, 'is that of no address');
    else if (!isUid(uid)) this.noteUnread(key, 'is held by what is no uid');
  }

  private forget(key: string): void {
    if (!key.startsWith(HOSTS)) {
      if (this.holders.delete(key)) this.mark(key, this.pendingPuts.has(key));
      this.noteFreed();
      return;
    }
    const host = key.slice(HOSTS.length);
    if (this.hostUse.delete(host)) this.tellUse(host);
    this.noteFreed(host);
  }

  private noteFreed(host?: string): void {
    this.freed ??= new Set();
    if (host !== undefined) this.freed.add(host);
  }

  private noteUnread(key: string, what: string): void {
    this.unread.add(key);
    this.told.noteRecord(key, what);
  }

  private clearUnread(key: string): void {
    if (this.unread.delete(key)) this.told.clearRecord(key);
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

  /** The lowest address of the network at or after `from` that nobody holds, counting what is pending (integers). */
  nextFree(l3Uid: string, from: number): number {
    return this.taken.get(l3Uid)?.nextFree(from) ?? from;
  }

  /** Calls `listener` with each host whose share changes, tentatively or back. */
  onUse(listener: (host: string) => void): void {
    this.useListeners.add(listener);
  }

  /** Calls `listener` with hosts after another process freed something: a share of them, or anything, when there are none. */
  onFreed(listener: (hosts: ReadonlySet<string>) => void): () => void {
    this.freedListeners.add(listener);
    return () => this.freedListeners.delete(listener);
  }

  /** Tentatively takes one address for any holder. */
  reserveAddress(l3Uid: string, address: string, uid: string): void {
    this.claim(keys.address(l3Uid, address), uid);
  }

  freeAddress(l3Uid: string, address: string): void {
    this.giveUp(keys.address(l3Uid, address));
  }

  /** Tentatively takes what `wanted` needs beyond `held`. */
  reserve(uid: string, wanted: Allocation, held: readonly Allocation[]): void {
    const has = keySet(held);
    for (const key of allocationKeys(wanted)) if (!has.has(key) && this.holder(key) !== uid) this.claim(key, uid);
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
    const { pendingPuts, pendingUse, pendingForgotten, pendingDeletes } = this;
    this.begin();
    let wrote = pendingPuts.size + pendingUse.size + pendingForgotten.size > 0;
    for (const [key, uid] of pendingPuts) this.holders.set(key, { uid, revision });
    for (const [host, use] of pendingUse) this.hostUse.set(host, { use, revision });
    for (const host of pendingForgotten) this.hostUse.delete(host);
    for (const key of pendingDeletes)
      if (this.holders.delete(key)) {
        this.mark(key, false);
        wrote = true;
      }
    for (const key of this.unread) if (this.knownRevision(key) === undefined) this.clearUnread(key);
    if (wrote) this.own.push(revision);
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

  private claim(key: string, uid: string): void {
    const holder = this.holder(key);
    if (holder !== undefined) throw new Error(`${key} is held by ${holder}: the decision did not look`);
    this.pendingPuts.set(key, uid);
    this.mark(key, true);
    this.undo.push(() => {
      this.pendingPuts.delete(key);
      this.mark(key, this.holders.has(key));
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
    this.tellUse(host);
  }

  private tellUse(host: string): void {
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

const HOSTS = keys.hostAllocation('');
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
