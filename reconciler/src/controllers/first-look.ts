/**
 * What a start finds in the store: what instances hold, which wait, and what is to be looked at now. What waits for its
 * host is looked at when the host comes back or counts as lost: until then nothing can be said of it, and there may be a
 * hundred thousand of it.
 */
import { type Host, type Instance, isBuiltin } from '@plumb/schemas';
import { HostCount } from '../allocation/recount.ts';
import { claimsOf } from '../plan/allocation.ts';
import type { Claims } from '../plan/claims.ts';
import type { Cached, ObjectCache } from '../runtime/cache.ts';
import { findCondition } from '../runtime/conditions.ts';
import type { SetAside } from '../runtime/poisoned.ts';
import { keys } from '../store/keys.ts';
import type { Context } from './controller.ts';
import { heldBy } from './held.ts';

export interface Found {
  /** uids of instances that had no place yet, whether or not one was being made. */
  unplaced: Set<string>;
  /** Keys of instances that wait for what others free or bring; cf. {@link isWaiting}. */
  waiting: Set<string>;
  /** Instances that wait for room to grow on their host. */
  growing: Growing;
  /** Keys that are to be looked at now. */
  now: Set<string>;
  /** What is handed out on each host. */
  count: HostCount;
}

/** What is surveyed: everything that is loaded. */
type Surveyed = Pick<Context, 'journal' | 'holdings' | 'fleet'> & { cache: ObjectCache };

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

  /** What instances hold on each host, and of how many it is not known what they hold. */
  counted(): { count: HostCount; unknown: number } {
    const { cache, journal } = this.#context;
    let unknown = journal.unreadableFlows;
    for (const { kind, uid, hasStatus } of cache.poisoned.aside())
      if (kind.kind === 'Instance' && (uid === undefined || !hasStatus)) unknown++;
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
    if (kind.kind === 'Instance') later = this.#noteInstance(key, cached as Cached<Instance>);
    else if (kind.kind === 'Host')
      later = (object as Host).status?.driver !== undefined && this.#isAway(object.metadata.name);
    if (!later || object.metadata.deletionTimestamp) this.#found.now.add(key);
  }

  /** Whether it waits for its host. */
  #noteInstance(key: string, cached: Cached<Instance>): boolean {
    const { metadata, status } = cached.object;
    const flow = this.#context.journal.get(metadata.uid)?.record;
    this.#found.count.add(this.#heldBy(cached.object), 1);
    if (status?.host === undefined) this.#found.unplaced.add(metadata.uid);
    if (isWaiting(cached)) this.#found.waiting.add(key);
    this.#found.growing.note(undefined, cached);
    return status?.host !== undefined && !flow && this.#isAway(status.host);
  }

  #heldBy(instance: Instance): Claims[] {
    return heldBy(instance, this.#context.journal.get(instance.metadata.uid)?.record).map(claimsOf);
  }

  #forget(cached: Cached): void {
    const { key, kind, object } = cached;
    if (kind.kind === 'Instance') this.#found.count.add(this.#heldBy(object as Instance), -1);
    this.#found.unplaced.delete(object.metadata.uid);
    this.#found.waiting.delete(key);
    this.#found.growing.note(cached, undefined);
  }

  /** What an instance holds it holds, whether or not it can be understood what it is to be. */
  #noteAside({ kind, uid, rest }: SetAside, sign: 1 | -1): void {
    if (kind.kind !== 'Instance' || uid === undefined) return;
    this.#found.count.add(this.#heldBy(rest as Instance), sign);
  }

  #isAway(host: string): boolean {
    return !this.#context.fleet.host(host)?.connected;
  }
}

/** Instances that hold nothing yet, or failed: what others free or bring may be what they wait for. */
export function isWaiting({ object }: Cached): boolean {
  return (object as Instance).status?.host === undefined || findCondition(object, 'Stalled')?.status === 'True';
}

/** Instances that got no room yet for the size of their edited offering, by host: it may come when others leave. */
export class Growing {
  readonly #byHost = new Map<string, Set<string>>();

  /** Follows one instance: `before` and `after` as the cache tells them. */
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
  const instance = cached?.object as Instance | undefined;
  if (instance?.status?.host === undefined) return undefined;
  return findCondition(instance, 'RestartRequired')?.status === 'True' ? instance.status.host : undefined;
}
