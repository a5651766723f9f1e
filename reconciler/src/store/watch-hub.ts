import { compacted, neverReached, slowWatcher } from './errors.ts';
import type { Change, WatchBatch } from './store.ts';

/** Commits that a watcher may be behind before it is ended. */
export const WATCH_BUFFER = 10_000;

/** What a hub needs from its store. All of it answers at once, so that nothing can come between two reads. */
export interface WatchSource {
  revision(): number;
  /** The oldest revision from which a watch can start. */
  oldest(): number;
  /** Whole commits with changes under `prefix` after `after`, in order: some of them, and how far they reach. */
  history(prefix: string, after: number): { batches: WatchBatch[]; until: number };
}

/**
 * The watchers of a store. A watcher begins by reading history at its own pace, and is told of new commits from the
 * moment in which it has read the newest one: nothing is missed and nothing comes twice.
 */
export class WatchHub {
  readonly #source: WatchSource;
  readonly #bufferedCommits: number;
  /** Live watchers by prefix: a commit is looked through once per prefix, not once per watcher. */
  readonly #live = new Map<string, Set<Watcher>>();
  readonly #all = new Set<Watcher>();

  constructor(source: WatchSource, bufferedCommits = WATCH_BUFFER) {
    this.#source = source;
    this.#bufferedCommits = bufferedCommits;
  }

  /** As Store.watch. */
  watch(prefix: string, from: number, signal: AbortSignal): AsyncIterable<WatchBatch> {
    const watcher = new Watcher(prefix, from, this.#source, this.#bufferedCommits, {
      live: () => this.#add(watcher),
      ended: () => this.#remove(watcher, signal, abort),
    });
    const abort = () => watcher.end();
    this.#all.add(watcher);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) watcher.end();
    return watcher;
  }

  /** Tells the live watchers of a commit. */
  publish(batch: WatchBatch): void {
    for (const [prefix, watchers] of this.#live) {
      const changes = under(prefix, batch.changes);
      if (changes.length === 0) continue;
      const part = changes.length === batch.changes.length ? batch : { revision: batch.revision, changes };
      for (const watcher of watchers) watcher.push(part);
    }
  }

  /** Ends every watch, as if its signal had been aborted. */
  close(): void {
    for (const watcher of this.#all) watcher.end();
  }

  /** How many watches are open. */
  get size(): number {
    return this.#all.size;
  }

  #add(watcher: Watcher): void {
    const watchers = this.#live.get(watcher.prefix);
    if (watchers) watchers.add(watcher);
    else this.#live.set(watcher.prefix, new Set([watcher]));
  }

  #remove(watcher: Watcher, signal: AbortSignal, abort: () => void): void {
    signal.removeEventListener('abort', abort);
    this.#all.delete(watcher);
    const watchers = this.#live.get(watcher.prefix);
    if (watchers?.delete(watcher) && watchers.size === 0) this.#live.delete(watcher.prefix);
  }
}

/** The changes whose key begins with `prefix`. */
export function under(prefix: string, changes: Change[]): Change[] {
  return changes.filter((change) => change.key.startsWith(prefix));
}

type Result = IteratorResult<WatchBatch, undefined>;

class Watcher implements AsyncIterableIterator<WatchBatch, undefined> {
  readonly prefix: string;
  readonly #source: WatchSource;
  readonly #limit: number;
  readonly #on: { live: () => void; ended: () => void };
  /** Everything up to this revision was read; meaningful until the watcher is live. */
  #position: number;
  #live = false;
  #ended = false;
  #failure: Error | undefined;
  #buffer: WatchBatch[] = [];
  #read = 0;
  #waiting: ((result: Result) => void)[] = [];

  constructor(
    prefix: string,
    from: number,
    source: WatchSource,
    limit: number,
    on: { live: () => void; ended: () => void },
  ) {
    this.prefix = prefix;
    this.#position = from;
    this.#source = source;
    this.#limit = limit;
    this.#on = on;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** A commit that is newer than all that were read. */
  push(batch: WatchBatch): void {
    const waiting = this.#waiting.shift();
    if (waiting) {
      waiting({ done: false, value: batch });
      return;
    }
    this.#buffer.push(batch);
    const pending = this.#buffer.length - this.#read;
    if (pending > this.#limit) this.#fail(slowWatcher(pending));
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#buffer = [];
    this.#read = 0;
    this.#on.ended();
    for (const resolve of this.#waiting.splice(0)) resolve({ done: true, value: undefined });
  }

  /** Not `async`: whoever waits is told in the very turn of the commit. */
  next(): Promise<Result> {
    if (!this.#live && !this.#ended && this.#read === this.#buffer.length) this.#readHistory();
    if (this.#failure) {
      const failure = this.#failure;
      this.#failure = undefined;
      return Promise.reject(failure);
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    const batch = this.#take();
    if (batch) return Promise.resolve({ done: false, value: batch });
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async return(): Promise<Result> {
    this.end();
    return { done: true, value: undefined };
  }

  #take(): WatchBatch | undefined {
    const batch = this.#buffer[this.#read];
    if (!batch) return undefined;
    this.#read++;
    if (this.#read === this.#buffer.length) {
      this.#buffer = [];
      this.#read = 0;
    } else if (this.#read === 1024) {
      this.#buffer.splice(0, this.#read);
      this.#read = 0;
    }
    return batch;
  }

  #fail(error: Error): void {
    this.#failure = error;
    this.end();
  }

  /** Fills the empty buffer with the next part of history, or goes live when there is none. */
  #readHistory(): void {
    try {
      const newest = this.#source.revision();
      const oldest = this.#source.oldest();
      if (this.#position > newest) throw neverReached(this.#position, newest);
      if (this.#position < oldest) throw compacted(this.#position, oldest);
      while (this.#buffer.length === 0 && this.#position < newest) {
        const { batches, until } = this.#source.history(this.prefix, this.#position);
        this.#buffer = batches;
        this.#position = until;
      }
      if (this.#buffer.length === 0) {
        this.#live = true;
        this.#on.live();
      }
    } catch (error) {
      this.#fail(error as Error);
    }
  }
}
