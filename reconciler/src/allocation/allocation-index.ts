/**
 * What is handed out, in memory: addresses, MACs, shares of hosts. It follows the store, whoever writes there. The lane changes it
 * tentatively while it decides, and keeps or takes back the changes when the batch was or was not made durable: what it has
 * written is known before the feed brings it, and skipped then.
 */

import { type Amounts, type Claims, NOTHING, plus, pools, sameShare } from '../plan/claims.ts';
import { StoreFeed } from '../runtime/store-feed.ts';
import { isUid } from '../store/examine.ts';
import type { Follower } from '../store/follower.ts';
import { keys, poolOf } from '../store/keys.ts';
import type { Store } from '../store/store.ts';
import { AddressMap } from './address-map.ts';
import { HolderTable } from './holder-table.ts';
import { readUse, writeUse } from './host-use.ts';

/** A record of what is handed out on a host, as the index has it. */
export interface KeptUse {
  use: Amounts;
  revision: number;
  /** Whether the record could not be read: `use` is what it said before, nothing at first. */
  unread?: boolean;
  /** What it says of amounts that are not known here: written as it was. */
  others?: Readonly<Record<string, unknown>> | undefined;
}

/** Own commits without another process's after which this one counts as alone again. */
const APART_COMMITS = 1_000;

/** Is told which records cannot be read, and which of them can by now, or are gone. */
export interface UnreadRecords {
  noteRecord(key: string, what: string): void;
  clearRecord(key: string): void;
}

export class AllocationIndex implements Follower {
  readonly prefix = '/alloc/';
  /** Key in the store → uid of its holder. */
  private readonly holders = new HolderTable();
  private readonly hostUse = new Map<string, KeptUse>();
  /** Of pools whose keys are numbers: what comes before the number → those that somebody holds, counting what is pending. */
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
  private readonly random: () => number;
  /** For so many more own commits it is taken for true that others hand out as well. */
  private apart = 0;
  private place = 0;

  private pendingPuts = new Map<string, string>();
  private pendingDeletes = new Set<string>();
  private pendingUse = new Map<string, Amounts>();
  private pendingForgotten = new Set<string>();
  /** How to take back the pending changes, in the order in which they were made. */
  private undo: (() => void)[] = [];

  /** `random`: from 0 to 1; says where this process chooses free keys while others choose, too. */
  constructor(told: UnreadRecords = { noteRecord() {}, clearRecord() {} }, random: () => number = () => 0) {
    this.told = told;
    this.random = random;
  }

  /** Where the search for a free key begins, from 0 to 1: elsewhere for each of several processes, and at 0 for one. */
  get searchFrom(): number {
    return this.apart > 0 ? this.place : 0;
  }

  /** What the store holds now; it does not follow it. */
  static async load(store: Store): Promise<AllocationIndex> {
    const index = new AllocationIndex();
    await new StoreFeed(store, [index]).load(new AbortController().signal);
    return index;
  }

  take(key: string, value: string | undefined, revision: number, first: boolean): void {
    if (this.own[0] === revision || (this.knownRevision(key) ?? 0) >= revision) return;
    if (this.unread.size > 0) this.clearUnread(key);
    if (value === undefined) this.forget(key);
    else if (key.startsWith(HOSTS)) this.takeUse(key, value, revision);
    else {
      this.takeHolder(key, value, revision);
      if (!first) this.noteOthers();
    }
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
    const before = this.hostUse.get(host)?.use ?? NOTHING;
    const read = readUse(value);
    this.hostUse.set(host, { use: read?.use ?? before, revision, unread: !read, others: read?.others });
    if (read?.use.some((amount, n) => amount < (before[n] ?? 0))) this.noteFreed(host);
    this.tellUse(host);
  }

  /** Whoever it is that holds it: it is not free. */
  private takeHolder(key: string, uid: string, revision: number): void {
    this.holders.set(key, { uid, revision });
    if (!this.mark(key, true)) this.noteUnread(key, 'is none of its pool');
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

  private noteOthers(): void {
    if (this.apart === 0) this.place = this.random();
    this.apart = APART_COMMITS;
  }

  private noteUnread(key: string, what: string): void {
    this.unread.add(key);
    this.told.noteRecord(key, what);
  }

  private clearUnread(key: string): void {
    if (this.unread.delete(key)) this.told.clearRecord(key);
  }

  /** uid of the holder of a key, counting what is pending; what is pending to be freed is still held. */
  holderOf(pool: number, key: string): string | undefined {
    return this.holder(keys.claim(pools.all[pool]!.name, key));
  }

  /** Keys in the store of everything that is claimed. */
  claims(): Iterable<string> {
    return this.holders.keys();
  }

  use(host: string): Amounts {
    return this.pendingUse.get(host) ?? this.hostUse.get(host)?.use ?? NOTHING;
  }

  /** What each host's record says. */
  uses(): ReadonlyMap<string, KeptUse> {
    return this.hostUse;
  }

  /** The lowest number at or after `from` whose key below `scope` nobody holds, counting what is pending. */
  nextFree(pool: number, scope: string, from: number): number {
    return this.taken.get(`${pools.all[pool]!.name}/${scope}`)?.nextFree(from) ?? from;
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

  /** Tentatively takes one key for any holder. */
  claim(pool: number, key: string, uid: string): void {
    this.claimKey(keys.claim(pools.all[pool]!.name, key), uid);
  }

  /** Tentatively frees one key, whoever holds it. */
  giveBack(pool: number, key: string): void {
    this.giveUp(keys.claim(pools.all[pool]!.name, key));
  }

  /** Tentatively takes what `wanted` needs beyond `held`. */
  reserve(uid: string, wanted: Claims, held: readonly Claims[]): void {
    const has = keySet(held);
    for (const key of claimKeys(wanted)) if (!has.has(key) && this.holder(key) !== uid) this.claimKey(key, uid);
    if (!held.some((h) => sameShare(h, wanted))) this.addUse(wanted, 1);
  }

  /** Tentatively frees what the holder has in `held` and not in `kept`. */
  release(uid: string, held: readonly Claims[], kept: Claims | undefined): void {
    const others = held.filter((claims) => claims !== kept);
    if (others.length === 0) return;
    const keeps = keySet(kept ? [kept] : []);
    const shares: Claims[] = [];
    for (const claims of others) {
      for (const key of claimKeys(claims)) if (!keeps.has(key) && this.isHeldBy(key, uid)) this.giveUp(key);
      if (!shares.some((s) => sameShare(s, claims))) shares.push(claims);
    }
    for (const share of shares) if (!kept || !sameShare(share, kept)) this.addUse(share, -1);
  }

  /** Tentatively frees every key of the holder but those in `kept`, whatever is written of it elsewhere. */
  releaseAll(uid: string, kept?: Claims): void {
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
      const kept = this.hostUse.get(host);
      preconditions.push({ key, revision: kept?.revision ?? 0 });
      puts.push([key, writeUse(use, kept?.others)]);
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
    for (const [host, use] of pendingUse)
      this.hostUse.set(host, { use, revision, others: this.hostUse.get(host)?.others });
    for (const host of pendingForgotten) this.hostUse.delete(host);
    for (const key of pendingDeletes)
      if (this.holders.delete(key)) {
        this.mark(key, false);
        wrote = true;
      }
    for (const key of this.unread) if (this.knownRevision(key) === undefined) this.clearUnread(key);
    if (wrote) this.own.push(revision);
    if (this.apart > 0) this.apart--;
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
    this.pendingUse = new Map<string, Amounts>();
    this.pendingForgotten = new Set();
    this.undo = [];
  }

  /** uid of the holder of what is claimed at a key of the store, counting what is pending. */
  holder(key: string): string | undefined {
    return this.pendingPuts.get(key) ?? this.holders.get(key)?.uid;
  }

  private claimKey(key: string, uid: string): void {
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

  private addUse({ host, amounts }: Claims, sign: 1 | -1): void {
    const before = this.pendingUse.get(host);
    this.setPendingUse(host, plus(this.use(host), amounts, sign));
    this.undo.push(() => this.setPendingUse(host, before));
  }

  private setPendingUse(host: string, use: Amounts | undefined): void {
    if (use) this.pendingUse.set(host, use);
    else this.pendingUse.delete(host);
    this.tellUse(host);
  }

  private tellUse(host: string): void {
    for (const listener of this.useListeners) listener(host);
  }

  /** Keeps the maps of taken numbers in step with the holders of keys. False for a key that is none of its pool. */
  private mark(key: string, taken: boolean): boolean {
    const ordinal = poolOf(key, (name) => pools.all[pools.numberOf(name)]?.ordinal);
    if (!ordinal) return true;
    const last = key.lastIndexOf('/');
    const number = ordinal(key.slice(last + 1));
    if (number === undefined) return false;
    const scope = key.slice(this.prefix.length, last);
    const map = this.taken.get(scope) ?? new AddressMap();
    if (taken) map.take(number);
    else map.free(number);
    if (map.isEmpty) this.taken.delete(scope);
    else this.taken.set(scope, map);
    return true;
  }
}

/** Keys in the store of what is claimed for one holder alone. */
export function claimKeys({ exclusive }: Claims): string[] {
  return exclusive.map(({ pool, key }) => keys.claim(pools.all[pool]!.name, key));
}

function keySet(claims: readonly Claims[]): Set<string> {
  return new Set(claims.flatMap(claimKeys));
}

const HOSTS = keys.hostAllocation('');
