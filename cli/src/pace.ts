/** How fast something goes, and when it will be done, going by the last seconds. */
import type { Clock } from '@plumb/schemas';
import { age } from '@plumb/schemas/project/columns-age.ts';

/** What happened longer ago says little of what will come. Milliseconds. */
const WINDOW_MS = 10_000;
const SAMPLE_MS = 500;
/** Before that a guess would be a bad one. */
const FIRST_MS = 2_000;

export class Pace {
  readonly #clock: Clock;
  readonly #samples: { at: number; done: number }[];

  #done = 0;
  /** When something was last done. */
  #movedAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#movedAt = clock.now();
    this.#samples = [{ at: clock.now(), done: 0 }];
  }

  /** How many are done now. */
  note(done: number): void {
    const at = this.#clock.now();
    if (done !== this.#done) this.#movedAt = at;
    this.#done = done;
    if (at - this.#samples.at(-1)!.at < SAMPLE_MS) return;
    this.#samples.push({ at, done });
    this.#forget();
  }

  /** `48/s, about 8s left`; undefined while it cannot be told. */
  tell(done: number, total: number): string | undefined {
    this.note(done);
    this.#forget();
    const [oldest] = this.#samples;
    const ms = this.#clock.now() - oldest!.at;
    const perSecond = ((done - oldest!.done) * 1000) / ms;
    if (ms < FIRST_MS || perSecond <= 0) return undefined;
    const leftMs = Math.ceil((total - done) / perSecond) * 1000;
    // The last ones may wait for something that does not come: a time that has passed is no guess any more.
    if (this.#clock.now() - this.#movedAt > Math.max(FIRST_MS, leftMs)) return undefined;
    return `${rate(perSecond)}, about ${age(leftMs)} left`;
  }

  /** The newest of those that are too old stays: what was done since then was done in the window. */
  #forget(): void {
    while (this.#samples.length > 1 && this.#clock.now() - this.#samples[1]!.at >= WINDOW_MS) this.#samples.shift();
  }
}

/** `48/s`, `2.5/s`, `20/min`. */
export function rate(perSecond: number): string {
  if (perSecond >= 10) return `${Math.round(perSecond)}/s`;
  return perSecond >= 1 ? `${perSecond.toFixed(1)}/s` : `${Math.max(1, Math.round(perSecond * 60))}/min`;
}
