import type { Clock } from '@plumb/schemas';

export interface AdmissionOptions {
  clock: Clock;
  /** Hosts that are let in each second, in the long run; 2000, if absent. */
  perSecond?: number;
  /** Hosts that are let in at once after a quiet time; 1000, if absent. */
  burst?: number;
  /** Hosts that wait here at most; others are told when to come back. 10,000, if absent, of about 1 kB each. */
  waiting?: number;
}

/** How long one turn of letting in lasts, in milliseconds: many are let in with few timers. */
const TURN_MS = 10;

/**
 * Lets hosts in at a bounded rate: after the server or a network was gone, all of them come at once, and each brings work
 * with it. Streams take turns, so that one which speaks for thousands of hosts does not keep out one that speaks for one.
 */
export class Admission {
  readonly #clock: Clock;
  readonly #perMs: number;
  readonly #burst: number;
  readonly #most: number;
  /** Stream → host → what lets it in. In the order of turns. */
  readonly #queues = new Map<object, Map<string, () => void>>();
  #waiting = 0;
  #admitted = 0;
  #sentAway = 0;
  #tokens: number;
  #filledAt: number;
  /** When those who were sent away will all have been let in, if they come when they were told. */
  #takenUntil = Number.NEGATIVE_INFINITY;
  #stopTurn: (() => void) | undefined;
  /** How many of those each stream had, where it is there still; else they are counted of {@link GONE}. */
  readonly #away = new Map<object, number>();
  /** When so many had come within the time that makes them many; and those who came since then. */
  #manyAt = Number.NEGATIVE_INFINITY;
  #came = 0;
  #cameSince = Number.NEGATIVE_INFINITY;

  constructor({ clock, perSecond = 2000, burst = 1000, waiting = 10_000 }: AdmissionOptions) {
    this.#clock = clock;
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#most = waiting;
    this.#tokens = burst;
    this.#filledAt = clock.now();
  }

  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Whether somebody waits here, or was told to come back and may not have been, or many have come just now: then there may
   * be more of them of whom nothing was heard yet.
   */
  get crowded(): boolean {
    const now = this.#clock.now();
    return this.#waiting > 0 || now < this.#takenUntil + LATE_MS || now < this.#manyAt + LATE_MS;
  }

  /** Hosts that were let in, since the start. */
  get admitted(): number {
    return this.#admitted;
  }

  /** How often a host was told to come back later, since the start. */
  get sentAway(): number {
    return this.#sentAway;
  }

  /**
   * Calls `enter` when it is the host's turn, perhaps at once; of several that a stream asks for one host, the last. Too
   * many wait: returns after how many milliseconds the host should ask again.
   */
  ask(stream: object, host: string, enter: () => void): number | undefined {
    const queue = this.#queues.get(stream) ?? new Map<string, () => void>();
    if (!queue.has(host)) {
      if (this.#waiting >= this.#most) return this.#sendAway(stream);
      this.#waiting++;
    }
    queue.set(host, enter);
    this.#queues.set(stream, queue);
    if (this.#stopTurn === undefined) this.#turn();
    return undefined;
  }

  /** Nobody of this stream waits any more. */
  leave(stream: object): void {
    this.#waiting -= this.#queues.get(stream)?.size ?? 0;
    this.#queues.delete(stream);
    const away = this.#away.get(stream);
    if (away === undefined) return;
    this.#away.delete(stream);
    this.#away.set(GONE, (this.#away.get(GONE) ?? 0) + away);
  }

  /** As {@link leave}, of a stream that asked for hosts that are none: those that were sent away are not waited for. */
  expel(stream: object): void {
    const away = this.#away.get(stream) ?? 0;
    this.#away.delete(stream);
    this.#takenUntil = this.#away.size === 0 ? Number.NEGATIVE_INFINITY : this.#takenUntil - away / this.#perMs;
    this.leave(stream);
  }

  close(): void {
    this.#stopTurn?.();
    this.#queues.clear();
    this.#waiting = 0;
  }

  #turn(): void {
    this.#stopTurn = undefined;
    this.#fill();
    for (const [stream, queue] of this.#queues) {
      if (this.#tokens < 1) break;
      this.#tokens--;
      this.#waiting--;
      this.#admitted++;
      const [host, enter] = queue.entries().next().value!;
      queue.delete(host);
      // To the end of the round, which goes on as long as there is anybody.
      this.#queues.delete(stream);
      if (queue.size > 0) this.#queues.set(stream, queue);
      enter();
    }
    if (this.#waiting > 0) this.#stopTurn = this.#clock.after(TURN_MS, () => this.#turn());
  }

  /** One that was let in is who it says: whoever else asks, however often, says nothing of others that may come. */
  noteKnown(): void {
    const now = this.#clock.now();
    if (now < this.#cameSince || now >= this.#cameSince + LATE_MS) {
      this.#came = 0;
      this.#cameSince = now;
    }
    this.#came++;
    if (this.#came >= MANY) this.#manyAt = now;
  }

  #fill(): void {
    const now = this.#clock.now();
    // A wall clock may be put back: nothing is due then.
    const passed = Math.max(0, now - this.#filledAt);
    this.#tokens = Math.min(this.#burst, this.#tokens + passed * this.#perMs);
    this.#filledAt = now;
  }

  /** Those who are sent away come back one after another, when those who wait now are in. */
  #sendAway(stream: object): number {
    this.#sentAway++;
    const now = this.#clock.now();
    const earliest = now + this.#most / this.#perMs;
    const soon = this.#takenUntil < earliest || this.#takenUntil > earliest + FURTHEST_MS;
    if (soon) this.#away.clear();
    this.#away.set(stream, (this.#away.get(stream) ?? 0) + 1);
    this.#takenUntil = (soon ? earliest : this.#takenUntil) + 1 / this.#perMs;
    return Math.ceil(this.#takenUntil - now);
  }
}

/** Stands for all streams that have ended. */
const GONE = {};

/** Nobody is told to come back later than this after those who wait. */
const FURTHEST_MS = 120_000;

/** How much later than told, or than others, hosts may come. */
const LATE_MS = 10_000;

/** So many within {@link LATE_MS} say that others may be on their way: a few that come and go do not. */
const MANY = 200;
