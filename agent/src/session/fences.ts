/**
 * Which turn of an owner's flow is the last that was heard of: a flow that went back, or was taken over, must not be
 * followed by a late command of its earlier self. A fence counts within its term: a restored control plane has a higher
 * term, while its store may count from further back.
 *
 * An interface, so that a driver can keep the fences where they outlive the agent.
 */
export interface Fences {
  /** Whether a command of this turn is to be obeyed; remembers it, if so. */
  admit(owner: string, term: number, fence: number): boolean;
  /** Whether no later turn was admitted for the owner since. */
  isCurrent(owner: string, term: number, fence: number): boolean;
}

/** Owners that are remembered; the longest unheard are forgotten first. A fence takes about 100 bytes. */
const MAX_OWNERS = 65_536;

/** Fences that last as long as the process. */
export class MemoryFences implements Fences {
  #term = 0;
  readonly #fences = new Map<string, number>();

  admit(owner: string, term: number, fence: number): boolean {
    if (term < this.#term) return false;
    if (term > this.#term) {
      this.#term = term;
      this.#fences.clear();
    }
    if (fence < (this.#fences.get(owner) ?? 0)) return false;
    this.#fences.delete(owner);
    this.#fences.set(owner, fence);
    if (this.#fences.size > MAX_OWNERS) this.#fences.delete(this.#fences.keys().next().value!);
    return true;
  }

  isCurrent(owner: string, term: number, fence: number): boolean {
    const last = this.#fences.get(owner);
    return last === undefined || (term === this.#term && fence >= last);
  }
}
