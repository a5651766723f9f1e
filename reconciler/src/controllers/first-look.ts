/**
 * What a start finds in the store: what instances hold, which wait, and what is to be looked at now. What waits for its
 * host is looked at when the host comes back or counts as lost: until then nothing can be said of it, and there may be a
 * hundred thousand of it.
 */
import { type Host, isBuiltin, type PlumbObject } from '@plumb/schemas';
import { HostCount } from '../allocation/recount.ts';
import type { Claims } from '../plan/claims.ts';
import type { HoldingType, HoldingTypes } from '../plan/holding.ts';
import type { Cached, ObjectCache } from '../runtime/cache.ts';
import { findCondition } from '../runtime/conditions.ts';
import type { SetAside } from '../runtime/poisoned.ts';
import { keys } from '../store/keys.ts';
import type { Context } from './controller.ts';
import { heldBy } from './held.ts';
import { settledOn } from './placed/applied.ts';

export interface Found {
  /** uids of placed objects that had no place yet, whether or not one was being made. */
  unplaced: Set<string>;
  /** Keys of placed objects that wait for what others free or bring; cf. {@link isWaiting}. */
  waiting: Set<string>;
  /** Those that wait for room to grow on their host. */
  growing: Growing;
  /** Keys that are to be looked at now. */
  now: Set<string>;
  /** What is handed out on each host. */
  count: HostCount;
}

/** What is surveyed: everything that is loaded. */
type Surveyed = Pick<Context, 'journal' | 'holdings' | 'fleet'> & { cache: ObjectCache; types: HoldingTypes };

/** Looks at every object while it is loaded, when it is unpacked anyway. */
export class Survey {
  readonly #context: Surveyed;
  readonly #found: Found = {
    ...{ unplaced: new Set(), waiting: new Set(), growing: new Growing(), now: new Set() },
    count: new HostCount(),
  };
  /** Hosts that came or went meanwhile. */
  readonly #moved = new Set<string>();
  readonly #ends: (() => void)[];

  /** Follows the cache, which is not loaded yet. */
  constructor(context: Surveyed) {
    this.#context = context;
    this.#ends = [
      context.cache.onChange(({ key, kind, before, after, wasAside, aside }) => {
        if (isBuiltin(kind)) return;
        if (before) this.#forget(before);
        if (wasAside) this.#noteAside(wasAside, -1);
        if (after) this.#note(key, after);
        if (aside) this.#noteAside(aside, 1);
      }, 'the first look'),
      context.fleet.onChange((change) => {
        if (change.type === 'host') this.#moved.add(change.host);
      }),
    ];
  }

  /** What is held on each host, and of how many objects it is not known what they hold. */
  counted(): { count: HostCount; unknown: number } {
    const { cache, journal, types } = this.#context;
    let unknown = journal.unreadableFlows;
    for (const { kind, uid, hasStatus } of cache.poisoned.aside())
      if (types.has(kind.kind) && (uid === undefined || !hasStatus)) unknown++;
    return { count: this.#found.count, unknown };
  }

  /** Everything that was found. From now on others follow the cache. */
  end(): Found {
    for (const end of this.#ends) end();
    const { cache, holdings } = this.#context;
    for (const { key, kind, rest } of cache.poisoned.aside())
      if (!isBuiltin(kind) && rest.metadata.deletionTimestamp) this.#found.now.add(key);
    for (const host of this.#moved) {
      this.#found.now.add(keys.object('hosts', undefined, host));
      for (const uid of holdings.on(host)) {
        const held = cache.byUid(uid);
        if (held) this.#found.now.add(held.key);
      }
    }
    return this.#found;
  }

  #note(key: string, cached: Cached): void {
    const { object, kind } = cached;
    let later = false;
    const type = this.#context.types.get(kind.kind);
    if (type) later = this.#notePlaced(type, cached);
    else if (kind.kind === 'Host')
      later = (object as Host).status?.driver !== undefined && this.#isAway(object.metadata.name);
    if (!later || object.metadata.deletionTimestamp) this.#found.now.add(key);
  }

  /** Whether it waits for its host. */
  #notePlaced(type: HoldingType, cached: Cached): boolean {
    const { key, object } = cached;
    const { uid } = object.metadata;
    const host = settledOn(object);
    const flow = this.#context.journal.get(uid)?.record;
    this.#found.count.add(this.#heldBy(type, object), 1);
    if (host === undefined) this.#found.unplaced.add(uid);
    if (isWaiting(cached)) this.#found.waiting.add(key);
    this.#found.growing.note(undefined, cached);
    return host !== undefined && !flow && this.#isAway(host);
  }

  #heldBy(type: HoldingType, object: PlumbObject): Claims[] {
    return heldBy(type, object, this.#context.journal.get(object.metadata.uid)?.record).map(type.claims);
  }

  #forget(cached: Cached): void {
    const { key, kind, object } = cached;
    const type = this.#context.types.get(kind.kind);
    if (type) this.#found.count.add(this.#heldBy(type, object), -1);
    this.#found.unplaced.delete(object.metadata.uid);
    this.#found.waiting.delete(key);
    this.#found.growing.note(cached, undefined);
  }

  /** What an object holds it holds, whether or not it can be understood what it is to be. */
  #noteAside({ kind, uid, rest }: SetAside, sign: 1 | -1): void {
    const type = this.#context.types.get(kind.kind);
    if (type && uid !== undefined) this.#found.count.add(this.#heldBy(type, rest), sign);
  }

  #isAway(host: string): boolean {
    return !this.#context.fleet.host(host)?.connected;
  }
}

/** Placed objects that hold nothing yet, or failed: what others free or bring may be what they wait for. */
export function isWaiting({ object }: Cached): boolean {
  return settledOn(object) === undefined || findCondition(object, 'Stalled')?.status === 'True';
}

/** Those that got no room yet for the size of their edited offering, by host: it may come when others leave. */
export class Growing {
  readonly #byHost = new Map<string, Set<string>>();

  /** Follows one object: `before` and `after` as the cache tells them. */
  note(before: Cached | undefined, after: Cached | undefined): void {
    const [was, is] = [hostOfGrowth(before), hostOfGrowth(after)];
    if (was !== undefined && was !== is) {
      const keys = this.#byHost.get(was);
      keys?.delete(before!.key);
      if (keys?.size === 0) this.#byHost.delete(was);
    }
    if (is === undefined) return;
    const keys = this.#byHost.get(is) ?? new Set();
    this.#byHost.set(is, keys.add(after!.key));
  }

  on(host: string): Iterable<string> {
    return this.#byHost.get(host) ?? [];
  }
}

function hostOfGrowth(cached: Cached | undefined): string | undefined {
  const host = cached && settledOn(cached.object);
  if (host === undefined) return undefined;
  return findCondition(cached!.object, 'RestartRequired')?.status === 'True' ? host : undefined;
}
