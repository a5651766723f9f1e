/**
 * One watch of the store for everything that follows it in memory: objects, flows, allocations. All are loaded at one
 * revision, and each commit reaches all of them in one turn, whoever made it. So what is asked of two of them fits together.
 *
 *   const feed = new StoreFeed(store, [journal, cache, index]);
 *   await feed.load(signal);          // all show one revision
 *   await feed.follow(signal, onEnd); // and every commit from there on
 */
import { PlumbError, retryable } from '@plumb/schemas';
import type { Follower } from '../store/follower.ts';
import { pages } from '../store/pages.ts';
import type { Entry, Store, WatchBatch } from '../store/store.ts';
import { unhurriedPages } from './unhurried.ts';

/** Beginning of all keys. */
const EVERYTHING = '/';

export class StoreFeed {
  readonly #store: Store;
  readonly #followers: readonly Follower[];
  readonly #listeners = new Set<() => void>();
  #begun = false;
  #giving = false;
  #seen = 0;
  #ended = false;
  #waiting: { revision: number; resolve: () => void; reject: (error: PlumbError) => void }[] = [];

  /** They are loaded, and told, in this order. */
  constructor(store: Store, followers: readonly Follower[]) {
    this.#store = store;
    this.#followers = followers;
  }

  /** Loads everything that the store holds at one revision. Rejects with what `signal` is aborted with. */
  load(signal: AbortSignal): Promise<void> {
    return this.#untilKept(() => this.#loadPageByPage(signal));
  }

  /**
   * Follows the store from what was loaded, until `signal` aborts. Resolves when all followers show what the store held when it was
   * called. `onEnd` is told why it cannot follow any more.
   */
  follow(signal: AbortSignal, onEnd: (error: PlumbError) => void): Promise<void> {
    void this.#follow(signal)
      .catch((error) => {
        if (!signal.aborted) onEnd(PlumbError.from(error, 'the watch of the store'));
      })
      .finally(() => this.#end());
    return this.upToDate();
  }

  /** Whether some of a commit was given, and not yet all: who asks several followers waits for {@link onReached}. */
  get isGiving(): boolean {
    return this.#giving;
  }

  /** Calls `listener` each time when all followers show whole commits again. */
  onReached(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Resolves when all followers show the last commit of the store. Rejects as {@link shows}. */
  upToDate(): Promise<void> {
    return this.shows(this.#store.revision());
  }

  /**
   * Resolves when all followers show the commit at `revision`. Rejects with PlumbError `StoreUnavailable` (retry) when the
   * store is followed no more: what was committed is durable all the same.
   */
  shows(revision: number): Promise<void> {
    if (this.#seen >= revision) return Promise.resolve();
    if (this.#ended) return Promise.reject(followsNoMore());
    return new Promise((resolve, reject) => this.#waiting.push({ revision, resolve, reject }));
  }

  /** So many commits may come meanwhile that the revision that is read is no longer kept. */
  async #untilKept(load: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await load();
      } catch (error) {
        if (!(error instanceof PlumbError) || error.reason !== 'Compacted') throw error;
      }
    }
  }

  async #loadPageByPage(signal: AbortSignal): Promise<void> {
    let revision: number | undefined;
    const first = !this.#begun;
    this.#begun = true;
    for (const follower of this.#followers) {
      const present = new Set<string>();
      for await (const page of unhurriedPages(this.#store, follower.prefix, signal, revision)) {
        revision = page.revision;
        for (const entry of page.entries) {
          if (!first) present.add(entry.key);
          if (first || isNews(follower, entry)) follower.take(entry.key, entry.value, entry.revision, true);
        }
      }
      if (!first) takeGone(follower, present, revision!);
    }
    this.#reached(revision ?? this.#store.revision(), true);
  }

  /** Who looks at the followers meanwhile must never see a commit in halves: all is read first, and then given in one turn. */
  async #loadAgain(): Promise<void> {
    let revision: number | undefined;
    const read: { follower: Follower; news: Entry[]; present: Set<string> }[] = [];
    for (const follower of this.#followers) {
      const [news, present]: [Entry[], Set<string>] = [[], new Set()];
      for await (const page of pages(this.#store, follower.prefix, revision)) {
        revision = page.revision;
        for (const entry of page.entries) {
          present.add(entry.key);
          if (isNews(follower, entry)) news.push(entry);
        }
      }
      read.push({ follower, news, present });
    }
    this.#giving = true;
    for (const { follower, news, present } of read) {
      for (const entry of news)
        if (isNews(follower, entry)) follower.take(entry.key, entry.value, entry.revision, false);
      takeGone(follower, present, revision!);
    }
    this.#reached(revision!, true);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted)
      try {
        for await (const batch of this.#store.watch(EVERYTHING, this.#seen, signal)) this.#give(batch);
      } catch (error) {
        const reason = error instanceof PlumbError ? error.reason : undefined;
        if (reason !== 'Compacted' && reason !== 'SlowWatcher') throw error;
        await this.#untilKept(() => this.#loadAgain());
      }
  }

  #give({ revision, changes }: WatchBatch): void {
    this.#giving = true;
    for (const { key, value } of changes)
      for (const follower of this.#followers)
        if (key.startsWith(follower.prefix)) follower.take(key, value, revision, false);
    this.#reached(revision, false);
  }

  #reached(revision: number, loaded: boolean): void {
    this.#seen = revision;
    for (const follower of this.#followers) follower.reached?.(revision, loaded);
    this.#giving = false;
    for (const listener of this.#listeners) listener();
    if (this.#waiting.length === 0) return;
    const due = this.#waiting.filter((w) => w.revision <= revision);
    this.#waiting = this.#waiting.filter((w) => w.revision > revision);
    for (const { resolve } of due) resolve();
  }

  #end(): void {
    this.#ended = true;
    for (const { reject } of this.#waiting.splice(0)) reject(followsNoMore());
  }
}

function isNews(follower: Follower, { key, revision }: Entry): boolean {
  return (follower.knownRevision(key) ?? 0) < revision;
}

/** What was known and was not there any more at `revision`. */
function takeGone(follower: Follower, present: ReadonlySet<string>, revision: number): void {
  for (const key of [...follower.knownKeys()])
    if (!present.has(key) && follower.knownRevision(key)! <= revision) follower.take(key, undefined, revision, false);
}

function followsNoMore(): PlumbError {
  return retryable('StoreUnavailable', 'the server is ending, and does not look at the store any more');
}
