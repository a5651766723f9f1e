/**
 * Events as a store that is read: listed, selected and watched like every other object. The ring keeps what is known, the
 * store what changed of late. To record an event costs nothing but a place in that list: order and text are made for who
 * reads.
 */
import type { PlumbObject } from '@plumb/schemas';
import type { EventChange, EventRing, KeptEvent, PostedEvent } from '../../runtime/events.ts';
import { ConflictError, compacted, neverReached, storeClosed } from '../../store/errors.ts';
import { keys } from '../../store/keys.ts';
import type { Batch, Change, Committed, Entry, ListOptions, ListResult, Store, WatchBatch } from '../../store/store.ts';
import { WatchHub } from '../../store/watch-hub.ts';
import { EVENTS, eventText, keyOfEvent } from './event-entries.ts';

/** Changes that a watcher may be behind before it has to list again; up to twice as many are kept. */
const HISTORY = 4096;
/** Changes that a watcher reads from history at a time. */
const HISTORY_PART = 256;

interface Row {
  key: string;
  event: KeptEvent;
}

/** What was there at a revision, in the order of keys. */
interface View {
  revision: number;
  rows: readonly Row[];
}

const NOTHING_SEEN: View = { revision: -1, rows: [] };

export class EventStore implements Store {
  readonly #ring: EventRing;
  readonly #others: Pick<Store, 'get'>;
  readonly #hub: WatchHub;
  readonly #unfollow: () => void;
  /** The changes after `#oldest`, without a gap: what follows revision r is at r - #oldest. */
  #log: EventChange[] = [];
  #oldest: number;
  /** What was read last: the next page, or the next list, differs by little. */
  #view = NOTHING_SEEN;
  #closed = false;

  /** Follows the ring until `close`. `others`: where everything else is. */
  constructor(ring: EventRing, others: Pick<Store, 'get'> = NOTHING_ELSE) {
    this.#ring = ring;
    this.#others = others;
    this.#oldest = ring.revision;
    this.#hub = new WatchHub({
      revision: () => ring.revision,
      oldest: () => this.#oldest,
      history: (prefix, after) => this.#history(prefix, after),
    });
    this.#unfollow = ring.onChange((change) => this.#note(change));
  }

  async get(key: string): Promise<Entry | undefined> {
    this.#checkOpen();
    if (!key.startsWith(PREFIX)) return this.#others.get(key);
    const row = this.#row(key);
    return row && entryOf(row);
  }

  /** Only events are written here; what else a write depends on is looked at. */
  async commit({ preconditions, ops }: Batch): Promise<Committed> {
    this.#checkOpen();
    const wrong: string[] = [];
    for (const { key, revision } of preconditions)
      if (((await this.get(key))?.revision ?? 0) !== revision) wrong.push(key);
    if (wrong.length > 0) throw new ConflictError(wrong);
    let revision = this.#ring.revision;
    for (const op of ops) {
      if (!op.key.startsWith(PREFIX)) continue;
      const before = this.#row(op.key)?.event;
      if (op.type === 'put') revision = this.#ring.post(postedOf(op.value), before);
      else if (before) revision = this.#ring.remove(before);
    }
    return { revision };
  }

  async compact(): Promise<void> {}

  #row(key: string): Row | undefined {
    this.#ring.expire();
    const rows = this.#rowsAt(this.#ring.revision);
    const row = rows[firstNotBefore(rows, key)];
    return row?.key === key ? row : undefined;
  }

  async list(prefix: string, options: ListOptions = {}): Promise<ListResult> {
    this.#checkOpen();
    this.#ring.expire();
    const newest = this.#ring.revision;
    const { revision = newest, limit = Number.POSITIVE_INFINITY, after } = options;
    if (revision > newest) throw neverReached(revision, newest);
    if (revision < this.#oldest) throw compacted(revision, this.#oldest);
    const rows = this.#rowsAt(revision);
    const entries: Entry[] = [];
    const from = after !== undefined && after >= prefix ? after : prefix;
    for (let i = firstNotBefore(rows, from); i < rows.length && rows[i]!.key.startsWith(prefix); i++) {
      if (rows[i]!.key === after) continue;
      if (entries.length >= limit) {
        const rest = options.countRest ? firstNotBefore(rows, `${prefix}\uffff`) - i : undefined;
        return { entries, revision, more: true, ...(rest === undefined ? {} : { rest }) };
      }
      entries.push(entryOf(rows[i]!));
    }
    return { entries, revision, more: false };
  }

  watch(prefix: string, from: number, signal: AbortSignal): AsyncIterable<WatchBatch> {
    this.#checkOpen();
    return this.#hub.watch(prefix, from, signal);
  }

  revision(): number {
    return this.#ring.revision;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#unfollow();
    this.#hub.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw storeClosed();
  }

  #note(change: EventChange): void {
    this.#log.push(change);
    if (this.#log.length === 2 * HISTORY) {
      this.#log = this.#log.slice(HISTORY);
      this.#oldest += HISTORY;
      // It could not be brought to another revision any more, and would only keep events that are gone.
      if (this.#view.revision < this.#oldest) this.#view = NOTHING_SEEN;
    }
    if (this.#hub.size > 0) this.#hub.publish({ revision: change.revision, changes: [new LazyChange(change)] });
  }

  #history(prefix: string, after: number): { batches: WatchBatch[]; until: number } {
    const first = after - this.#oldest;
    const part = this.#log.slice(first, first + HISTORY_PART);
    const batches: WatchBatch[] = [];
    for (const logged of part) {
      const change = new LazyChange(logged);
      if (change.key.startsWith(prefix)) batches.push({ revision: logged.revision, changes: [change] });
    }
    return { batches, until: part.at(-1)?.revision ?? this.#ring.revision };
  }

  /** What was there at a revision that is kept. */
  #rowsAt(revision: number): readonly Row[] {
    if (this.#view.revision !== revision) {
      const from = this.#view.revision < this.#oldest ? this.#newestView() : this.#view;
      this.#view = { revision, rows: changed(from.rows, this.#difference(from.revision, revision)) };
    }
    return this.#view.rows;
  }

  #newestView(): View {
    const rows = this.#ring.list().map((event) => ({ key: keyOfEvent(event), event }));
    return { revision: this.#ring.revision, rows: rows.sort(byKey) };
  }

  /** By key, what is there at revision `to` of all that is not as it was at `from`. */
  #difference(from: number, to: number): Map<string, KeptEvent | undefined> {
    const difference = new Map<string, KeptEvent | undefined>();
    const part = this.#log.slice(Math.min(from, to) - this.#oldest, Math.max(from, to) - this.#oldest);
    for (const { before, after } of to > from ? part : part.reverse())
      difference.set(keyOfEvent((after ?? before)!), to > from ? after : before);
    return difference;
  }
}

/** A change whose texts are made when they are read, once for all who watch. */
class LazyChange implements Change {
  readonly key: string;
  readonly #change: EventChange;
  #value: string | undefined;
  #previous: string | undefined;

  constructor(change: EventChange) {
    this.key = keyOfEvent((change.after ?? change.before)!);
    this.#change = change;
  }

  get value(): string | undefined {
    this.#value ??= this.#change.after && eventText(this.#change.after);
    return this.#value;
  }

  get previous(): string | undefined {
    this.#previous ??= this.#change.before && eventText(this.#change.before);
    return this.#previous;
  }
}

const PREFIX = keys.kind(EVENTS);
const NOTHING_ELSE: Pick<Store, 'get'> = { get: async () => undefined };

function postedOf(text: string): Pick<PostedEvent, 'uid' | 'name' | 'namespace' | 'text'> {
  const { uid, name, namespace = '' } = (JSON.parse(text) as PlumbObject).metadata;
  return { uid, name, namespace, text };
}

function entryOf({ key, event }: Row): Entry {
  return { key, value: eventText(event), revision: event.revision };
}

/** The rows with the difference put in, in order. */
function changed(rows: readonly Row[], difference: Map<string, KeptEvent | undefined>): readonly Row[] {
  if (difference.size === 0) return rows;
  const result: Row[] = [];
  let next = 0;
  for (const key of [...difference.keys()].sort()) {
    const until = firstNotBefore(rows, key);
    while (next < until) result.push(rows[next++]!);
    if (rows[next]?.key === key) next++;
    const event = difference.get(key);
    if (event) result.push({ key, event });
  }
  while (next < rows.length) result.push(rows[next++]!);
  return result;
}

/** Index of the first row whose key is not smaller. */
function firstNotBefore(rows: readonly Row[], key: string): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (rows[middle]!.key < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

function byKey(a: Row, b: Row): number {
  return a.key < b.key ? -1 : 1;
}
