/** Connections of a process that serves many: those who ask one server as one and the same share them, one after the other too. */
import { createHash } from 'node:crypto';
import type { Clock } from '@plumb/schemas/meta/ambient.ts';
import type { Wire } from './wire.ts';

/** How long a connection that is no longer used is kept for the next one. Milliseconds. */
const LINGER_MS = 30_000;

interface Shared {
  wire: Wire;
  users: number;
  stopLingering: () => void;
}

export class SharedWires {
  readonly #clock: Clock;
  readonly #shared = new Map<string, Shared>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * The connections for `who`, made where there are none. `who`: all that says which server is asked, how it is reached and
   * believed, and as whom; it is kept as a hash alone. Closing what is returned gives them back.
   */
  lease(who: unknown, make: () => Wire): Wire {
    const key = createHash('sha256').update(JSON.stringify(who)).digest('base64');
    const shared = this.#shared.get(key) ?? { wire: make(), users: 0, stopLingering: () => {} };
    this.#shared.set(key, shared);
    shared.stopLingering();
    shared.users++;
    let used = true;
    return {
      send: (request) => shared.wire.send(request),
      close: () => {
        if (!used) return;
        used = false;
        if (--shared.users === 0) shared.stopLingering = this.#clock.after(LINGER_MS, () => this.#end(key, shared));
      },
    };
  }

  /** Closes what no one uses. */
  close(): void {
    for (const [key, shared] of this.#shared) if (shared.users === 0) this.#end(key, shared);
  }

  #end(key: string, shared: Shared): void {
    shared.stopLingering();
    shared.wire.close();
    this.#shared.delete(key);
  }
}
