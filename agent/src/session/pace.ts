import type { Clock } from '@plumb/schemas';

const MINUTE_MS = 60_000;

/** So often in each minute, and not more. */
export class Pace {
  readonly #clock: Clock;
  readonly #most: number;
  /** When each of the last minute was, the oldest first. */
  #taken: number[] = [];

  constructor(clock: Clock, perMinute: number) {
    this.#clock = clock;
    this.#most = perMinute;
  }

  /** Counts one, and returns 0; or milliseconds to wait, and counts none. */
  take(): number {
    const now = this.#clock.now();
    // A wall clock may be put back: what is of the future is not counted.
    this.#taken = this.#taken.filter((at) => at <= now && now - at < MINUTE_MS);
    if (this.#taken.length >= this.#most) return this.#taken[0]! + MINUTE_MS - now;
    this.#taken.push(now);
    return 0;
  }
}
