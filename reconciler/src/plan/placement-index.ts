/** Placement among many hosts, by {@link Shelves}. Answers exactly as {@link place} does. */
import type { PlumbError } from '@plumb/schemas';
import { PlumbError as Failure } from '@plumb/schemas';
import type { Amounts } from './claims.ts';
import { matches, type PlacementHost, type PlacementRequest, place } from './placement.ts';
import { type Candidate, Shelves, type Spread } from './shelves.ts';

export type { Candidate } from './shelves.ts';

/** Refusals that are remembered until a host changes. */
const MOST_REFUSALS = 1_000;

export class PlacementIndex {
  readonly #hosts = new Map<string, Candidate>();
  readonly #plain = new Shelves({ withLabels: false });
  /** From the first request on that asks for labels. */
  #labelled: Shelves | undefined;
  readonly #refusals = new Map<string, PlumbError>();

  /** The host is like this now. Its labels are not to be changed in place. */
  set(host: Candidate): void {
    this.#hosts.set(host.name, host);
    this.#plain.set(host);
    this.#labelled?.set(host);
    this.#refusals.clear();
  }

  /** So much of the host is used now. A host that was never set stays unknown. */
  setUse(name: string, used: Amounts): void {
    const host = this.#hosts.get(name);
    if (host !== undefined) this.set({ ...host, used });
  }

  remove(name: string): void {
    this.#hosts.delete(name);
    this.#plain.remove(name);
    this.#labelled?.remove(name);
    this.#refusals.clear();
  }

  /**
   * As {@link place} among all hosts. `groupCounts`: instances of the request's spread group by host; undefined when it is
   * of none.
   */
  place(request: PlacementRequest, groupCounts?: ReadonlyMap<string, number>): string {
    // Seldom, and of few hosts.
    const { notOn, lacking } = request;
    if ((notOn?.size ?? 0) + (lacking?.size ?? 0) > 0) return place(request, this.#all(groupCounts));
    const selectors = request.selectors.filter(({ matchLabels }) => !isEmpty(matchLabels));
    const found = this.#first(request, selectors, groupCounts && this.#spread(request, groupCounts));
    if (found !== undefined) return found;
    const { amounts, zone } = request;
    const key = `${amounts} ${zone}${selectors.length === 0 ? '' : JSON.stringify(selectors)}`;
    const known = this.#refusals.get(key);
    if (known) throw known;
    try {
      return place(request, this.#all());
    } catch (error) {
      if (error instanceof Failure && this.#refusals.size < MOST_REFUSALS) this.#refusals.set(key, error);
      throw error;
    }
  }

  #first(request: PlacementRequest, selectors: PlacementRequest['selectors'], spread?: Spread): string | undefined {
    if (selectors.length === 0 && spread?.label === undefined) return this.#plain.first(request, undefined, spread);
    if (this.#labelled === undefined) {
      this.#labelled = new Shelves({ withLabels: true });
      for (const host of this.#hosts.values()) this.#labelled.set(host);
    }
    const fits = (labels: Candidate['labels']) => selectors.every(({ matchLabels }) => matches(matchLabels, labels));
    return this.#labelled.first(request, fits, spread);
  }

  /** The group by domains: hosts of other zones, and such that nobody knows, are in none. */
  #spread({ zone, spreadLabel }: PlacementRequest, groupCounts: ReadonlyMap<string, number>): Spread {
    const counts = new Map<string, number>();
    for (const [name, count] of groupCounts) {
      const host = count > 0 ? this.#hosts.get(name) : undefined;
      if (host?.zone !== zone) continue;
      const domain = spreadLabel === undefined ? name : (host.labels[spreadLabel] ?? name);
      counts.set(domain, (counts.get(domain) ?? 0) + count);
    }
    return { label: spreadLabel, counts };
  }

  /** A refusal does not depend on groups. */
  *#all(groupCounts?: ReadonlyMap<string, number>): Generator<PlacementHost> {
    for (const host of this.#hosts.values()) yield { ...host, groupCount: groupCounts?.get(host.name) ?? 0 };
  }
}

function isEmpty(labels: Readonly<Record<string, string>>): boolean {
  for (const _ in labels) return false;
  return true;
}
