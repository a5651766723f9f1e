import type { Clock, Random } from '@plumb/schemas';
import type { Metrics } from './metrics.ts';

/** First and longest backoff in milliseconds; the time grows twofold with each failure in a row. */
export const BACKOFF_MS = { base: 50, max: 30_000 } as const;

/** How many keys begin before streams and timers are served again: a few milliseconds of work. */
const TURN = 64;

export interface WorkQueueOptions {
  /** Names the queue in metrics. */
  name: string;
  /** How many keys are processed at the same time. */
  concurrency: number;
  clock: Clock;
  random: Random;
  /** A rejection is tried again with backoff. `requeueAfterMs`: all is well, but look again after that time. */
  // biome-ignore lint/suspicious/noConfusingVoidType: most work has nothing to return
  process: (key: string) => Promise<Requeue | undefined | void>;
  /** Told of each rejection, before its retry is scheduled. */
  onError?: (key: string, error: unknown) => void;
}

export interface Requeue {
  requeueAfterMs?: number;
}

/**
 * Keys that need work. The promises:
 * - a key that is added many times before its turn is processed once;
 * - a key is never processed twice at the same time; added while it is processed, it is processed again after;
 * - a key that fails is tried again with exponential backoff and full jitter, until it succeeds or is forgotten;
 * - nothing runs while there is nothing to do.
 * The semantics are those of client-go's workqueue.
 */
export class WorkQueue {
  readonly name: string;
  readonly #options: WorkQueueOptions;
  /** Ready keys; a Set iterates in the order of insertion, so it is the queue too. */
  readonly #ready = new Set<string>();
  readonly #running = new Set<string>();
  /** Keys that were added while they ran. */
  readonly #again = new Set<string>();
  readonly #delayed = new Map<string, Delay>();
  readonly #failing = new Map<string, { failures: number; delay: Delay | undefined }>();
  #retries = 0;
  #processed = 0;
  #turnWanted = false;
  #stopped = false;
  #drained: (() => void)[] = [];

  constructor(options: WorkQueueOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** Keys that wait for a free place. */
  get depth(): number {
    return this.#ready.size + this.#again.size;
  }

  /** Keys that are processed now. */
  get inFlight(): number {
    return this.#running.size;
  }

  /** Keys whose time has not come: backoff and {@link addAfter}. */
  get waiting(): number {
    let backoff = 0;
    for (const { delay } of this.#failing.values()) if (delay) backoff++;
    return backoff + this.#delayed.size;
  }

  /** How many times a failure led to another try, since the start. */
  get retries(): number {
    return this.#retries;
  }

  /** How many times a key was processed, successfully or not, since the start. */
  get processed(): number {
    return this.#processed;
  }

  /** Wants the key processed as soon as there is a place. Ends its backoff wait, not the count of its failures. */
  add(key: string): void {
    if (this.#stopped) return;
    const failing = this.#failing.get(key);
    if (failing?.delay) {
      failing.delay.end();
      failing.delay = undefined;
    }
    if (this.#running.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#ready.add(key);
    this.#wantTurn();
  }

  /** Wants the key processed after `ms` milliseconds. Of several delays of one key the earliest counts. */
  addAfter(key: string, ms: number): void {
    if (this.#stopped) return;
    if (ms <= 0) {
      this.add(key);
      return;
    }
    const { clock } = this.#options;
    const due = clock.now() + ms;
    const earlier = this.#delayed.get(key);
    if (earlier) {
      if (earlier.due <= due) return;
      earlier.end();
    }
    const end = clock.after(ms, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { due, end });
  }

  /** Forgets the failures of the key and its pending retry. What was added by others stays. */
  forget(key: string): void {
    this.#failing.get(key)?.delay?.end();
    this.#failing.delete(key);
  }

  /** Starts nothing more; resolves when what runs has ended. Keys that wait are dropped: they are found again on start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#ready.clear();
    this.#again.clear();
    for (const delay of this.#delayed.values()) delay.end();
    this.#delayed.clear();
    for (const { delay } of this.#failing.values()) delay?.end();
    this.#failing.clear();
    if (this.#running.size > 0) await new Promise<void>((resolve) => this.#drained.push(resolve));
  }

  /** Shows the queue in `metrics`. */
  publish(metrics: Metrics): void {
    const labels = { queue: this.name };
    metrics.readGauge('plumb_queue_depth', 'Keys that wait for a place.', labels, () => this.depth);
    metrics.readGauge('plumb_queue_in_flight', 'Keys that are processed now.', labels, () => this.inFlight);
    metrics.readGauge('plumb_queue_waiting', 'Keys whose time has not come.', labels, () => this.waiting);
    metrics.readCounter('plumb_queue_retries_total', 'Tries after a failure.', labels, () => this.retries);
    metrics.readCounter('plumb_queue_processed_total', 'Keys processed.', labels, () => this.processed);
  }

  /** Work starts in turns of its own, so that a long queue never keeps streams and timers from being served. */
  #wantTurn(): void {
    if (this.#turnWanted || this.#ready.size === 0 || this.#running.size >= this.#options.concurrency) return;
    this.#turnWanted = true;
    setImmediate(() => {
      this.#turnWanted = false;
      let begun = 0;
      for (const key of this.#ready) {
        if (this.#running.size >= this.#options.concurrency || begun === TURN) break;
        begun++;
        this.#ready.delete(key);
        this.#running.add(key);
        void this.#run(key);
      }
      this.#wantTurn();
    });
  }

  async #run(key: string): Promise<void> {
    try {
      const requeue = await this.#options.process(key);
      this.forget(key);
      if (requeue?.requeueAfterMs !== undefined) this.addAfter(key, requeue.requeueAfterMs);
    } catch (error) {
      this.#options.onError?.(key, error);
      this.#retry(key);
    } finally {
      this.#end(key);
    }
  }

  #end(key: string): void {
    this.#processed++;
    this.#running.delete(key);
    if (this.#again.delete(key)) this.#ready.add(key);
    this.#wantTurn();
    if (this.#stopped && this.#running.size === 0) {
      for (const resolve of this.#drained.splice(0)) resolve();
    }
  }

  #retry(key: string): void {
    if (this.#stopped) return;
    const failing = this.#failing.get(key) ?? { failures: 0, delay: undefined };
    const { clock, random } = this.#options;
    const ms = random.next() * Math.min(BACKOFF_MS.max, BACKOFF_MS.base * 2 ** failing.failures);
    failing.failures++;
    failing.delay?.end();
    this.#retries++;
    this.#failing.set(key, failing);
    // Someone added the key while it failed: it runs again at once, which is a retry too.
    if (this.#again.has(key)) {
      failing.delay = undefined;
      return;
    }
    const end = clock.after(ms, () => {
      failing.delay = undefined;
      this.add(key);
    });
    failing.delay = { due: clock.now() + ms, end };
  }
}

interface Delay {
  /** By the clock, in milliseconds since the epoch. */
  due: number;
  end: () => void;
}
