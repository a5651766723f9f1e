import { isDeepStrictEqual } from 'node:util';
import type { LiveThing, ThingKind } from '@plumb/schemas';
import { thingKey } from '@plumb/schemas';
import type { DriverChange } from '../driver.ts';

export interface Survey {
  things: LiveThing[];
  /** Keys of what may be there and could not be looked at. */
  unseen?: readonly string[];
}

/**
 * What the driver last knew of its things, and who wants to hear of changes. A survey of the host takes a while, and
 * things change under it by our own hand: what was touched since a survey began is left as the touch said.
 */
export class Ledger {
  readonly #known = new Map<string, LiveThing>();
  readonly #busy = new Map<string, number>();
  readonly #touched = new Map<string, number>();
  readonly #listeners = new Set<(change: DriverChange) => void>();
  #moment = 0;
  #surveys = 0;

  list(): LiveThing[] {
    return [...this.#known.values()];
  }

  get(ref: { kind: ThingKind; id: string }): LiveThing | undefined {
    return this.#known.get(thingKey(ref));
  }

  listen(listener: (change: DriverChange) => void): () => void {
    const own = (change: DriverChange) => listener(change);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  tell(change: DriverChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  /** Marks the thing as being worked on until `work` has ended: surveys pass it over. */
  async during<T>(ref: { kind: ThingKind; id: string }, work: () => Promise<T>): Promise<T> {
    const key = thingKey(ref);
    this.#busy.set(key, (this.#busy.get(key) ?? 0) + 1);
    try {
      return await work();
    } finally {
      const left = (this.#busy.get(key) ?? 1) - 1;
      if (left === 0) this.#busy.delete(key);
      else this.#busy.set(key, left);
      this.#touch(key);
    }
  }

  /** What the thing is now, by someone who has it to himself. Tells it, also when nothing changed. */
  put(thing: LiveThing): void {
    this.#touch(thingKey(thing));
    this.#known.set(thingKey(thing), thing);
    this.tell({ type: 'changed', thing });
  }

  /** What the thing is found to be. Tells it only if that is news. */
  note(thing: LiveThing): void {
    if (!isDeepStrictEqual(this.#known.get(thingKey(thing)), thing)) this.put(thing);
  }

  /** The thing is no more. */
  drop(ref: { kind: ThingKind; id: string }): void {
    const key = thingKey(ref);
    this.#touch(key);
    const thing = this.#known.get(key);
    if (thing === undefined) return;
    this.#known.delete(key);
    this.tell({ type: 'removed', kind: thing.kind, id: thing.id, owner: thing.owner });
  }

  /**
   * Looks at all things of some kinds, and tells what differs from what was known. Of what is `unseen` (thingKeys) nothing
   * is known anew.
   */
  async survey(kinds: readonly ThingKind[], look: () => Promise<Survey>): Promise<void> {
    this.#moment += 1;
    const began = this.#moment;
    this.#surveys += 1;
    try {
      this.#compare(kinds, began, await look());
    } finally {
      this.#surveys -= 1;
      if (this.#surveys === 0) this.#touched.clear();
    }
  }

  #compare(kinds: readonly ThingKind[], began: number, { things, unseen = [] }: Survey): void {
    const found = new Map(things.map((thing) => [thingKey(thing), thing]));
    const hidden = new Set(unseen);
    const stale = (key: string) => this.#busy.has(key) || (this.#touched.get(key) ?? 0) >= began || hidden.has(key);
    for (const [key, thing] of found)
      if (!stale(key) && !isDeepStrictEqual(this.#known.get(key), thing)) {
        this.#known.set(key, thing);
        this.tell({ type: 'changed', thing });
      }
    for (const [key, thing] of this.#known)
      if (kinds.includes(thing.kind) && !found.has(key) && !stale(key)) {
        this.#known.delete(key);
        this.tell({ type: 'removed', kind: thing.kind, id: thing.id, owner: thing.owner });
      }
  }

  #touch(key: string): void {
    this.#touched.set(key, this.#moment);
  }
}
