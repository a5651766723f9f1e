/** Every object in memory, parsed once, kept current by the store's watch. What controllers read. */
import type { KindDefinition, PlumbObject } from '@plumb/schemas';
import { kinds, PlumbError } from '@plumb/schemas';
import { keys, parseObjectKey } from '../store/keys.ts';
import { decodeObject } from '../store/object-codec.ts';
import type { Store } from '../store/store.ts';
import { referenceKeys } from './references.ts';

export interface Cached<T extends PlumbObject = PlumbObject> {
  readonly key: string;
  readonly kind: KindDefinition;
  readonly object: T;
  readonly revision: number;
}

export interface CacheChange {
  key: string;
  kind: KindDefinition;
  before?: Cached;
  after?: Cached;
}

const kindByPlural = new Map(kinds.map((k) => [k.plural, k]));

export class ObjectCache {
  private readonly store: Store;
  private readonly byKey = new Map<string, Cached>();
  private readonly uids = new Map<string, string>();
  private readonly plurals = new Map<string, Set<string>>();
  /** Key of an object → keys of the objects that refer to it, whether it exists or not. */
  private readonly referrerKeys = new Map<string, Set<string>>();
  private readonly listeners = new Set<(change: CacheChange) => void>();
  private waiting: { revision: number; resolve: () => void }[] = [];
  private seen = 0;

  constructor(store: Store) {
    this.store = store;
  }

  /** Loads everything, then follows the store until `signal` aborts. Resolves when loaded. */
  async start(signal: AbortSignal, onEnd: (error: PlumbError) => void): Promise<void> {
    const revision = await this.load();
    this.follow(revision, signal).catch((error) => {
      if (!signal.aborted) onEnd(PlumbError.from(error, 'the watch of the object cache'));
    });
  }

  get<T extends PlumbObject>(key: string): Cached<T> | undefined {
    return this.byKey.get(key) as Cached<T> | undefined;
  }

  byUid(uid: string): Cached | undefined {
    const key = this.uids.get(uid);
    return key === undefined ? undefined : this.byKey.get(key);
  }

  *list<T extends PlumbObject>(plural: string): Generator<Cached<T>> {
    for (const key of this.plurals.get(plural) ?? []) yield this.byKey.get(key) as Cached<T>;
  }

  /** The objects whose spec refers to the object at `key`. */
  *referrers(key: string): Generator<Cached> {
    for (const referrer of this.referrerKeys.get(key) ?? []) {
      const cached = this.byKey.get(referrer);
      if (cached) yield cached;
    }
  }

  /** Calls `listener` for each change, in order, after the cache shows it. Returns a function that ends it. */
  onChange(listener: (change: CacheChange) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Resolves when the cache shows the commit at `revision`, which must have touched an object. */
  shows(revision: number): Promise<void> {
    if (this.seen >= revision) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push({ revision, resolve }));
  }

  private async load(): Promise<number> {
    const { entries, revision } = await this.store.list(keys.objects);
    const present = new Set(entries.map((e) => e.key));
    for (const key of [...this.byKey.keys()]) if (!present.has(key)) this.apply(key, undefined, revision);
    for (const entry of entries)
      if (this.byKey.get(entry.key)?.revision !== entry.revision) this.apply(entry.key, entry.value, entry.revision);
    this.reached(revision);
    return revision;
  }

  private async follow(from: number, signal: AbortSignal): Promise<void> {
    let revision = from;
    while (!signal.aborted) {
      try {
        for await (const batch of this.store.watch(keys.objects, revision, signal)) {
          for (const change of batch.changes) this.apply(change.key, change.value, batch.revision);
          revision = batch.revision;
          this.reached(revision);
        }
      } catch (error) {
        const reason = error instanceof PlumbError ? error.reason : undefined;
        if (reason !== 'Compacted' && reason !== 'SlowWatcher') throw error;
        revision = await this.load();
      }
    }
  }

  private apply(key: string, value: string | undefined, revision: number): void {
    const plural = parseObjectKey(key)?.plural;
    const kind = plural === undefined ? undefined : kindByPlural.get(plural);
    if (!kind) return;
    const before = this.byKey.get(key);
    if (before) this.forget(before);
    let after: Cached | undefined;
    if (value !== undefined) {
      after = { key, kind, object: decodeObject({ value, revision }), revision };
      this.remember(after);
    }
    if (before || after) for (const listener of this.listeners) listener({ key, kind, before, after });
  }

  private remember(cached: Cached): void {
    this.byKey.set(cached.key, cached);
    this.uids.set(cached.object.metadata.uid, cached.key);
    add(this.plurals, cached.kind.plural, cached.key);
    for (const target of referenceKeys(cached.kind, cached.object)) add(this.referrerKeys, target, cached.key);
  }

  private forget(cached: Cached): void {
    this.byKey.delete(cached.key);
    this.uids.delete(cached.object.metadata.uid);
    this.plurals.get(cached.kind.plural)?.delete(cached.key);
    for (const target of referenceKeys(cached.kind, cached.object)) {
      const set = this.referrerKeys.get(target);
      set?.delete(cached.key);
      if (set?.size === 0) this.referrerKeys.delete(target);
    }
  }

  private reached(revision: number): void {
    this.seen = Math.max(this.seen, revision);
    if (this.waiting.length === 0) return;
    const due = this.waiting.filter((w) => w.revision <= this.seen);
    this.waiting = this.waiting.filter((w) => w.revision > this.seen);
    for (const { resolve } of due) resolve();
  }
}

function add(map: Map<string, Set<string>>, key: string, value: string): void {
  const set = map.get(key);
  if (set) set.add(value);
  else map.set(key, new Set([value]));
}
