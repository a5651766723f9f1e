/**
 * The store: objects by key, each write at a revision. Opaque to what the values mean.
 *
 * Promises every backend keeps (conformance.ts proves them):
 * - a batch is atomic, at most {@link MAX_BATCH_KEYS} keys and {@link MAX_BATCH_BYTES}, one revision, greater than all before;
 * - batches that arrive together may share one durability barrier, and each one's preconditions fail alone;
 * - `commit` resolves after the batch is durable and watchers of this process were told, never before;
 * - `list` and `watch` see whole batches; `list` at a revision that is not yet compacted sees exactly that revision.
 */
export interface Store {
  get(key: string): Promise<Entry | undefined>;
  /** Entries whose key begins with `prefix`, in key order (UTF-16 code units). */
  list(prefix: string, options?: ListOptions): Promise<ListResult>;
  /**
   * Changes under `prefix` after revision `from`, in order, until `signal` aborts. One item per commit.
   * Throws PlumbError `Compacted` (retry) when `from` is older than the history that is kept.
   * A watcher that does not keep up is ended with PlumbError `SlowWatcher` (retry): list again.
   */
  watch(prefix: string, from: number, signal: AbortSignal): AsyncIterable<WatchBatch>;
  /**
   * Makes the batch durable. Rejects with {@link ConflictError} when a precondition does not hold, and with
   * PlumbError `StoreUnavailable` (retry) when it cannot be made durable: then nothing of it is visible.
   *
   * `onApplied` is told when the batch has its revision, in the order of commits, before it is durable: what is committed
   * from then on may build on it, since it becomes durable only together with it or after. Nobody else may be told.
   */
  commit(batch: Batch, onApplied?: (revision: number) => void): Promise<Committed>;
  /** Revision of the last commit; 0 for a store that never held anything. */
  revision(): number;
  /** Forgets history before `revision`; current entries stay. */
  compact(revision: number): Promise<void>;
  close(): Promise<void>;
}

/** What a store must be to be read only. */
export type ReadableStore = Pick<Store, 'get' | 'list' | 'watch' | 'revision'>;

/** Below etcd's default `--max-txn-ops` of 128, so that every batch fits one etcd transaction, with room for what a backend adds. */
export const MAX_BATCH_KEYS = 120;

/** Bytes of keys and values of all that a batch writes: below etcd's default of 1.5 MiB for a request. */
export const MAX_BATCH_BYTES = 1024 * 1024;

/** Where one write is larger by itself, as an object may be, what is written beside it has at most so many bytes. */
export const MAX_BYTES_BESIDE_ONE = 64 * 1024;

export interface Entry {
  key: string;
  value: string;
  /** Revision of the commit that wrote this value. */
  revision: number;
}

export interface ListOptions {
  /** Read as of this revision; the newest, if absent. */
  revision?: number;
  /** At most this many entries. */
  limit?: number;
  /** Only keys greater than this one: the last key of the page before. */
  after?: string;
  /** Whether to say how many entries lie beyond the limit; of the newest revision alone. */
  countRest?: boolean;
}

export interface ListResult {
  entries: Entry[];
  /** The revision that was read. */
  revision: number;
  more: boolean;
  /** Entries beyond the limit, where that was asked for and is known. */
  rest?: number;
}

export interface WatchBatch {
  revision: number;
  changes: Change[];
}

export interface Change {
  key: string;
  /** The new value; undefined when the key was deleted. */
  value: string | undefined;
  /** The value before; undefined when the key was created. */
  previous: string | undefined;
}

export interface Batch {
  /** All must hold, or nothing is written. */
  preconditions: Precondition[];
  /** Each key at most once. */
  ops: Op[];
}

/** The key was last written at exactly this revision; 0: the key does not exist. */
export interface Precondition {
  key: string;
  revision: number;
}

export type Op = { type: 'put'; key: string; value: string } | { type: 'delete'; key: string };

export interface Committed {
  revision: number;
}
