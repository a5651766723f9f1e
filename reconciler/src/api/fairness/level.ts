/** Requests of one kind of work: so many at once, so many that wait, and nobody longer than so long. */
import type { Clock, Random } from '@plumb/schemas';
import { FairQueue, type Path, type Waiting } from './fair-queue.ts';
import { Overloaded } from './overloaded.ts';

export interface LevelLimits {
  /** Seats: what is at work takes one or more. */
  seats: number;
  /** Room in the queue; what waits takes one or more of it. */
  queue: number;
  /** Longest wait for a seat, in milliseconds. What cannot begin by then is turned away: it is never begun late. */
  waitMs: number;
}

/** What a request takes while it is at work, and while it waits. */
export interface Demand {
  path: Path;
  seats: number;
  room: number;
}

export interface LevelCounts {
  /** Requests that were turned away because the queue was full of what had as much right to it. */
  full: number;
  /** Requests that were turned away because they had waited their time. */
  late: number;
}

export interface LevelOptions {
  limits: LevelLimits;
  clock: Clock;
  random: Random;
  /** Told how long each request that had to wait has waited, in milliseconds. */
  waited?: ((ms: number) => void) | undefined;
}

interface Entry {
  since: number;
  seats: number;
  begin(): void;
  refuse(error: Overloaded): void;
}

const LATE = 'the server is busy, and the request has waited its time';

/** The wait that a client is asked for at most, in seconds. */
const LONGEST_RETRY_S = 10;

export class Level {
  readonly rejected: LevelCounts = { full: 0, late: 0 };
  readonly #limits: LevelLimits;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #waited: (ms: number) => void;
  readonly #queue = new FairQueue<Entry>();
  /** In the order in which they came. */
  readonly #byAge = new Set<Waiting<Entry>>();
  #inUse = 0;
  #atWork = 0;
  #stopTimer: (() => void) | undefined;
  /** Milliseconds that pass from one begin to the next while requests wait: a mean in which the last ones count most. */
  #pace = 0;
  #lastBegin = 0;

  constructor({ limits, clock, random, waited }: LevelOptions) {
    this.#limits = limits;
    this.#clock = clock;
    this.#random = random;
    this.#waited = waited ?? (() => {});
  }

  /** Requests at work. */
  get inFlight(): number {
    return this.#atWork;
  }

  /** Requests that wait. */
  get queued(): number {
    return this.#queue.length;
  }

  /** Takes seats if they are free and nobody waits for them. What took seats gives them back with {@link leave}. */
  tryEnter(seats: number): boolean {
    if (this.#queue.length > 0 || !this.#fits(seats)) return false;
    this.#seat(seats);
    return true;
  }

  /**
   * Waits for seats, for a request that {@link tryEnter} did not let in. Rejects with {@link Overloaded} when the queue
   * is full or the time is over, and with the signal's reason when the client goes away.
   */
  wait({ path, seats, room }: Demand, signal: AbortSignal): Promise<void> {
    if (!this.#makeRoom(path, room)) {
      return Promise.reject(this.#refusal('full', 'the server is busy and its queue is full'));
    }
    return new Promise((resolve, reject) => {
      const since = this.#clock.now();
      if (this.#queue.length === 0) this.#lastBegin = since;
      const gone = () => {
        this.#queue.remove(waiting);
        this.#noMore(waiting);
        reject(signal.reason);
        this.#admit();
      };
      const entry: Entry = {
        since,
        seats,
        begin: () => {
          signal.removeEventListener('abort', gone);
          resolve();
        },
        refuse: (error) => {
          signal.removeEventListener('abort', gone);
          reject(error);
        },
      };
      const waiting = this.#queue.add(path, entry, seats, room);
      this.#byAge.add(waiting);
      signal.addEventListener('abort', gone, { once: true });
      if (signal.aborted) return gone();
      this.#setTimer();
      // What made room for it may have been what the others waited behind.
      this.#admit();
    });
  }

  /** Takes one more seat for what is at work. Throws {@link Overloaded} when there is none. */
  more(): void {
    if (this.#inUse >= this.#limits.seats) throw this.#refusal('full', 'the server is busy, and the body is long');
    this.#inUse++;
  }

  /** Gives seats back, and with them lets in those whose turn it is. */
  leave(seats: number): void {
    this.#inUse -= seats;
    this.#atWork--;
    this.#admit();
  }

  #fits(seats: number): boolean {
    return this.#inUse + seats <= this.#limits.seats || this.#inUse === 0;
  }

  #seat(seats: number): void {
    this.#inUse += seats;
    this.#atWork++;
  }

  /** Whoever is next gets the seats, or they are kept for it: small requests do not pass a large one for ever. */
  #admit(): void {
    for (let next = this.#queue.next(); next && this.#fits(next.item.seats); next = this.#queue.next()) {
      const now = this.#clock.now();
      const waited = now - next.item.since;
      if (waited >= this.#limits.waitMs) {
        // The timer is late when the server is busy; what is over is over.
        this.#turnAway(next, 'late', LATE);
        continue;
      }
      this.#queue.take(next);
      this.#noMore(next);
      this.#pace += (now - this.#lastBegin - this.#pace) / 32;
      this.#lastBegin = now;
      this.#seat(next.item.seats);
      this.#waited(waited);
      next.item.begin();
    }
  }

  #makeRoom(path: Path, room: number): boolean {
    while (this.#queue.size + room > this.#limits.queue) {
      const excess = this.#queue.excess(path, room);
      if (!excess) return false;
      this.#turnAway(excess, 'full', 'the server is busy, and others have less waiting');
    }
    return true;
  }

  /** To be followed by {@link #admit}: the one that leaves may have kept others from their turn. */
  #turnAway(waiting: Waiting<Entry>, why: keyof LevelCounts, sentence: string): void {
    this.#queue.remove(waiting);
    this.#noMore(waiting);
    this.#waited(this.#clock.now() - waiting.item.since);
    waiting.item.refuse(this.#refusal(why, sentence));
  }

  #noMore(waiting: Waiting<Entry>): void {
    this.#byAge.delete(waiting);
    if (this.#byAge.size > 0) return;
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }

  /** One timer for all that wait: for the oldest. */
  #setTimer(): void {
    const oldest: Waiting<Entry> | undefined = this.#byAge.values().next().value;
    if (!oldest || this.#stopTimer) return;
    const due = oldest.item.since + this.#limits.waitMs - this.#clock.now();
    this.#stopTimer = this.#clock.after(Math.max(0, due), () => {
      this.#stopTimer = undefined;
      const now = this.#clock.now();
      for (const waiting of this.#byAge) {
        if (now - waiting.item.since < this.#limits.waitMs) break;
        this.#turnAway(waiting, 'late', LATE);
      }
      this.#admit();
      this.#setTimer();
    });
  }

  /** Asks to come back when what waits now should be done, spread so that not all come back at once. */
  #refusal(why: keyof LevelCounts, sentence: string): Overloaded {
    this.rejected[why]++;
    const drainS = (this.#queue.length * this.#pace) / 1000;
    const spreadS = Math.max(1, drainS) * (1 + this.#random.next());
    return new Overloaded(sentence, Math.min(LONGEST_RETRY_S, Math.round(spreadS)));
  }
}
