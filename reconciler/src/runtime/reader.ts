/** How objects are read by those who decide: as they are, as they would be, or only those that somebody may read. */
import type { PlumbObject } from '@plumb/schemas';
import { pluralOf } from '../store/keys.ts';
import type { Cached } from './object-table.ts';
import { referenceKeys } from './references.ts';

export interface Reader {
  get<T extends PlumbObject>(key: string): Cached<T> | undefined;
  byUid(uid: string): Cached | undefined;
  /** Key of the object with this uid, of whatever kind it is. */
  keyOf(uid: string): string | undefined;
  /** Every object of a kind, by its plural. It is unpacked when it is asked for: whoever needs keys only pays for no more. */
  list<T extends PlumbObject>(plural: string): Iterable<Cached<T>>;
  /** The objects whose spec refers to the object at `key`. */
  referrers(key: string): Iterable<Cached>;
}

interface Found {
  uids: Map<string, string>;
  referrers: Map<string, string[]>;
}

/**
 * Objects as they would be: `instead` by key, none at the keys of `gone`, and else what there is. From the first look on, their statuses alone may be exchanged
 * there.
 */
export class ImaginedReader implements Reader {
  readonly #real: Reader;
  readonly #instead: ReadonlyMap<string, Cached>;
  readonly #gone: ReadonlySet<string>;
  /** Of what is imagined: uid → key, and key → keys of those that refer to it. */
  #found: Found | undefined;

  constructor(real: Reader, instead: ReadonlyMap<string, Cached>, gone: ReadonlySet<string> = new Set()) {
    this.#real = real;
    this.#instead = instead;
    this.#gone = gone;
  }

  get<T extends PlumbObject>(key: string): Cached<T> | undefined {
    if (this.#gone.has(key)) return undefined;
    return (this.#instead.get(key) as Cached<T> | undefined) ?? this.#real.get<T>(key);
  }

  byUid(uid: string): Cached | undefined {
    const key = this.#index().uids.get(uid);
    // Of what is gone there may be talk as long as it holds something.
    return key === undefined ? this.#real.byUid(uid) : this.#instead.get(key);
  }

  keyOf(uid: string): string | undefined {
    return this.byUid(uid)?.key;
  }

  *list<T extends PlumbObject>(plural: string): Generator<Cached<T>> {
    for (const cached of this.#real.list<T>(plural)) if (!this.#replaced(cached.key)) yield cached;
    for (const cached of this.#instead.values()) if (cached.kind.plural === plural) yield cached as Cached<T>;
  }

  *referrers(key: string): Generator<Cached> {
    for (const cached of this.#real.referrers(key)) if (!this.#replaced(cached.key)) yield cached;
    for (const referrer of this.#index().referrers.get(key) ?? []) yield this.#instead.get(referrer)!;
  }

  #replaced(key: string): boolean {
    return this.#instead.has(key) || this.#gone.has(key);
  }

  #index(): Found {
    if (this.#found) return this.#found;
    const found: Found = { uids: new Map(), referrers: new Map() };
    for (const { key, kind, object } of this.#instead.values()) {
      found.uids.set(object.metadata.uid, key);
      for (const target of referenceKeys(kind, object)) {
        const known = found.referrers.get(target);
        if (known) known.push(key);
        else found.referrers.set(target, [key]);
      }
    }
    this.#found = found;
    return found;
  }
}

/** Reads kinds by their plurals; `onOther` is told of any other that it is asked for. */
export class BoundedReader implements Reader {
  readonly #all: Reader;
  readonly #plurals: ReadonlySet<string>;
  readonly #onOther: (plural: string) => void;

  constructor(all: Reader, plurals: ReadonlySet<string>, onOther: (plural: string) => void) {
    this.#all = all;
    this.#plurals = plurals;
    this.#onOther = onOther;
  }

  get<T extends PlumbObject>(key: string): Cached<T> | undefined {
    this.#check(pluralOf(key));
    return this.#all.get<T>(key);
  }

  byUid(uid: string): Cached | undefined {
    return this.#checked(this.#all.byUid(uid));
  }

  keyOf(uid: string): string | undefined {
    return this.#all.keyOf(uid);
  }

  list<T extends PlumbObject>(plural: string): Iterable<Cached<T>> {
    this.#check(plural);
    return this.#all.list<T>(plural);
  }

  *referrers(key: string): Generator<Cached> {
    this.#check(pluralOf(key));
    for (const cached of this.#all.referrers(key)) yield this.#checked(cached)!;
  }

  #checked(cached: Cached | undefined): Cached | undefined {
    if (cached) this.#check(cached.kind.plural);
    return cached;
  }

  #check(plural: string): void {
    if (!this.#plurals.has(plural)) this.#onOther(plural);
  }
}
