/**
 * A store whose secret records are encrypted in the one beneath. Who uses it sees them in clear; what cannot be decrypted is seen
 * as it lies there, and is then no object of its kind.
 */
import { checkBatch } from '../check.ts';
import { keys } from '../keys.ts';
import type { Batch, Change, Committed, Entry, ListOptions, ListResult, Op, Store, WatchBatch } from '../store.ts';
import type { KeyRing } from './key-ring.ts';

/** Where what is encrypted lies. */
export const SECRET_PREFIXES: readonly string[] = [
  keys.kind('secrets'),
  keys.control('hash-key'),
  // What objects were before a commit, secrets among them.
  keys.gitCommits,
  keys.stateHeads,
  keys.stateParts,
];

/** What only a change of the key makes worth reading at a start: there may be much of it. */
const LARGE_PREFIXES: readonly string[] = [keys.stateParts];
const SEALED_WITH = keys.control('parts-sealed-with');
/** Records of a page: each is as large as a commit. */
const LARGE_PAGE = 4;

export class SealedStore implements Store {
  readonly #store: Store;
  readonly #ring: KeyRing;
  readonly #prefixes: readonly string[];

  constructor(store: Store, ring: KeyRing, prefixes = SECRET_PREFIXES) {
    this.#store = store;
    this.#ring = ring;
    this.#prefixes = prefixes;
  }

  async get(key: string): Promise<Entry | undefined> {
    const entry = await this.#store.get(key);
    return entry && this.#opened(entry);
  }

  async list(prefix: string, options?: ListOptions): Promise<ListResult> {
    const result = await this.#store.list(prefix, options);
    if (!this.#mayHoldSecrets(prefix)) return result;
    return { ...result, entries: result.entries.map((entry) => this.#opened(entry)) };
  }

  watch(prefix: string, from: number, signal: AbortSignal): AsyncIterable<WatchBatch> {
    const batches = this.#store.watch(prefix, from, signal);
    if (!this.#mayHoldSecrets(prefix)) return batches;
    return {
      [Symbol.asyncIterator]: () => {
        const iterator = batches[Symbol.asyncIterator]();
        const opened = (next: IteratorResult<WatchBatch>) =>
          next.done ? next : { value: this.#openedBatch(next.value) };
        return {
          next: () => iterator.next().then(opened),
          ...(iterator.return ? { return: () => iterator.return!() } : {}),
        };
      },
    };
  }

  async commit(batch: Batch, onApplied?: (revision: number) => void): Promise<Committed> {
    if (!batch.ops.some(({ key }) => this.#isSecret(key))) return this.#store.commit(batch, onApplied);
    checkBatch(batch);
    const committed = await this.#store.commit({ ...batch, ops: batch.ops.map((op) => this.#sealed(op)) }, onApplied);
    return committed;
  }

  revision(): number {
    return this.#store.revision();
  }

  compact(revision: number): Promise<void> {
    return this.#store.compact(revision);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #sealed(op: Op): Op {
    return op.type === 'put' && this.#isSecret(op.key) ? { ...op, value: this.#ring.seal(op.key, op.value) } : op;
  }

  #opened(entry: Entry): Entry {
    if (!this.#isSecret(entry.key)) return entry;
    return { ...entry, value: this.#ring.open(entry.key, entry.value) ?? entry.value };
  }

  #openedBatch(batch: WatchBatch): WatchBatch {
    if (!batch.changes.some(({ key }) => this.#isSecret(key))) return batch;
    return {
      ...batch,
      changes: batch.changes.map((change) => (this.#isSecret(change.key) ? this.#change(change) : change)),
    };
  }

  #change({ key, value, previous }: Change): Change {
    const open = (text: string | undefined) => (text === undefined ? undefined : (this.#ring.open(key, text) ?? text));
    return { key, value: open(value), previous: open(previous) };
  }

  #isSecret(key: string): boolean {
    return this.#prefixes.some((prefix) => key.startsWith(prefix));
  }

  /** Whether keys with the prefix may be those of secrets. */
  #mayHoldSecrets(prefix: string): boolean {
    return this.#prefixes.some((secret) => secret.startsWith(prefix) || prefix.startsWith(secret));
  }
}

export interface Resealed {
  /** Records that were encrypted with another key than the first one, or not at all, and are with it now. */
  renewed: number;
  /** Keys of records that cannot be decrypted. */
  unreadable: string[];
}

/** Encrypts with the first key what is not yet: after the key file has got a new first line. `store`: the one beneath. */
export async function reseal(store: Store, ring: KeyRing): Promise<Resealed> {
  const result: Resealed = { renewed: 0, unreadable: [] };
  const note = await store.get(SEALED_WITH);
  const small = SECRET_PREFIXES.filter((prefix) => !LARGE_PREFIXES.includes(prefix));
  await resealUnder(store, ring, small, 100, result);
  if (note?.value === ring.currentId) return result;
  await resealUnder(store, ring, LARGE_PREFIXES, LARGE_PAGE, result);
  // The key of what cannot be decrypted may be added to the file, and taken out again once it is not needed.
  if (result.unreadable.length > 0) return result;
  const ops = [{ type: 'put' as const, key: SEALED_WITH, value: ring.currentId }];
  await store.commit({ preconditions: [{ key: SEALED_WITH, revision: note?.revision ?? 0 }], ops });
  return result;
}

async function resealUnder(
  store: Store,
  ring: KeyRing,
  prefixes: readonly string[],
  limit: number,
  result: Resealed,
): Promise<void> {
  for (const prefix of prefixes)
    for (let after: string | undefined; ; ) {
      const { entries, more } = await store.list(prefix, { limit, ...(after === undefined ? {} : { after }) });
      for (const { key, value, revision } of entries) {
        // What can be decrypted is what the current key sealed, or an earlier one.
        const text = ring.open(key, value);
        if (text === undefined) result.unreadable.push(key);
        else if (!ring.isCurrent(value)) {
          // One at a time: each may be as large as a commit.
          const ops = [{ type: 'put' as const, key, value: ring.seal(key, text) }];
          await store.commit({ preconditions: [{ key, revision }], ops });
          result.renewed++;
        }
      }
      after = entries.at(-1)?.key;
      if (!more) break;
    }
}
