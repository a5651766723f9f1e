/**
 * What waits, in the order of fairness. Everything that waits lies at the end of a path, from the outside in: user, address,
 * program, connection. At each fork of the tree that the paths make, those below take turns, so that what one of them
 * has waiting delays another by its turn alone, however much it is. A fork exists only while something waits below it:
 * memory is that of what waits.
 *
 * Pure: no clock, no promises. Deficit round robin (Shreedhar and Varghese, 1996) with a quantum of one seat.
 */

/** Names of the forks, outermost first; compared as the keys of a Map. All paths of a queue are equally long. */
export type Path = readonly unknown[];

export interface Waiting<T> {
  readonly item: T;
  /** Turns that it takes: 1 and more, whole. */
  readonly turns: number;
  /** What it takes of the room in the queue: 1 and more, whole. */
  readonly size: number;
  /** Where it waits; undefined when it does not any more. */
  fork: Fork<T> | undefined;
  before: Waiting<T> | undefined;
  after: Waiting<T> | undefined;
}

interface Fork<T> {
  readonly key: unknown;
  readonly parent: Fork<T> | undefined;
  /** In the order in which they come to their turn. Empty where the path ends. */
  readonly below: Map<unknown, Fork<T>>;
  /** Size of all that waits here and below. */
  size: number;
  /** Turns to let pass, for having taken more than one. */
  debt: number;
  /** What waits here, in the order in which it came; only where the path ends. */
  first: Waiting<T> | undefined;
  last: Waiting<T> | undefined;
}

export class FairQueue<T> {
  readonly #root: Fork<T> = fork(undefined, undefined);
  #length = 0;

  /** How many wait. */
  get length(): number {
    return this.#length;
  }

  /** Size of all that waits. */
  get size(): number {
    return this.#root.size;
  }

  /** Puts an item behind all that waits at the same path. */
  add(path: Path, item: T, turns: number, size: number): Waiting<T> {
    let at = this.#root;
    at.size += size;
    for (const key of path) {
      let next = at.below.get(key);
      if (!next) {
        next = fork(key, at);
        at.below.set(key, next);
      }
      next.size += size;
      at = next;
    }
    const waiting: Waiting<T> = { item, turns, size, fork: at, before: at.last, after: undefined };
    if (at.last) at.last.after = waiting;
    else at.first = waiting;
    at.last = waiting;
    this.#length++;
    return waiting;
  }

  /** Whose turn it is. Stays the same until that one is taken, something is removed, or something that goes before it comes. */
  next(): Waiting<T> | undefined {
    if (this.#length === 0) return undefined;
    let at = this.#root;
    while (at.below.size > 0) at = inTurn(at);
    return at.first;
  }

  /** Takes out what {@link next} gave; those beside it are next. */
  take(waiting: Waiting<T>): void {
    for (let at = waiting.fork!; at.parent; at = at.parent) {
      at.debt += waiting.turns - 1;
      at.parent.below.delete(at.key);
      at.parent.below.set(at.key, at);
    }
    this.remove(waiting);
  }

  /** Takes out something whose turn it is not. Does nothing when it does not wait any more. */
  remove(waiting: Waiting<T>): void {
    const end = waiting.fork;
    if (!end) return;
    waiting.fork = undefined;
    if (waiting.before) waiting.before.after = waiting.after;
    else end.first = waiting.after;
    if (waiting.after) waiting.after.before = waiting.before;
    else end.last = waiting.before;
    this.#length--;
    for (let at: Fork<T> | undefined = end; at; at = at.parent) {
      at.size -= waiting.size;
      if (at.size === 0) at.parent?.below.delete(at.key);
    }
  }

  /**
   * What is to make room when the queue is full and something of `size` comes at `path`: the last that came to whoever has
   * most waiting. Undefined: it is what comes that is too much, since nobody has more waiting than it would have.
   */
  excess(path: Path, size: number): Waiting<T> | undefined {
    let at = this.#root;
    for (const key of path) {
      const own = at.below.get(key);
      const mine = own?.size ?? 0;
      // Who has its share pays for itself; the others are looked through only for who has less.
      if (mine * at.below.size < at.size) {
        const most = largest(at, own);
        if (most && most.size > mine + size) return lastOf(most);
      }
      if (!own) return undefined;
      at = own;
    }
    return undefined;
  }
}

function lastOf<T>(at: Fork<T>): Waiting<T> | undefined {
  let end = at;
  while (end.below.size > 0) end = largest(end, undefined)!;
  return end.last;
}

function fork<T>(key: unknown, parent: Fork<T> | undefined): Fork<T> {
  return { key, parent, below: new Map(), size: 0, debt: 0, first: undefined, last: undefined };
}

/** The first that has no turn to let pass. */
function inTurn<T>(at: Fork<T>): Fork<T> {
  for (;;) {
    const first: Fork<T> = at.below.values().next().value!;
    if (first.debt === 0 || at.below.size === 1) return first;
    first.debt--;
    at.below.delete(first.key);
    at.below.set(first.key, first);
  }
}

function largest<T>(at: Fork<T>, but: Fork<T> | undefined): Fork<T> | undefined {
  let most: Fork<T> | undefined;
  for (const each of at.below.values()) if (each !== but && (!most || each.size > most.size)) most = each;
  return most;
}
