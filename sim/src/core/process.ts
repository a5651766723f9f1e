import type { Ambient } from '@plumb/schemas';
import type { Dice } from './dice.ts';
import type { SimLoop } from './loop.ts';

/** How far the wall clock of a machine is from the true time. */
export interface Skew {
  ms: number;
}

/** One life of a program. What is injected into it ends with it, so that what it had begun is never heard of again. */
export class SimProcess {
  alive = true;
  readonly ambient: Ambient;
  readonly dice: Dice;
  readonly #atEnd: (() => void)[] = [];
  readonly #timers = new Set<() => void>();

  constructor(loop: SimLoop, dice: Dice, skew: Skew) {
    this.dice = dice;
    const random = dice.fork('random');
    const ids = dice.fork('ids');
    this.ambient = {
      clock: {
        now: () => Math.floor(loop.now + skew.ms),
        after: (ms, run) => {
          if (!this.alive) return () => {};
          const end = loop.after(ms, () => {
            this.#timers.delete(end);
            run();
          });
          this.#timers.add(end);
          return () => {
            this.#timers.delete(end);
            end();
          };
        },
      },
      ids: { uid: () => ids.uuid(), secret: (bytes) => ids.hex(2 * bytes) },
      random: { next: () => random.next() },
    };
  }

  /** Resolves after `ms` milliseconds; never, when the process ends before. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.ambient.clock.after(ms, resolve));
  }

  /** Gives the result on while the process lives; after its end nothing comes back. */
  whileAlive<T>(result: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      result.then(
        (value) => this.alive && resolve(value),
        (error) => this.alive && reject(error),
      );
    });
  }

  onEnd(run: () => void): void {
    this.#atEnd.push(run);
  }

  kill(): void {
    if (!this.alive) return;
    this.alive = false;
    for (const end of this.#timers) end();
    this.#timers.clear();
    for (const run of this.#atEnd) run();
  }
}
