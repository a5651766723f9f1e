import type { Clock } from '@plumb/schemas';
import { Bucket } from '../../runtime/bucket.ts';

export interface PacerOptions {
  clock: Clock;
  /** Of one origin: in the long run each second, and at once after a quiet time. */
  perSecond: number;
  burst: number;
  /** Of all origins together. */
  allPerSecond: number;
  allBurst: number;
}

/** How long one turn of letting in lasts, in milliseconds. */
const TURN_MS = 10;
/** Origins whose pace is known; further ones share one. */
const MOST_ORIGINS = 16_384;
const SHARED = 'others';
/** They are looked through no more often than this, in milliseconds. */
const FORGET_MS = 1000;

interface Waiting {
  origin: string;
  start(): void;
}

/**
 * Handshakes are dear: one origin begins as many as it may, and origins take turns; those that end with a credential do not
 * count. The newest goes first: who floods us waits behind itself, and who comes now is served now, while the oldest of a flood
 * run into their deadline.
 */
export class Pacer {
  readonly #options: PacerOptions;
  readonly #buckets = new Map<string, Bucket>();
  readonly #all: Bucket;
  /** Origin → those who wait, the newest last. In the order of turns. */
  readonly #queues = new Map<string, Set<Waiting>>();
  #stopTurn: (() => void) | undefined;
  #forgotAt = Number.NEGATIVE_INFINITY;

  constructor(options: PacerOptions) {
    this.#options = options;
    this.#all = new Bucket(options.allBurst, options.clock.now());
  }

  /** Calls `start` when it is its turn, perhaps at once. Returns what makes it wait no more. */
  ask(origin: string, start: () => void): () => void {
    const waiting: Waiting = { origin, start };
    if (!this.#queues.has(origin) && this.#mayStart(origin)) {
      start();
      return () => {};
    }
    const queue = this.#queues.get(origin) ?? new Set();
    queue.add(waiting);
    this.#queues.set(origin, queue);
    this.#stopTurn ??= this.#options.clock.after(TURN_MS, () => this.#turn());
    return () => this.#leave(waiting);
  }

  /** Who began has shown a credential: it was no stranger's handshake, and is not counted as one. */
  refund(origin: string): void {
    const { clock, perSecond, burst, allPerSecond, allBurst } = this.#options;
    const now = clock.now();
    this.#bucketOf(origin, now).take(-1, now, perSecond / 1000, burst);
    this.#all.take(-1, now, allPerSecond / 1000, allBurst);
  }

  close(): void {
    this.#stopTurn?.();
    this.#queues.clear();
  }

  #turn(): void {
    this.#stopTurn = undefined;
    // One of each origin in each round, as long as somebody may begin.
    for (let begun = true; begun; ) {
      begun = false;
      for (const [origin, queue] of [...this.#queues]) {
        if (!this.#mayStart(origin)) continue;
        const newest = [...queue].at(-1)!;
        queue.delete(newest);
        // To the end of the round.
        this.#queues.delete(origin);
        if (queue.size > 0) this.#queues.set(origin, queue);
        newest.start();
        begun = true;
      }
    }
    if (this.#queues.size > 0) this.#stopTurn = this.#options.clock.after(TURN_MS, () => this.#turn());
  }

  #leave(waiting: Waiting): void {
    const queue = this.#queues.get(waiting.origin);
    queue?.delete(waiting);
    if (queue?.size === 0) this.#queues.delete(waiting.origin);
  }

  #mayStart(origin: string): boolean {
    const { clock, perSecond, burst, allPerSecond, allBurst } = this.#options;
    const now = clock.now();
    const own = this.#bucketOf(origin, now);
    const wait = Math.max(
      own.wait(1, now, perSecond / 1000, burst),
      this.#all.wait(1, now, allPerSecond / 1000, allBurst),
    );
    if (wait > 0) return false;
    own.take(1, now, perSecond / 1000, burst);
    this.#all.take(1, now, allPerSecond / 1000, allBurst);
    return true;
  }

  #bucketOf(origin: string, now: number): Bucket {
    const { burst } = this.#options;
    let bucket = this.#buckets.get(origin);
    if (bucket !== undefined) return bucket;
    if (this.#buckets.size >= MOST_ORIGINS) this.#forgetQuiet(now);
    if (this.#buckets.size >= MOST_ORIGINS && origin !== SHARED) return this.#bucketOf(SHARED, now);
    bucket = new Bucket(burst, now);
    this.#buckets.set(origin, bucket);
    return bucket;
  }

  /** Who was quiet for long is as one who was never here. */
  #forgetQuiet(now: number): void {
    if (now >= this.#forgotAt && now < this.#forgotAt + FORGET_MS) return;
    this.#forgotAt = now;
    const { perSecond, burst } = this.#options;
    for (const [origin, own] of this.#buckets)
      if (own.wait(burst, now, perSecond / 1000, burst) === 0) this.#buckets.delete(origin);
  }
}
