/** What outlives the control plane: everything that was committed, and nothing else. */
import { storeUnavailable } from '@plumb/reconciler/store/errors.ts';
import { MemoryStore } from '@plumb/reconciler/store/memory.ts';
import type {
  Batch,
  Committed,
  Entry,
  ListOptions,
  ListResult,
  Store,
  WatchBatch,
} from '@plumb/reconciler/store/store.ts';
import type { SimProcess } from '../core/process.ts';
import type { Fate } from './fates.ts';

export class StoreDisk {
  memory = new MemoryStore();
  /** What is durable now, readable at once. */
  entries = new Map<string, { value: string; revision: number }>();
  /** Every batch that changed something, in order. */
  batches: Batch[] = [];
  /** Told of every batch that changed something. */
  onApply: (batch: Batch, revision: number) => void = () => {};

  /** Applies the batch at once. `applied`: whether it changed anything. */
  apply(batch: Batch, onApplied?: (revision: number) => void): { committed: Promise<Committed>; applied: boolean } {
    const before = this.memory.revision();
    const committed = this.memory.commit(batch, onApplied);
    const revision = this.memory.revision();
    committed.catch(() => {});
    if (revision === before) return { committed, applied: false };
    this.batches.push(batch);
    for (const op of batch.ops)
      if (op.type === 'put') this.entries.set(op.key, { value: op.value, revision });
      else this.entries.delete(op.key);
    this.onApply(batch, revision);
    return { committed, applied: true };
  }

  /** The disk is put back as it was after its first `count` batches; with 0 it is empty. No process may be using it. */
  restore(count: number): void {
    const batches = this.batches.slice(0, count);
    const { onApply } = this;
    this.onApply = () => {};
    this.memory = new MemoryStore();
    this.entries = new Map();
    this.batches = [];
    for (const batch of batches) this.apply({ preconditions: [], ops: batch.ops });
    this.onApply = onApply;
  }
}

export interface ProcessStoreOptions {
  disk: StoreDisk;
  process: SimProcess;
  /** How long the disk takes for a batch, in milliseconds. */
  latency(): number;
  /** Asked before and after a batch becomes durable. The process may be dead when it returns. */
  fate(when: 'before' | 'after', batch: Batch): Fate | undefined;
}

interface Pending {
  batch: Batch;
  onApplied: ((revision: number) => void) | undefined;
  resolve: (committed: Committed | Promise<Committed>) => void;
  reject: (error: Error) => void;
}

/** The store as one life of the control plane sees it. A batch that waits for the disk is lost when the process ends. */
export class ProcessStore implements Store {
  readonly #options: ProcessStoreOptions;
  readonly #memory: MemoryStore;
  #pending: Pending[] = [];
  #syncing = false;

  constructor(options: ProcessStoreOptions) {
    this.#options = options;
    this.#memory = options.disk.memory;
  }

  get(key: string): Promise<Entry | undefined> {
    return this.#whileAlive(() => this.#memory.get(key));
  }

  list(prefix: string, options?: ListOptions): Promise<ListResult> {
    return this.#whileAlive(() => this.#memory.list(prefix, options));
  }

  watch(prefix: string, from: number, signal: AbortSignal): AsyncIterable<WatchBatch> {
    const { process } = this.#options;
    const ended = new AbortController();
    signal.addEventListener('abort', () => ended.abort());
    process.onEnd(() => ended.abort());
    const inner = this.#memory.watch(prefix, from, ended.signal)[Symbol.asyncIterator]();
    const iterator: AsyncIterableIterator<WatchBatch> = {
      [Symbol.asyncIterator]: () => iterator,
      next: () => process.whileAlive(inner.next()),
      return: async () => (await inner.return?.()) ?? { done: true, value: undefined },
    };
    return iterator;
  }

  commit(batch: Batch, onApplied?: (revision: number) => void): Promise<Committed> {
    return new Promise((resolve, reject) => {
      if (!this.#options.process.alive) return;
      this.#pending.push({ batch, onApplied, resolve, reject });
      this.#sync();
    });
  }

  revision(): number {
    return this.#memory.revision();
  }

  compact(revision: number): Promise<void> {
    return this.#whileAlive(() => this.#memory.compact(revision));
  }

  async close(): Promise<void> {}

  #whileAlive<T>(read: () => Promise<T>): Promise<T> {
    const { process } = this.#options;
    return process.alive ? process.whileAlive(read()) : new Promise(() => {});
  }

  /** What arrives while the disk is busy waits for the next time, as in a real group commit. */
  #sync(): void {
    if (this.#syncing) return;
    this.#syncing = true;
    const { process, latency } = this.#options;
    process.ambient.clock.after(latency(), () => {
      const group = this.#pending;
      this.#pending = [];
      for (const pending of group) this.#write(pending);
      this.#syncing = false;
      if (this.#pending.length > 0) this.#sync();
    });
  }

  #write({ batch, onApplied, resolve, reject }: Pending): void {
    const { process, disk, fate } = this.#options;
    if (!process.alive) return;
    const failed = fate('before', batch) === 'fail';
    if (!process.alive) return;
    if (failed) {
      reject(storeUnavailable('make the change durable', new Error('the simulated disk was told to fail')));
      return;
    }
    const { committed, applied } = disk.apply(batch, onApplied);
    if (applied) fate('after', batch);
    if (process.alive) process.whileAlive(committed).then(resolve, reject);
  }
}
