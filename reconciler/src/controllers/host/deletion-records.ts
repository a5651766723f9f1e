/**
 * Deletion records go when they have done their work. A record allows what lives under the uid of its object to be removed; it is
 * needed until no host can come back with something of it: each that ever told what lives there has done so since the object went,
 * or was deleted, or is off, as a person said, and had nothing of it.
 */
import type { Host } from '@plumb/schemas';
import { unhurriedPages } from '../../runtime/unhurried.ts';
import { ConflictError } from '../../store/errors.ts';
import { keys } from '../../store/keys.ts';
import { readDeletion } from '../../store/object-codec.ts';
import { type Entry, MAX_BATCH_KEYS } from '../../store/store.ts';
import type { Context } from '../controller.ts';
import type { OwnState } from '../own-state.ts';

/** Milliseconds between two looks. */
const EVERY_MS = 60_000;

export const deletionRecords: OwnState<DeletionRecords> = {
  name: 'deletion records',
  begin: (context) => new DeletionRecords(context),
};

class DeletionRecords {
  readonly #context: Context;
  /** Host → revision of the store up to which all that lives there was known, by what it told in this process. */
  readonly #told = new Map<string, number>();
  /** Records up to this revision were looked at, and none of them had to stay for what may change without a commit. */
  #done = 0;
  #ended = false;
  #stop: () => void = () => {};

  constructor(context: Context) {
    this.#context = context;
    this.#wait();
  }

  stop(): void {
    this.#ended = true;
    this.#stop();
  }

  #wait(): void {
    this.#stop = this.#context.ambient.clock.after(EVERY_MS, () => {
      void this.#look()
        .catch(() => undefined) // a disk that refuses is asked again
        .then(() => {
          if (!this.#ended) this.#wait();
        });
    });
  }

  async #look(): Promise<void> {
    const until = this.#toldUntil();
    if (until <= this.#done) return;
    let keeps = false;
    let due: Entry[] = [];
    for await (const { entries } of unhurriedPages(this.#context.store, keys.deleted(''))) {
      if (this.#ended) return;
      for (const entry of entries) {
        if (entry.revision > until) continue;
        if (this.#isNeeded(entry)) keeps = true;
        else due.push(entry);
      }
      if (due.length + entries.length > MAX_BATCH_KEYS) due = await this.#remove(due);
    }
    await this.#remove(due);
    this.#done = keeps ? 0 : until;
  }

  /** What was deleted up to this revision no host brings back unseen, but for those that are off. */
  #toldUntil(): number {
    const { read, cache, fleet, store } = this.#context;
    const now = store.revision();
    for (const { kind } of cache.poisoned.aside()) if (kind.kind === 'Host') return 0;
    for (const { name, connected } of fleet.hosts()) if (connected && !fleet.isTelling(name)) this.#told.set(name, now);
    for (const name of this.#told.keys()) if (!fleet.host(name)) this.#told.delete(name);
    let until = now;
    for (const { key, object } of read.list<Host>('hosts')) {
      const told = this.#told.get(key.slice(key.lastIndexOf('/') + 1));
      if (told === now) continue;
      // Nothing was ever made where no agent has been, and what is off is looked at for each record.
      if (object.status?.driver === undefined || object.status.fenced !== undefined) continue;
      until = Math.min(until, told ?? 0); // guard: deletion record gone before a host came back
      if (until <= this.#done) break;
    }
    return until;
  }

  #isNeeded({ key, value, revision }: Entry): boolean {
    const { read, cache, fleet, journal } = this.#context;
    const uid = key.slice(keys.deleted('').length);
    if (cache.isOwner(uid) || journal.knows(uid)) return true;
    for (const _ of fleet.ownedBy(uid)) return true;
    for (const { opaque } of fleet.hosts()) for (const { owner } of opaque.values()) if (owner === uid) return true;
    for (const host of readDeletion(value)?.left ?? []) {
      const object = read.get<Host>(keys.object('hosts', undefined, host))?.object;
      if (object === undefined) continue; // guard: deletion record kept for a host that was deleted
      const back = !object.status?.fenced && (this.#told.get(host) ?? 0) >= revision;
      if (!back) return true; // guard: deletion record gone before a host that was off came back
    }
    return false;
  }

  async #remove(due: readonly Entry[]): Promise<Entry[]> {
    for (let at = 0; at < due.length; at += MAX_BATCH_KEYS) {
      const some = due.slice(at, at + MAX_BATCH_KEYS);
      await this.#context.store
        .commit({
          preconditions: some.map(({ key, revision }) => ({ key, revision })),
          ops: some.map(({ key }) => ({ type: 'delete', key })),
        })
        .catch((error) => {
          if (!(error instanceof ConflictError)) throw error;
        });
    }
    return [];
  }
}
