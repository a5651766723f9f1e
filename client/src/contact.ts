/** Whether servers answer, as all know it who ask them with one credential: what one has waited for in vain, the others need not. */
import { createHash } from 'node:crypto';
import type { Clock } from '@plumb/schemas/meta/ambient.ts';
import type { PlumbError } from '@plumb/schemas/meta/error.ts';

/** At most this often a server that is away is asked whether it is back. Milliseconds. */
const ASKED_MS = 1_000;

/** One cloud, asked with one credential. */
export class Contact {
  readonly #clock: Clock;
  #lost: { error: PlumbError; at: number; asked: number } | undefined;
  #answeredAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Why asking is in vain, for one who is there since `since`; who comes later finds out anew. Milliseconds since the epoch. */
  lostFor(since: number): PlumbError | undefined {
    return this.#lost && this.#lost.at >= since ? this.#lost.error : undefined;
  }

  /** Somebody waited since `since` in vain. The error is the one that all get from now on, until somebody is answered; `error` alone, if somebody was. */
  lose(error: PlumbError, since: number): PlumbError {
    if (this.#answeredAt > since) return error;
    const at = this.#clock.now();
    this.#lost ??= { error, at, asked: at };
    return this.#lost.error;
  }

  answered(): void {
    this.#answeredAt = this.#clock.now();
    this.#lost = undefined;
  }

  /** Whether it is time to ask whether the server is back; only one of those who want to know is told so. */
  mayAsk(): boolean {
    const now = this.#clock.now();
    if (!this.#lost || now - this.#lost.asked < ASKED_MS) return false;
    this.#lost.asked = now;
    return true;
  }
}

/** The contacts of a process that serves many. */
export class Contacts {
  readonly #clock: Clock;
  /** Held by those who use them. */
  readonly #known = new Map<string, WeakRef<Contact>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `who`: all that says which servers are asked, how they are reached, and as whom. It is kept as a hash alone. */
  of(who: unknown): Contact {
    for (const [key, contact] of this.#known) if (!contact.deref()) this.#known.delete(key);
    const key = createHash('sha256').update(JSON.stringify(who)).digest('base64');
    const known = this.#known.get(key)?.deref();
    if (known) return known;
    const made = new Contact(this.#clock);
    this.#known.set(key, new WeakRef(made));
    return made;
  }
}
