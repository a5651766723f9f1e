import type { Clock } from '@plumb/schemas';

/**
 * A clock that moves only when told. Timers run in the order in which they are due; those due at the same instant run
 * in the order in which they were set.
 */
export class FakeClock implements Clock {
  #now: number;
  #order = 0;
  readonly #timers = new Set<Timer>();

  /** `start`: milliseconds since the epoch. */
  constructor(start = Date.parse('2026-01-01T00:00:00Z')) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    const timer: Timer = { due: this.#now + Math.max(0, ms), order: this.#order++, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** How many timers are set. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Milliseconds until the next timer is due; undefined when none is set. */
  get nextIn(): number | undefined {
    const next = this.#next();
    return next && next.due - this.#now;
  }

  /**
   * Moves the time on by `ms`, running each timer at its own instant, and after each of them everything that it
   * started, as far as that needs no time and no outside world.
   */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await settle();
    for (let next = this.#next(); next && next.due <= until; next = this.#next()) {
      this.#now = next.due;
      this.#timers.delete(next);
      next.run();
      await settle();
    }
    this.#now = until;
  }

  /** As {@link advance}, but without letting promises run in between. */
  advanceAtOnce(ms: number): void {
    const until = this.#now + ms;
    for (let next = this.#next(); next && next.due <= until; next = this.#next()) {
      this.#now = next.due;
      this.#timers.delete(next);
      next.run();
    }
    this.#now = until;
  }

  #next(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (!next || timer.due < next.due || (timer.due === next.due && timer.order < next.order)) next = timer;
    }
    return next;
  }
}

interface Timer {
  due: number;
  order: number;
  run: () => void;
}

/** Lets promises and immediates that are ready run. `turns`: how many times what they started may start more. */
export async function settle(turns = 8): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Repeats `values`, in order, for ever: a Random whose draws a test can name. */
export function fakeRandom(...values: number[]): { next(): number } {
  let draws = 0;
  return { next: () => values[draws++ % values.length] ?? 0 };
}
