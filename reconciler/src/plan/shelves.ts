/**
 * Hosts that are alike in all that placement asks of them are one shelf: the best host is looked for among the shelves, of
 * which there are few, and not among the hosts.
 */
import { amounts, lackingOf } from './claims.ts';
import { Digest } from './digest.ts';
import { NameHeap } from './name-heap.ts';
import { type PlacementHost, type PlacementRequest, share } from './placement.ts';

/** A host without what belongs to a request. */
export type Candidate = Omit<PlacementHost, 'groupCount'>;

/** Over what the instances of a group are spread. */
export interface Spread {
  /** Label of hosts whose values are the domains; a host without it is one by itself, as all are when it is undefined. */
  label: string | undefined;
  /** Domain → instances of the group there, at least one. */
  counts: ReadonlyMap<string, number>;
}

interface Shelf {
  readonly key: number;
  /** One of its hosts: the others are the same but for their names. */
  like: Candidate;
  size: number;
  /** Names of its hosts, and of some that left. */
  names: NameHeap;
}

export class Shelves {
  /** The same for hosts that are alike: 52 bits of all that they are. */
  readonly #keyOf: (host: Candidate) => number;
  readonly #shelfOf = new Map<string, Shelf>();
  readonly #shelves = new Map<number, Shelf>();

  /** `withLabels`: hosts of one shelf have the same labels, too. Costs shelves, and is needed by requests that ask for labels. */
  constructor({ withLabels }: { withLabels: boolean }) {
    const labelSets = withLabels ? new LabelSets() : undefined;
    this.#keyOf = (host) => keyOf(host, labelSets?.numberOf(host.labels) ?? -1);
  }

  set(host: Candidate): void {
    const key = this.#keyOf(host);
    let shelf = this.#shelves.get(key);
    if (shelf !== undefined && this.#shelfOf.get(host.name) === shelf) return;
    this.remove(host.name);
    if (shelf === undefined) {
      shelf = { key, like: host, size: 0, names: new NameHeap() };
      this.#shelves.set(key, shelf);
    }
    shelf.size++;
    shelf.names.push(host.name);
    this.#shelfOf.set(host.name, shelf);
  }

  remove(name: string): void {
    const shelf = this.#shelfOf.get(name);
    if (shelf === undefined) return;
    this.#shelfOf.delete(name);
    if (--shelf.size === 0) this.#shelves.delete(shelf.key);
  }

  /**
   * The host with room whose domain has the fewest of the group, then the least used share, then the first name; undefined
   * when none has room. Only shelves with labels can tell hosts by `fits` and by a spread's label.
   */
  first(
    request: PlacementRequest,
    fits?: (labels: Candidate['labels']) => boolean,
    spread?: Spread,
  ): string | undefined {
    let best: string | undefined;
    let fewest = Number.POSITIVE_INFINITY;
    let least = Number.POSITIVE_INFINITY;
    const usable = ({ like }: Shelf) => hasRoom(like, request) && (fits === undefined || fits(like.labels));
    // Hosts that are a domain by themselves and have some of the group are looked at one by one.
    const apart = spread === undefined ? undefined : new Map<Shelf, number>();
    for (const [domain, count] of spread?.counts ?? []) {
      const shelf = this.#shelfOf.get(domain);
      if (shelf === undefined || domainOf(shelf.like, spread!.label) !== undefined) continue;
      apart!.set(shelf, (apart!.get(shelf) ?? 0) + 1);
      if (count > fewest || !usable(shelf)) continue;
      const used = share(shelf.like, request);
      if (count === fewest && (used > least || (used === least && best! < domain))) continue;
      [best, fewest, least] = [domain, count, used];
    }
    for (const shelf of this.#shelves.values()) {
      if (!usable(shelf)) continue;
      const value = spread && domainOf(shelf.like, spread.label);
      const count = value === undefined ? 0 : (spread!.counts.get(value) ?? 0);
      if (count > fewest) continue;
      const used = share(shelf.like, request);
      if (count === fewest && used > least) continue;
      const without = apart?.get(shelf) ?? 0;
      if (without === shelf.size) continue;
      const isHere = (name: string) => this.#shelfOf.get(name) === shelf;
      const name =
        without === 0
          ? shelf.names.first(isHere, shelf.size)!
          : shelf.names.firstBut(isHere, shelf.size, (one) => spread!.counts.has(one))!;
      if (count === fewest && used === least && best! < name) continue;
      [best, fewest, least] = [name, count, used];
    }
    return best;
  }
}

/** Small numbers for sets of labels: hosts whose labels are equal have the same. */
class LabelSets {
  readonly #numbers = new Map<string, number>();
  readonly #known = new WeakMap<Candidate['labels'], number>();

  numberOf(labels: Candidate['labels']): number {
    const known = this.#known.get(labels);
    if (known !== undefined) return known;
    const text = JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
    const number = this.#numbers.get(text) ?? this.#numbers.size;
    this.#numbers.set(text, number);
    this.#known.set(labels, number);
    return number;
  }
}

function keyOf({ connected, unschedulable, barred, has, used, zone }: Candidate, labels: number): number {
  const digest = new Digest();
  digest.number((connected ? 1 : 0) + (unschedulable ? 2 : 0) + (barred === undefined ? 0 : 4));
  if (barred !== undefined) digest.text(barred);
  const { all } = amounts;
  for (let n = 0; n < all.length; n++) {
    // What is only counted makes no difference.
    if (all[n]!.lacking === undefined) continue;
    digest.number(has[n] ?? 0);
    digest.number(used[n] ?? 0);
  }
  digest.text(zone);
  digest.number(labels);
  return digest.value;
}

function hasRoom(host: Candidate, request: PlacementRequest): boolean {
  if (!host.connected || host.unschedulable || host.barred !== undefined || host.zone !== request.zone) return false;
  return lackingOf(host.has, host.used, request.amounts) < 0;
}

function domainOf({ labels }: Candidate, label: string | undefined): string | undefined {
  return label === undefined ? undefined : labels[label];
}
