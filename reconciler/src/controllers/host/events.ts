/**
 * From hosts that attached or detached to the keys that are to be looked at. Tens of thousands may do so at once: what
 * many of them share is looked at once for all.
 */
import { referenceKeys } from '../../runtime/references.ts';
import { keys } from '../../store/keys.ts';
import type { Context } from '../controller.ts';
import { candidatesOf } from '../instance/candidates.ts';
import { LostHosts } from './lost.ts';

/** More hosts are waited for until none came for a moment; while many come, for so long at most. */
const QUIET_MS = 200;
const LONGEST_MS = 1_000;
const LONGEST_MANY_MS = 15_000;
const MANY = 100;

/** So many hosts are made known to placement in one turn, and so long is everybody else served before the next. */
const PORTION = 500;
const TURN_MS = 5;

export class HostEvents {
  readonly #context: Context;
  readonly #wakeWaiting: () => void;
  readonly #lost: LostHosts;
  #gathered = new Set<string>();
  #gatheredAt = 0;
  #lastAt = 0;
  #stopGathering: (() => void) | undefined;
  #stopPreparing: (() => void) | undefined;

  /** `wakeWaiting`: enqueues the instances that may now get what they wait for. */
  constructor(context: Context, wakeWaiting: () => void) {
    this.#context = context;
    this.#lost = new LostHosts(context);
    this.#wakeWaiting = wakeWaiting;
  }

  on(host: string): void {
    const { enqueue, liveness } = this.#context;
    enqueue(keys.object('hosts', undefined, host));
    this.#lost.note(host);
    if (liveness.connected(host)) this.#enqueueHeld(host);
    this.#gather(host);
  }

  /** Others are to send to it elsewhere, or its Host is to say why not. */
  onAddress(host: string): void {
    this.#context.enqueue(keys.object('hosts', undefined, host));
    this.#gather(host);
  }

  end(): void {
    this.#stopGathering?.();
    this.#stopPreparing?.();
    this.#lost.end();
  }

  #enqueueHeld(host: string): void {
    const { holdings, cache, enqueue } = this.#context;
    for (const uid of holdings.on(host)) {
      const held = cache.byUid(uid);
      if (held) enqueue(held.key);
    }
  }

  #gather(host: string): void {
    this.#lastAt = this.#context.ambient.clock.now();
    if (this.#gathered.size === 0) this.#gatheredAt = this.#lastAt;
    this.#gathered.add(host);
    this.#stopGathering ??= this.#wait(QUIET_MS);
  }

  #wait(ms: number): () => void {
    const { clock } = this.#context.ambient;
    return clock.after(ms, () => {
      const now = clock.now();
      const longest = this.#gathered.size > MANY ? LONGEST_MANY_MS : LONGEST_MS;
      const quietAt = Math.min(this.#lastAt + QUIET_MS, this.#gatheredAt + longest);
      // A wall clock may be put back: then nothing more is waited for.
      if (quietAt > now && now >= this.#lastAt) this.#stopGathering = this.#wait(quietAt - now);
      else this.#handOn();
    });
  }

  #handOn(): void {
    const hosts = this.#gathered;
    this.#gathered = new Set();
    this.#stopGathering = undefined;
    for (const key of this.#shared(hosts)) this.#context.enqueue(key);
    this.#wakeWaiting();
    this.#stopPreparing?.();
    this.#prepare();
  }

  #prepare(): void {
    const { index, ambient } = this.#context;
    const more = candidatesOf(index).prepare(PORTION);
    this.#stopPreparing = more ? ambient.clock.after(TURN_MS, () => this.#prepare()) : undefined;
  }

  /** Keys of what has or should have something on the hosts, and of every image: one that nobody has checked yet waits. */
  #shared(hosts: ReadonlySet<string>): Set<string> {
    const { cache, fleet, holdings } = this.#context;
    const images = Array.from(cache.list('images'), ({ key }) => key);
    if (hosts.size > MANY) {
      const networks = ['l2networks', 'l3networks'].flatMap((kind) => Array.from(cache.list(kind), ({ key }) => key));
      // To ask each host would take longer than to look at networks for nothing.
      if (hosts.size > networks.length) return new Set([...networks, ...images]);
    }
    const uids = new Set<string>();
    for (const host of hosts) {
      for (const uid of fleet.host(host)?.sharers() ?? []) uids.add(uid);
      for (const uid of holdings.networksOn(host)) uids.add(uid);
    }
    const found = new Set<string>();
    for (const uid of uids) {
      const owner = cache.byUid(uid);
      if (owner === undefined || owner.kind.kind === 'Instance') continue;
      found.add(owner.key);
      if (owner.kind.kind === 'L3Network') for (const l2 of referenceKeys(owner.kind, owner.object)) found.add(l2);
    }
    for (const key of images) found.add(key);
    return found;
  }
}
