/** What a program takes from its surroundings. All of it is injected, so that a simulation can replace it. */
export interface Clock {
  /** Milliseconds since the epoch, as `Date.now()`. */
  now(): number;
  /** Calls `run` once after `ms` milliseconds. The returned function cancels it. */
  after(ms: number, run: () => void): () => void;
}

export interface Ids {
  /** A new object uid: an RFC 4122 version 4 UUID in lower case. */
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

/** The real surroundings: the machine's clock and its cryptographic randomness. */
export function realAmbient(): Ambient {
  return {
    clock: {
      now: () => Date.now(),
      after(ms, run) {
        const timer = setTimeout(run, ms);
        return () => clearTimeout(timer);
      },
    },
    ids: {
      uid: () => crypto.randomUUID(),
      secret: (bytes) => Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('base64url'),
    },
    random: { next: () => Math.random() },
  };
}
