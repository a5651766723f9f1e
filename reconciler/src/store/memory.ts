import { checkBatch } from './check.ts';
import { ConflictError, compacted, neverReached, storeClosed } from './errors.ts';
import type { Batch, Change, Committed, Entry, ListOptions, ListResult, Store, WatchBatch } from './store.ts';
import { under, WatchHub } from './watch-hub.ts';

export interface MemoryStoreOptions {
  /** Commits that a watcher may be behind before it is ended. */
  watchBuffer?: number;
}

/** A store that forgets everything when the process ends: for tests and simulations. Keeps history until `compact`. */
export class MemoryStore implements Store {
  readonly #entries = new Map<string, Entry>();
  /** Every key of `#entries`, sorted. */
  readonly #keys: string[] = [];
  /** Commits after `#oldest`, in order. */
  #log: Logged[] = [];
  #revision = 0;
  #oldest = 0;
  #closed = false;
  readonly #hub: WatchHub;

  constructor(options: MemoryStoreOptions = {}) {
    this.#hub = new WatchHub(
      {
        revision: () => this.#revision,
        oldest: () => this.#oldest,
        history: (prefix, after) => this.#history(prefix, after),
      },
      options.watchBuffer,
    );
  }

  async get(key: string): Promise<Entry | undefined> {
    this.#checkOpen();
    const entry = this.#entries.get(key);
    return entry && { ...entry };
  }

  async list(prefix: string, options: ListOptions = {}): Promise<ListResult> {
    this.#checkOpen();
    const { revision = this.#revision, limit = Number.POSITIVE_INFINITY, after } = options;
    if (revision > this.#revision) throw neverReached(revision, this.#revision);
    if (revision < this.#oldest) throw compacted(revision, this.#oldest);
    const source = revision === this.#revision ? this.#current(prefix, after) : this.#asOf(prefix, revision, after);
    const entries: Entry[] = [];
    let rest = 0;
    for (const entry of source) {
      if (entries.length < limit) entries.push({ ...entry });
      else if (options.countRest && revision === this.#revision) rest++;
      else return { entries, revision, more: true };
    }
    if (rest > 0) return { entries, revision, more: true, rest };
    return { entries, revision, more: false };
  }

  watch(prefix: string, from: number, signal: AbortSignal): AsyncIterable<WatchBatch> {
    this.#checkOpen();
    return this.#hub.watch(prefix, from, signal);
  }

  async commit(batch: Batch, onApplied?: (revision: number) => void): Promise<Committed> {
    this.#checkOpen();
    checkBatch(batch);
    const wrong = batch.preconditions.filter((p) => (this.#entries.get(p.key)?.revision ?? 0) !== p.revision);
    if (wrong.length > 0) throw new ConflictError(wrong.map((p) => p.key));

    const revision = this.#revision + 1;
    const changes: LoggedChange[] = [];
    for (const op of batch.ops) {
      const before = this.#entries.get(op.key);
      const value = op.type === 'put' ? op.value : undefined;
      if (value === undefined && !before) continue;
      changes.push({ key: op.key, value, previous: before?.value, before });
      if (value === undefined) this.#drop(op.key);
      else this.#put({ key: op.key, value, revision });
    }
    if (changes.length === 0) {
      onApplied?.(this.#revision);
      return { revision: this.#revision };
    }
    this.#revision = revision;
    this.#log.push({ revision, changes });
    onApplied?.(revision);
    this.#hub.publish({ revision, changes: changes.map(toChange) });
    return { revision };
  }

  revision(): number {
    return this.#revision;
  }

  async compact(revision: number): Promise<void> {
    this.#checkOpen();
    if (revision > this.#revision) throw neverReached(revision, this.#revision);
    if (revision <= this.#oldest) return;
    this.#log = this.#log.filter((batch) => batch.revision > revision);
    this.#oldest = revision;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#hub.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw storeClosed();
  }

  #put(entry: Entry): void {
    if (!this.#entries.has(entry.key)) this.#keys.splice(this.#firstNotBefore(entry.key), 0, entry.key);
    this.#entries.set(entry.key, entry);
  }

  #drop(key: string): void {
    this.#keys.splice(this.#firstNotBefore(key), 1);
    this.#entries.delete(key);
  }

  /** Index in `#keys` of the first key that is not smaller than `key`. */
  #firstNotBefore(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#keys[middle] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  *#current(prefix: string, after: string | undefined): Iterable<Entry> {
    const start = after !== undefined && after >= prefix ? after : prefix;
    for (let i = this.#firstNotBefore(start); i < this.#keys.length; i++) {
      const key = this.#keys[i] as string;
      if (!key.startsWith(prefix)) return;
      if (key !== after) yield this.#entries.get(key) as Entry;
    }
  }

  /** What was there at `revision`: what is there now, with the later commits undone. */
  #asOf(prefix: string, revision: number, after: string | undefined): Iterable<Entry> {
    const entries = new Map<string, Entry>();
    for (const entry of this.#current(prefix, undefined)) entries.set(entry.key, entry);
    for (const batch of this.#log.toReversed()) {
      if (batch.revision <= revision) break;
      for (const { key, before } of batch.changes) {
        if (!key.startsWith(prefix)) continue;
        if (before) entries.set(key, before);
        else entries.delete(key);
      }
    }
    return [...entries.values()]
      .filter((entry) => after === undefined || entry.key > after)
      .sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  #history(prefix: string, after: number): { batches: WatchBatch[]; until: number } {
    const first = this.#log.findIndex((batch) => batch.revision > after);
    const part = first === -1 ? [] : this.#log.slice(first, first + HISTORY_PART);
    const batches = part
      .map((batch) => ({ revision: batch.revision, changes: under(prefix, batch.changes.map(toChange)) }))
      .filter((batch) => batch.changes.length > 0);
    return { batches, until: part.length < HISTORY_PART ? this.#revision : (part.at(-1) as Logged).revision };
  }
}

/** Commits that a watcher reads from history at a time. */
const HISTORY_PART = 256;

interface LoggedChange extends Change {
  before: Entry | undefined;
}

interface Logged {
  revision: number;
  changes: LoggedChange[];
}

function toChange({ key, value, previous }: LoggedChange): Change {
  return { key, value, previous };
}
