/**
 * Placement among many hosts. Hosts that are alike in all that placement asks of them are one shelf, so that a host is
 * found among the shelves, of which there are few, and not among the hosts. Answers exactly as {@link place} does.
 */
import type { PlumbError } from '@plumb/schemas';
import { PlumbError as Failure } from '@plumb/schemas';
import { NameHeap } from './name-heap.ts';
import { type PlacementHost, type PlacementRequest, place, share } from './placement.ts';

/** A host without what belongs to a request. */
export type Candidate = Omit<PlacementHost, 'groupCount'>;

interface Shelf {
  /** One of its hosts: the others are the same but for name and labels. */
  like: Candidate;
  size: number;
  /** Names of its hosts, and of some that left. */
  names: NameHeap;
}

/** Refusals that are remembered until a host changes. */
const MOST_REFUSALS = 1_000;

export class PlacementIndex {
  readonly #hosts = new Map<string, Candidate>();
  readonly #shelfOf = new Map<string, Shelf>();
  readonly #shelves = new Map<string, Shelf>();
  readonly #refusals = new Map<string, PlumbError>();

  /** The host is like this now. */
  set(host: Candidate): void {
    const key = shelfKey(host);
    let shelf = this.#shelves.get(key);
    this.#hosts.set(host.name, host);
    this.#refusals.clear();
    if (shelf !== undefined && this.#shelfOf.get(host.name) === shelf) return;
    this.#takeOff(host.name);
    if (shelf === undefined) {
      shelf = { like: host, size: 0, names: new NameHeap() };
      this.#shelves.set(key, shelf);
    }
    shelf.size++;
    shelf.names.push(host.name);
    this.#shelfOf.set(host.name, shelf);
  }

  /** So much of the host is used now. A host that was never set stays unknown. */
  setUse(name: string, usedCpus: number, usedMemoryMiB: number): void {
    const host = this.#hosts.get(name);
    if (host !== undefined) this.set({ ...host, usedCpus, usedMemoryMiB });
  }

  remove(name: string): void {
    this.#takeOff(name);
    this.#hosts.delete(name);
    this.#refusals.clear();
  }

  /**
   * As {@link place} among all hosts. `groupCounts`: instances of the request's spread group by host; undefined when it is
   * of none.
   */
  place(request: PlacementRequest, groupCounts?: ReadonlyMap<string, number>): string {
    const plain = groupCounts === undefined && request.selectors.every(({ matchLabels }) => isEmpty(matchLabels));
    if (!plain) return place(request, this.#withGroups(groupCounts));
    const found = this.#first(request);
    if (found !== undefined) return found;
    const key = `${request.cpus} ${request.memoryMiB} ${request.zone}`;
    const known = this.#refusals.get(key);
    if (known) throw known;
    try {
      return place(request, this.#withGroups(undefined));
    } catch (error) {
      if (error instanceof Failure && this.#refusals.size < MOST_REFUSALS) this.#refusals.set(key, error);
      throw error;
    }
  }

  #first(request: PlacementRequest): string | undefined {
    let least = Number.POSITIVE_INFINITY;
    let first: string | undefined;
    for (const shelf of this.#shelves.values()) {
      const { like } = shelf;
      if (!like.connected || like.unschedulable || like.zone !== request.zone) continue;
      if (like.usedCpus + request.cpus > like.cpus || like.usedMemoryMiB + request.memoryMiB > like.memoryMiB) continue;
      const used = share(like, request);
      if (used > least) continue;
      const name = shelf.names.first((candidate) => this.#shelfOf.get(candidate) === shelf, shelf.size)!;
      if (used === least && first !== undefined && first < name) continue;
      least = used;
      first = name;
    }
    return first;
  }

  *#withGroups(counts: ReadonlyMap<string, number> | undefined): Generator<PlacementHost> {
    for (const host of this.#hosts.values()) yield { ...host, groupCount: counts?.get(host.name) ?? 0 };
  }

  #takeOff(name: string): void {
    const shelf = this.#shelfOf.get(name);
    if (shelf === undefined) return;
    this.#shelfOf.delete(name);
    if (--shelf.size === 0) this.#shelves.delete(shelfKey(shelf.like));
  }
}

function shelfKey({ connected, unschedulable, cpus, memoryMiB, usedCpus, usedMemoryMiB, zone }: Candidate): string {
  return `${connected} ${unschedulable} ${cpus} ${memoryMiB} ${usedCpus} ${usedMemoryMiB} ${zone}`;
}

function isEmpty(labels: Readonly<Record<string, string>>): boolean {
  for (const _ in labels) return false;
  return true;
}
