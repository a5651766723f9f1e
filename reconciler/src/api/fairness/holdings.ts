/**
 * What clients hold for long: watches and connections. Nobody waits for these. Whoever holds some may take more while it
 * holds no more than is still free of its part, so that there is always some left for the next one; a part is half of the
 * part that is around it: a user may come to a half of all, one address to a quarter, one program there to an eighth.
 * (Dynamic thresholds: Choudhury and Hahne, 1998.)
 */
import type { Path } from './fair-queue.ts';

interface Holder {
  held: number;
  below: Map<unknown, Holder>;
}

export class Holdings {
  readonly #limit: number;
  readonly #root: Holder = { held: 0, below: new Map() };

  /** `limit`: how many may be held in all. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many are held. */
  get held(): number {
    return this.#root.held;
  }

  /** Takes one; undefined when the holders at the path have their part. The function gives it back, once. */
  take(path: Path): (() => void) | undefined {
    let part = this.#limit;
    let around: Holder | undefined = this.#root;
    if (around.held >= part) return undefined;
    for (const key of path) {
      const own: Holder | undefined = around?.below.get(key);
      if ((own?.held ?? 0) >= part - (around?.held ?? 0)) return undefined;
      around = own;
      part /= 2;
    }
    const held = this.#add(path);
    let given = false;
    return () => {
      if (given) return;
      given = true;
      give(held, path);
    };
  }

  #add(path: Path): Holder[] {
    let at = this.#root;
    at.held++;
    const held = [at];
    for (const key of path) {
      let own = at.below.get(key);
      if (!own) {
        own = { held: 0, below: new Map() };
        at.below.set(key, own);
      }
      own.held++;
      held.push(own);
      at = own;
    }
    return held;
  }
}

function give(held: readonly Holder[], path: Path): void {
  for (const [depth, holder] of held.entries()) {
    holder.held--;
    if (depth > 0 && holder.held === 0) held[depth - 1]!.below.delete(path[depth - 1]);
  }
}
