/** A token bucket: what is used up comes back at a steady rate, up to a bound. Time is given, in milliseconds. */
export class Bucket {
  #tokens: number;
  #filledAt: number;

  constructor(burst: number, now: number) {
    this.#tokens = burst;
    this.#filledAt = now;
  }

  /** Takes `amount`, which may leave it in debt; gives it back, if it is negative. `perMs` and `burst` may differ from call to call. */
  take(amount: number, now: number, perMs: number, burst: number): void {
    this.#fill(now, perMs, burst);
    this.#tokens = Math.min(burst, this.#tokens - amount);
  }

  /** Milliseconds until there is at least `amount`; 0: there is. */
  wait(amount: number, now: number, perMs: number, burst: number): number {
    this.#fill(now, perMs, burst);
    return Math.max(0, (amount - this.#tokens) / perMs);
  }

  #fill(now: number, perMs: number, burst: number): void {
    // A wall clock may be put back: nothing is due then.
    const passed = Math.max(0, now - this.#filledAt);
    this.#tokens = Math.min(burst, this.#tokens + passed * perMs);
    this.#filledAt = now;
  }
}
