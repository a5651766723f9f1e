/** What a program takes from its surroundings. All of it is injected, so that a simulation can replace it. */
export interface Clock {
  /** Milliseconds since the epoch, as `Date.now()`. */
  now(): number;
  /** Calls `run` once after `ms` milliseconds. The returned function cancels it. */
  after(ms: number, run: () => void): () => void;
}

export interface Ids {
  /** A new object uid: a UUID of RFC 9562 in lower case, of version 7. Only its last ten digits are random for certain. */
  uid(): string;
  /** A secret of `bytes` random bytes, base64url without padding. */
  secret(bytes: number): string;
}

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
}

export interface Ambient {
  clock: Clock;
  ids: Ids;
  random: Random;
}

/** 24.8 days: what is due later is looked at then. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The real surroundings: the machine's clock and its cryptographic randomness. */
export function realAmbient(): Ambient {
  return {
    clock: {
      now: () => Date.now(),
      after(ms, run) {
        // Beyond that the timer would ring at once.
        const timer = setTimeout(run, Math.min(ms, LONGEST_TIMER_MS));
        return () => clearTimeout(timer);
      },
    },
    ids: {
      uid: () => timeOrderedUid(Date.now(), crypto.randomUUID()),
      secret: (bytes) => Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('base64url'),
    },
    random: { next: () => Math.random() },
  };
}

/**
 * A UUID of version 7 (RFC 9562): milliseconds since the epoch, then what is random in `random`, which is one of version 4.
 * What is made one after the other lies together in a store that is sorted by uid.
 */
export function timeOrderedUid(now: number, random: string): string {
  const time = now.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(15)}`;
}
