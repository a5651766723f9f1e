/**
 * Fetches that are under way. All who want the same image from the same place share one; it ends with its file, with its
 * failure, or when none of them waits any more.
 */
import { isDeepStrictEqual } from 'node:util';
import { type HostResource, type PlumbError, retryable } from '@plumb/schemas';
import type { Attention, Progress } from '../drivers/driver.ts';

/** Fetches the image; rejects with the signal's reason when that is aborted. */
export type Fetch = (
  resource: HostResource<'image'>,
  signal: AbortSignal,
  onProgress: (progress: Progress) => void,
) => Promise<void>;

interface UnderWay {
  resource: HostResource<'image'>;
  abort: AbortController;
  ended: Promise<void>;
  waiting: Set<Attention>;
}

export class Fetches {
  readonly #underWay = new Map<string, UnderWay>();
  readonly #fetch: Fetch;
  readonly #room: Room;

  /** `most`: how many bring bytes at the same time; the others wait for their turn. */
  constructor(most: number, fetch: Fetch) {
    this.#fetch = fetch;
    this.#room = new Room(most);
  }

  /**
   * Begins a fetch of the image, or joins one, and resolves or rejects with it. When another source of the same bytes is
   * being tried, or a fetch that was given up is still ending, only waits for the end of that, whatever comes of it.
   */
  async await(resource: HostResource<'image'>, attention: Attention): Promise<void> {
    const found = this.#underWay.get(resource.id);
    const joined =
      found === undefined || (!found.abort.signal.aborted && isDeepStrictEqual(found.resource.spec, resource.spec));
    const fetch = found ?? this.#begin(resource);
    if (!joined)
      return untilAborted(
        fetch.ended.catch(() => {}),
        attention.signal,
        resource.id,
      );
    fetch.waiting.add(attention);
    try {
      await untilAborted(fetch.ended, attention.signal, resource.id);
    } finally {
      fetch.waiting.delete(attention);
      if (fetch.waiting.size === 0) fetch.abort.abort(aborted(resource.id));
    }
  }

  /** Ends the fetch of this image, whoever waits for it, and resolves when it leaves nothing any more. */
  async end(id: string): Promise<void> {
    const fetch = this.#underWay.get(id);
    fetch?.abort.abort(aborted(id));
    await fetch?.ended.catch(() => {});
  }

  endAll(): void {
    for (const id of this.#underWay.keys()) void this.end(id);
  }

  #begin(resource: HostResource<'image'>): UnderWay {
    const abort = new AbortController();
    const waiting = new Set<Attention>();
    const tell = (progress: Progress) => {
      for (const { onProgress } of waiting) onProgress?.(progress);
    };
    const ended = this.#room
      .take(abort.signal, () => this.#fetch(resource, abort.signal, tell))
      .finally(() => this.#underWay.delete(resource.id));
    ended.catch(() => {}); // When nobody waits any more, nobody needs to hear of it.
    const fetch = { resource, abort, ended, waiting };
    this.#underWay.set(resource.id, fetch);
    return fetch;
  }
}

/** So many at a time, in the order of asking. */
class Room {
  #free: number;
  readonly #queue = new Set<() => void>();

  constructor(most: number) {
    this.#free = most;
  }

  async take<T>(signal: AbortSignal, run: () => Promise<T>): Promise<T> {
    if (this.#free === 0) await this.#wait(signal);
    else this.#free--;
    try {
      return await run();
    } finally {
      const [next] = this.#queue;
      if (next === undefined) this.#free++;
      else next();
    }
  }

  #wait(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = () => {
      this.#queue.delete(enter);
      reject(signal.reason);
    };
    const enter = () => {
      this.#queue.delete(enter);
      signal.removeEventListener('abort', leave);
      resolve();
    };
    this.#queue.add(enter);
    signal.addEventListener('abort', leave, { once: true });
    return promise;
  }
}

/** As `promise`, but for a signal that is aborted before: `Aborted` (retry). */
function untilAborted(promise: Promise<void>, signal: AbortSignal | undefined, id: string): Promise<void> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const give = () => reject(aborted(id));
    if (signal.aborted) return give();
    signal.addEventListener('abort', give, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', give));
  });
}

function aborted(id: string): PlumbError {
  return retryable('Aborted', `the fetch of image ${id} was ended: nobody waits for it any more`);
}
