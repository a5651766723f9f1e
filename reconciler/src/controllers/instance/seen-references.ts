import type { ObjectCache } from '../../runtime/cache.ts';

/** The objects that instances refer to: alike for very many, and looked at once for all of them. */
export interface References {
  readonly keys: readonly string[];
  /** Another after each change of one of them. */
  readonly version: number;
}

interface Seen extends References {
  version: number;
  revisions: (number | undefined)[];
  /** The turn in which they were looked at last. */
  turn: number;
}

/** What a scan knows of the objects that instances refer to. They change between the turns of a scan only. */
export class SeenReferences {
  readonly #cache: Pick<ObjectCache, 'revisionOf'>;
  #seen = new Map<string, Seen>();
  #turn = 0;

  constructor(cache: Pick<ObjectCache, 'revisionOf'>) {
    this.#cache = cache;
  }

  /** Others had a turn: whatever was looked at may have changed. */
  nextTurn(): void {
    this.#turn++;
  }

  /** Looks at all of them now, so that each {@link References.version} is true. */
  lookAgain(): void {
    this.#turn++;
    for (const seen of this.#seen.values()) this.#look(seen);
  }

  clear(): void {
    this.#seen = new Map();
    this.#turn++;
  }

  /** The objects at these keys, as they are in this turn. */
  of(keys: readonly string[]): References {
    const name = keys.join(' ');
    let seen = this.#seen.get(name);
    if (seen === undefined) {
      seen = { keys, revisions: [], version: 0, turn: -1 };
      this.#seen.set(name, seen);
    }
    this.#look(seen);
    return seen;
  }

  /** The version of what {@link of} gave, as it is in this turn. */
  versionOf(references: References): number {
    this.#look(references as Seen);
    return references.version;
  }

  #look(seen: Seen): void {
    if (seen.turn === this.#turn) return;
    seen.turn = this.#turn;
    let changed = false;
    for (const [i, key] of seen.keys.entries()) {
      const revision = this.#cache.revisionOf(key);
      if (seen.revisions[i] === revision) continue;
      seen.revisions[i] = revision;
      changed = true;
    }
    if (changed) seen.version++;
  }
}
