/**
 * What hosts were told about resources that many of them share, and have not answered yet. A host that is slow, silent or lies is
 * waited for by nothing but itself: each object is told to a host once at a time, and goes on with the others meanwhile.
 */
import { type PlumbError, resourceKey } from '@plumb/schemas';
import type { OwnState } from './own-state.ts';

/** A host that has not answered, and since when it was told. */
export interface Straggler {
  host: string;
  since: number;
}

interface Told {
  since: number;
  /** What the host said when nobody waited any more. */
  failure?: PlumbError;
  answered: boolean;
}

type Named = Parameters<typeof resourceKey>[0];

export class Unanswered {
  /** Owner → host → what it was told. */
  readonly #told = new Map<string, Map<string, Told>>();
  /** Owner → resource on a host → since when that is told to remove it for good. */
  readonly #removals = new Map<string, Map<string, number>>();

  /** What the host was told and has not answered, or answered late; undefined when it may be told. */
  get(owner: string, host: string): Told | undefined {
    return this.#told.get(owner)?.get(host);
  }

  begin(owner: string, host: string, now: number): Told {
    const told: Told = { since: now, answered: false };
    this.#told.getOrInsertComputed(owner, () => new Map()).set(host, told);
    return told;
  }

  end(owner: string, host: string): void {
    const told = this.#told.get(owner);
    told?.delete(host);
    if (told?.size === 0) this.#told.delete(owner);
  }

  noteRemoval(owner: string, host: string, resource: Named, now: number): void {
    this.#removals.getOrInsertComputed(owner, () => new Map()).getOrInsert(`${host} ${resourceKey(resource)}`, now);
  }

  /** Since when the host is told to remove it; undefined when it was not. */
  removalSince(owner: string, host: string, resource: Named): number | undefined {
    return this.#removals.get(owner)?.get(`${host} ${resourceKey(resource)}`);
  }

  /** The owner is gone. */
  forget(owner: string): void {
    this.#told.delete(owner);
    this.#removals.delete(owner);
  }
}

export const unansweredHosts: OwnState<Unanswered> = {
  name: 'what hosts were told and have not answered',
  begin: () => new Unanswered(),
};
