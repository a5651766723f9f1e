/** The hosts as placement sees them, kept in step with what is declared, what is connected and what is handed out. */
import type { Host } from '@plumb/schemas';
import type { AllocationIndex } from '../../allocation/allocation-index.ts';
import { capacityOf } from '../../fleet/capacity.ts';
import type { HostLive } from '../../fleet/fleet.ts';
import { isBlocked } from '../../fleet/troubles.ts';
import { amountsOf } from '../../plan/allocation.ts';
import type { PlacementRequest } from '../../plan/placement.ts';
import { type Candidate, PlacementIndex } from '../../plan/placement-index.ts';
import type { Reader } from '../../runtime/reader.ts';
import { keys } from '../../store/keys.ts';
import type { Context } from '../controller.ts';
import type { OwnState } from '../own-state.ts';

const NO_LABELS = {};
const NOTHING = { cpus: 0, memoryMiB: 0 };

/** So many hosts are made known to placement in one turn, and so long is everybody else served before the next. */
const PORTION = 500;
const TURN_MS = 5;

export const candidates: OwnState<Pick<Candidates, 'place' | 'lacking' | 'prepare' | 'prepareInTurns'>> = {
  name: 'the hosts as placement sees them',
  begin: (context) => new Candidates(context, context.index),
  imagine(real, { read }, { objects }) {
    const hosts = [...objects.values()].filter(({ kind }) => kind.kind === 'Host');
    const names = hosts.map(({ object }) => object.metadata.name);
    const stop = (real as Candidates).suppose(read, names);
    return {
      place: (...asked) => real.place(...asked),
      lacking: (types) => real.lacking(types),
      prepare: () => false,
      prepareInTurns() {},
      stop,
    };
  },
};

export class Candidates {
  readonly #context: Context;
  readonly #allocations: AllocationIndex;
  readonly #hosts = new PlacementIndex();
  /** Names of hosts of which something changed since they were looked at. */
  readonly #changed = new Set<string>();
  /** Names of hosts of which more or less is handed out since then: their objects need not be read again. */
  readonly #used = new Set<string>();
  /** By name, of the few that lack any: the types of resources that their agents do not handle. */
  readonly #lacking = new Map<string, readonly string[]>();
  #begun = false;
  #stopPreparing: (() => void) | undefined;

  constructor(context: Context, allocations: AllocationIndex) {
    this.#context = context;
    this.#allocations = allocations;
    context.cache.onChange(({ key, kind }) => {
      if (kind.kind === 'Host') this.#changed.add(key.slice(key.lastIndexOf('/') + 1));
    }, 'placement');
    context.fleet.onChange((change) => {
      if (change.type !== 'resource') this.#changed.add(change.host);
    });
    allocations.onUse((host) => this.#used.add(host));
  }

  /** As PlacementIndex.place, by what is known now. */
  place(request: PlacementRequest, groupCounts: ReadonlyMap<string, number> | undefined): string {
    this.prepare(Number.POSITIVE_INFINITY);
    for (const name of this.#used) this.#hosts.setUse(name, this.#allocations.use(name));
    this.#used.clear();
    return this.#hosts.place(request, groupCounts);
  }

  /** Names of hosts whose agents do not handle one of these types of resources. */
  lacking(types: readonly string[]): ReadonlySet<string> {
    const names = new Set<string>();
    if (types.length === 0) return names;
    this.prepare(Number.POSITIVE_INFINITY);
    for (const [name, lacks] of this.#lacking) if (types.some((type) => lacks.includes(type))) names.add(name);
    return names;
  }

  /** These hosts are as `read` says until the returned function is called, in the same turn. */
  suppose(read: Reader, names: readonly string[]): () => void {
    this.prepare(Number.POSITIVE_INFINITY);
    for (const name of names) {
      const host = this.#candidate(name, read);
      if (host) this.#hosts.set(host);
      else this.#hosts.remove(name);
    }
    return () => {
      for (const name of names) this.#changed.add(name);
    };
  }

  /** To be called when many hosts came: looks at them in turns of its own, so that no instance waits for it. */
  prepareInTurns(): void {
    this.#stopPreparing?.();
    const more = this.prepare(PORTION);
    const { clock } = this.#context.ambient;
    this.#stopPreparing = more ? clock.after(TURN_MS, () => this.prepareInTurns()) : undefined;
  }

  stop(): void {
    this.#stopPreparing?.();
  }

  /**
   * Looks at hosts that changed, at `most` of them; returns whether there are more. To be called when many came, so that
   * the first instance after that does not wait for it: 30,000 hosts take a quarter of a second.
   */
  prepare(most: number): boolean {
    if (!this.#begun) this.#begin();
    let left = most;
    for (const name of this.#changed) {
      if (left-- <= 0) return true;
      this.#changed.delete(name);
      this.#used.delete(name);
      this.#lookAt(name);
    }
    return false;
  }

  #begin(): void {
    this.#begun = true;
    for (const { key } of this.#context.read.list('hosts')) this.#changed.add(key.slice(key.lastIndexOf('/') + 1));
  }

  /** A host on which this throws gets no instances, and all others do. */
  #lookAt(name: string): void {
    const { poisoned } = this.#context.cache;
    const key = keys.object('hosts', undefined, name);
    let candidate: Candidate | undefined;
    try {
      candidate = this.#candidate(name, this.#context.read);
      if (candidate) this.#hosts.set(candidate);
      poisoned.forgive(key, 'placement');
    } catch (error) {
      candidate = undefined;
      poisoned.note(key, 'placement', error);
    }
    if (!candidate) this.#hosts.remove(name);
    const lacks = this.#context.fleet.host(name)?.lacks ?? [];
    if (candidate && lacks.length > 0) this.#lacking.set(name, lacks);
    else this.#lacking.delete(name);
  }

  #candidate(name: string, read: Reader): Candidate | undefined {
    const { fleet } = this.#context;
    const object = read.get<Host>(keys.object('hosts', undefined, name))?.object;
    if (!object) return undefined;
    const { labels, deletionTimestamp } = object.metadata;
    const live = fleet.host(name);
    const { cpuOvercommitRatio, memoryOvercommitRatio, unschedulable } = object.spec;
    const has = capacityOf(object, live?.facts ?? NOTHING, this.#context.limits);
    return {
      name,
      zone: object.spec.zone,
      labels: labels ?? NO_LABELS,
      connected: live?.connected ?? false,
      unschedulable: unschedulable || deletionTimestamp !== undefined,
      ...(object.status?.fenced ? { barred: 'are off, as a person said' } : {}),
      ...(fleet.silenceOf(name) || fleet.isSlow(name) ? { barred: 'do not answer' } : {}),
      ...barred(has.problem !== undefined, live),
      has: amountsOf({
        cpus: Math.floor(has.cpus * cpuOvercommitRatio),
        memoryMiB: Math.floor(has.memoryMiB * memoryOvercommitRatio),
      }),
      used: this.#allocations.use(name),
    };
  }
}

/** Why nothing may be placed on the host, as far as it is connected. */
function barred(implausible: boolean, live: HostLive | undefined): { barred?: string } {
  if (implausible) return { barred: 'claim more than is plausible' };
  return live && isBlocked(live) ? { barred: 'can make no guests for now' } : {};
}
