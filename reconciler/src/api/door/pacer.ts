import type { Clock, Random } from '@plumb/schemas';
import { Bucket } from '../../runtime/bucket.ts';

export interface PacerOptions {
  clock: Clock;
  random: Random;
  /** Of one origin: in the long run each second, and at once after a quiet time. */
  perSecond: number;
  burst: number;
  /** Of all origins together. */
  allPerSecond: number;
  allBurst: number;
  /** Origins whose pace is known; further ones share one. */
  mostOrigins: number;
  /** Whether there is room for one more of the origin; makes room, if it can. */
  makeRoom(origin: string): boolean;
  /** Whether somebody of the origin has shown a credential before: it goes before others. */
  isKnown(origin: string): boolean;
}

/** How long one turn of letting in lasts, in milliseconds. */
const TURN_MS = 10;
const SHARED = 'others';
/** Who is among so many newest may be the next. */
const NEWEST = 8;
/** They are looked through no more often than this, in milliseconds. */
const FORGET_MS = 1000;

interface Waiting {
  origin: string;
  start(): void;
}

/**
 * Handshakes are dear: one origin begins as many as it may, and origins take turns; those that end with a credential do not
 * count. The newest go first: who floods us waits behind itself, and who comes now is served soon.
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
    if (this.#mayStart(origin)) {
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
    const { isKnown } = this.#options;
    for (let begun = true; begun; ) {
      begun = false;
      const origins = [...this.#queues].sort(([a], [b]) => Number(isKnown(b)) - Number(isKnown(a)));
      for (const [origin, queue] of origins) {
        if (!this.#mayStart(origin)) continue;
        const next = this.#pick(queue);
        queue.delete(next);
        // To the end of the round.
        this.#queues.delete(origin);
        if (queue.size > 0) this.#queues.set(origin, queue);
        next.start();
        begun = true;
      }
    }
    if (this.#queues.size > 0) this.#stopTurn = this.#options.clock.after(TURN_MS, () => this.#turn());
  }

  /** The newest, or every other time any of the newest: who is overtaken by a flood's next connection is not lost. */
  #pick(queue: ReadonlySet<Waiting>): Waiting {
    const { random } = this.#options;
    const newest = [...queue].slice(-NEWEST);
    const back = random.next() < 0.5 ? 0 : Math.floor(random.next() * newest.length);
    return newest[newest.length - 1 - back]!;
  }

  #leave(waiting: Waiting): void {
    const queue = this.#queues.get(waiting.origin);
    queue?.delete(waiting);
    if (queue?.size === 0) this.#queues.delete(waiting.origin);
  }

  #mayStart(origin: string): boolean {
    const { clock, perSecond, burst, allPerSecond, allBurst, makeRoom } = this.#options;
    const now = clock.now();
    const own = this.#bucketOf(origin, now);
    const wait = Math.max(
      own.wait(1, now, perSecond / 1000, burst),
      this.#all.wait(1, now, allPerSecond / 1000, allBurst),
    );
    if (wait > 0 || !makeRoom(origin)) return false;
    own.take(1, now, perSecond / 1000, burst);
    this.#all.take(1, now, allPerSecond / 1000, allBurst);
    return true;
  }

  #bucketOf(origin: string, now: number): Bucket {
    const { burst } = this.#options;
    let bucket = this.#buckets.get(origin);
    if (bucket !== undefined) return bucket;
    const { mostOrigins } = this.#options;
    if (this.#buckets.size >= mostOrigins) this.#forgetQuiet(now);
    if (this.#buckets.size >= mostOrigins && origin !== SHARED) return this.#bucketOf(SHARED, now);
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
