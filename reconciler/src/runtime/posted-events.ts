/** Events that clients have posted, bounded in bytes: when there is no room, the namespace that has most of it gives up its oldest. */
import type { PostedEvent } from './events.ts';

interface Shelf {
  bytes: number;
  /** By name, the oldest first. */
  events: Map<string, PostedEvent>;
}

/** What an event costs beside its text. */
const OVERHEAD = 512;

export class PostedEvents {
  readonly #most: number;
  readonly #shelves = new Map<string, Shelf>();
  #bytes = 0;

  constructor(mostBytes: number) {
    this.#most = mostBytes;
  }

  /** Returns those that had to go. The new one stays, unless it is too large by itself. */
  put(event: PostedEvent): PostedEvent[] {
    const { namespace, name } = event;
    const shelf = this.#shelves.getOrInsertComputed(namespace, () => ({ bytes: 0, events: new Map() }));
    shelf.events.set(name, event);
    this.#count(shelf, sizeOf(event));
    const gone: PostedEvent[] = [];
    while (this.#bytes > this.#most) {
      const fullest = [...this.#shelves.values()].reduce((a, b) => (b.bytes > a.bytes ? b : a));
      const [oldest] = fullest.events.values();
      this.remove(oldest!);
      gone.push(oldest!);
    }
    return gone;
  }

  remove({ namespace, name }: PostedEvent): void {
    const shelf = this.#shelves.get(namespace);
    const known = shelf?.events.get(name);
    if (!shelf || !known) return;
    shelf.events.delete(name);
    this.#count(shelf, -sizeOf(known));
    if (shelf.events.size === 0) this.#shelves.delete(namespace);
  }

  /** Takes out what happened last before `until`, in milliseconds. */
  expire(until: number): PostedEvent[] {
    const gone: PostedEvent[] = [];
    for (const { events } of this.#shelves.values())
      for (const event of events.values()) {
        if (event.lastAt >= until) break;
        gone.push(event);
      }
    for (const event of gone) this.remove(event);
    return gone;
  }

  *list(): Generator<PostedEvent> {
    for (const { events } of this.#shelves.values()) yield* events.values();
  }

  #count(shelf: Shelf, bytes: number): void {
    shelf.bytes += bytes;
    this.#bytes += bytes;
  }
}

function sizeOf({ text }: PostedEvent): number {
  return OVERHEAD + 2 * text.length;
}
