/**
 * Objects that others own. When the last owner of an object is gone, the object is deleted; an owner that is deleted in the
 * foreground waits for what it owns, and one that orphans it is taken out of its references first. As kube-controller-manager does
 * it, from the same finalizers.
 *
 *   const garbage = new GarbageCollector({ store, clock, onError });
 *   await garbage.start(signal);
 */

import { type Clock, type KindDefinition, kindByName, PlumbError, type PlumbObject } from '@plumb/schemas';
import { isProtected } from '@plumb/schemas/meta/protection.ts';
import { timestamp } from '@plumb/schemas/meta/timestamp.ts';
import { ConflictError } from '../store/errors.ts';
import { keys, parseObjectKey } from '../store/keys.ts';
import { decodeObject, encodeObject, isHeld, markedForDeletion, removalOps } from '../store/object-codec.ts';
import { pages } from '../store/pages.ts';
import type { Entry, Store } from '../store/store.ts';

/** Finalizers that say what is to become of what an object owns. */
export const FOREGROUND = 'foregroundDeletion';
export const ORPHAN = 'orphan';

export interface GarbageOptions {
  store: Store;
  clock: Clock;
  /** Told of the text of every object, and of each change; undefined: it is gone. */
  onSeen?(key: string, text: string | undefined): void;
  /** Told of what is tried again. */
  onError(key: string, error: PlumbError): void;
}

type Owner = NonNullable<PlumbObject['metadata']['ownerReferences']>[number];

/** How long after an error it is tried again. Milliseconds. */
const AGAIN_MS = 1_000;

export class GarbageCollector {
  readonly #options: GarbageOptions;
  /** Keys of what is owned, by uid of the owner. */
  readonly #owned = new Map<string, Set<string>>();
  /** Uids of owners, by key of what they own. */
  readonly #owners = new Map<string, readonly string[]>();
  /** Keys to be looked at, in order. */
  readonly #queue = new Set<string>();
  #working = false;
  #signal: AbortSignal | undefined;

  constructor(options: GarbageOptions) {
    this.#options = options;
  }

  /** Looks at what is there, and follows the store until `signal` aborts. Resolves when it has seen what is there. */
  async start(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    const { store } = this.#options;
    let revision = 0;
    for await (const page of pages(store, keys.objects)) {
      revision = page.revision;
      for (const entry of page.entries) this.#see(entry.key, entry.value);
    }
    void this.#follow(revision, signal).catch((thrown) => {
      if (!signal.aborted) this.#options.onError(keys.objects, PlumbError.from(thrown, 'the collector of garbage'));
    });
  }

  async #follow(from: number, signal: AbortSignal): Promise<void> {
    for await (const { changes } of this.#options.store.watch(keys.objects, from, signal))
      for (const { key, value, previous } of changes) {
        if (value !== undefined) this.#see(key, value);
        else this.#options.onSeen?.(key, undefined);
        if (value === undefined && previous !== undefined) this.#noteGone(key, previous);
      }
  }

  #see(key: string, text: string): void {
    this.#options.onSeen?.(key, text);
    this.#note(key, text);
  }

  /** Most objects own nothing and nobody owns them: their texts do not hold the words, and are not parsed. */
  #note(key: string, text: string): void {
    const isOwned = text.includes('"ownerReferences"');
    if (isOwned || this.#owners.has(key)) {
      const uids = isOwned ? ownersOf(parsed(text)).map(({ uid }) => uid) : [];
      this.#own(key, uids);
      if (uids.length > 0) this.#look(key);
    }
    if (text.includes(`"${FOREGROUND}"`) || text.includes(`"${ORPHAN}"`)) this.#look(key);
  }

  #noteGone(key: string, text: string): void {
    const before = this.#owners.get(key) ?? [];
    this.#own(key, []);
    if (this.#owned.size > 0) {
      const uid = parsed(text)?.metadata.uid;
      for (const dependent of this.#owned.get(uid ?? '') ?? []) this.#look(dependent);
    }
    // Those that wait for what they own may go on.
    for (const uid of before) for (const waiting of this.#waiting.get(uid) ?? []) this.#look(waiting);
  }

  /** Keys of owners that wait in the foreground, by uid. */
  readonly #waiting = new Map<string, Set<string>>();

  #own(key: string, uids: readonly string[]): void {
    for (const uid of this.#owners.get(key) ?? []) {
      const owned = this.#owned.get(uid);
      owned?.delete(key);
      if (owned?.size === 0) this.#owned.delete(uid);
    }
    if (uids.length === 0) this.#owners.delete(key);
    else this.#owners.set(key, uids);
    for (const uid of uids) this.#owned.getOrInsertComputed(uid, () => new Set()).add(key);
  }

  #look(key: string): void {
    this.#queue.add(key);
    if (!this.#working) void this.#work();
  }

  async #work(): Promise<void> {
    this.#working = true;
    // What is told in one turn is looked at together.
    await Promise.resolve();
    for (const key of this.#queue) {
      if (this.#signal?.aborted) break;
      this.#queue.delete(key);
      try {
        await this.#collect(key);
      } catch (thrown) {
        this.#again(key, thrown);
      }
    }
    this.#working = false;
  }

  #again(key: string, thrown: unknown): void {
    if (thrown instanceof ConflictError) return void this.#queue.add(key);
    if (this.#signal?.aborted) return;
    this.#options.onError(key, PlumbError.from(thrown, key));
    const stop = this.#options.clock.after(AGAIN_MS, () => {
      this.#signal?.removeEventListener('abort', stop);
      this.#look(key);
    });
    this.#signal?.addEventListener('abort', stop, { once: true });
  }

  async #collect(key: string): Promise<void> {
    const entry = await this.#options.store.get(key);
    const object = entry && parsed(entry.value);
    if (!entry || !object) return;
    const { deletionTimestamp, finalizers = [] } = object.metadata;
    if (deletionTimestamp !== undefined && finalizers.includes(ORPHAN)) return this.#orphan(entry, object);
    if (deletionTimestamp !== undefined && finalizers.includes(FOREGROUND)) return this.#awaitOwned(entry, object);
    if (deletionTimestamp === undefined && ownersOf(object).length > 0) return this.#judge(entry, object);
  }

  /** Whether the owners of the object are there. */
  async #judge(entry: Entry, object: PlumbObject): Promise<void> {
    const stays: Owner[] = [];
    const waits: Owner[] = [];
    for (const owner of ownersOf(object)) {
      const found = await this.#find(owner, entry.key);
      if (found === 'unknown') stays.push(owner);
      else if (found !== undefined) {
        const { deletionTimestamp, finalizers = [] } = found.metadata;
        const inForeground = deletionTimestamp !== undefined && finalizers.includes(FOREGROUND);
        (inForeground && owner.blockOwnerDeletion ? waits : stays).push(owner);
      }
    }
    if (stays.length === ownersOf(object).length) return;
    if (stays.length > 0) return this.#put(entry, withOwners(object, stays));
    // It is looked at again when it is protected no more; until then an owner that waits for it waits.
    if (isProtected(object)) return;
    // What it owns itself goes before it, if others wait for all of it.
    const hasOwned = this.#owned.has(object.metadata.uid);
    await this.#delete(entry, waits.length > 0 && hasOwned ? withFinalizer(object, FOREGROUND) : object);
  }

  async #awaitOwned(entry: Entry, object: PlumbObject): Promise<void> {
    const { uid } = object.metadata;
    const blocking: string[] = [];
    for (const key of this.#owned.get(uid) ?? []) {
      const owned = parsed((await this.#options.store.get(key))?.value);
      const reference = ownersOf(owned).find((owner) => owner.uid === uid);
      if (!reference) continue;
      if (reference.blockOwnerDeletion) blocking.push(key);
      this.#look(key);
    }
    if (blocking.length > 0) {
      this.#waiting.getOrInsertComputed(uid, () => new Set()).add(entry.key);
      return;
    }
    this.#waiting.delete(uid);
    await this.#put(entry, withoutFinalizer(object, FOREGROUND));
  }

  async #orphan(entry: Entry, object: PlumbObject): Promise<void> {
    const { uid } = object.metadata;
    for (const key of [...(this.#owned.get(uid) ?? [])]) {
      const owned = await this.#options.store.get(key);
      const dependent = parsed(owned?.value);
      if (!owned || !dependent) continue;
      const others = ownersOf(dependent).filter((owner) => owner.uid !== uid);
      if (others.length < ownersOf(dependent).length) await this.#put(owned, withOwners(dependent, others));
    }
    await this.#put(entry, withoutFinalizer(object, ORPHAN));
  }

  /** Undefined: it is gone. `unknown`: of a kind that is not here, of which nothing can be said. */
  async #find({ kind, name, uid }: Owner, ownedKey: string): Promise<PlumbObject | 'unknown' | undefined> {
    const definition: KindDefinition | undefined = kindByName(kind);
    const namespace = parseObjectKey(ownedKey)?.namespace;
    if (!definition || (definition.scope === 'Namespaced' && !namespace)) return 'unknown';
    const key = keys.object(definition.plural, definition.scope === 'Namespaced' ? namespace : undefined, name);
    const found = parsed((await this.#options.store.get(key))?.value);
    return found?.metadata.uid === uid ? found : undefined;
  }

  #now(): number {
    return this.#options.clock.now();
  }

  async #delete(entry: Entry, object: PlumbObject): Promise<void> {
    const time = timestamp(this.#now());
    await this.#put(entry, markedForDeletion(object, time));
  }

  /** The object as it is now; it goes when nothing holds it any more. */
  async #put({ key, revision }: Entry, object: PlumbObject): Promise<void> {
    const isOver = object.metadata.deletionTimestamp !== undefined && !isHeld(object);
    await this.#options.store.commit({
      preconditions: [{ key, revision }],
      ops: isOver ? removalOps(key, object, this.#now()) : [{ type: 'put', key, value: encodeObject(object) }],
    });
  }
}

function parsed(text: string | undefined): PlumbObject | undefined {
  if (text === undefined) return undefined;
  try {
    const object = decodeObject({ value: text, revision: 0 });
    return typeof object.metadata.uid === 'string' ? object : undefined;
  } catch {
    // What cannot be read is set aside elsewhere, and nothing is done for it.
    return undefined;
  }
}

function ownersOf(object: PlumbObject | undefined): readonly Owner[] {
  const owners = object?.metadata.ownerReferences;
  return Array.isArray(owners) ? owners : [];
}

function withOwners(object: PlumbObject, owners: readonly Owner[]): PlumbObject {
  const { ownerReferences: _, ...metadata } = object.metadata;
  return { ...object, metadata: { ...metadata, ...(owners.length > 0 ? { ownerReferences: [...owners] } : {}) } };
}

function withFinalizer(object: PlumbObject, finalizer: string): PlumbObject {
  const { finalizers = [] } = object.metadata;
  if (finalizers.includes(finalizer)) return object;
  return { ...object, metadata: { ...object.metadata, finalizers: [...finalizers, finalizer] } };
}

function withoutFinalizer(object: PlumbObject, finalizer: string): PlumbObject {
  const { finalizers = [], ...metadata } = object.metadata;
  const kept = finalizers.filter((one) => one !== finalizer);
  return { ...object, metadata: { ...metadata, ...(kept.length > 0 ? { finalizers: kept } : {}) } };
}
