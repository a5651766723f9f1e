import { isDeepStrictEqual } from 'node:util';
import type { HostTrouble } from '@plumb/schemas/wire/messages.ts';

/** What is wrong with the host as a whole, by where it was noticed: each place says the whole of what it notices. */
export class Troubles {
  readonly #bySource = new Map<string, readonly HostTrouble[]>();
  readonly #changed: () => void;

  /** `changed` is called when {@link list} says something else than before. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  list(): HostTrouble[] {
    return [...this.#bySource.values()].flat();
  }

  set(source: string, ...troubles: HostTrouble[]): void {
    if (isDeepStrictEqual(this.#bySource.get(source) ?? [], troubles)) return;
    if (troubles.length === 0) this.#bySource.delete(source);
    else this.#bySource.set(source, troubles);
    this.#changed();
  }
}
