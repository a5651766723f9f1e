/** Every object in memory, kept current by a {@link StoreFeed}. What controllers read. */
import type { KindDefinition, PlumbObject } from '@plumb/schemas';
import { apiVersionOf, type PlumbError } from '@plumb/schemas';
import { examine, type Poison, unreadable } from '../store/examine.ts';
import type { Follower } from '../store/follower.ts';
import { keys } from '../store/keys.ts';
import type { Entry, Store } from '../store/store.ts';
import { type Cached, kindOfKey, ObjectTable } from './object-table.ts';
import { Poisoned, type SetAside } from './poisoned.ts';
import { StoreFeed } from './store-feed.ts';
import type { WorkNotes } from './work-notes.ts';

export type { Cached } from './object-table.ts';

export interface CacheChange {
  key: string;
  kind: KindDefinition;
  before?: Cached;
  /** Undefined when the object is gone, or was set aside. */
  after?: Cached;
  /** The object that cannot be understood, and was set aside; cf. {@link Poisoned}. */
  aside?: SetAside;
  /** What was set aside before. */
  wasAside?: SetAside;
}

type Listener = (change: CacheChange) => void;

export class ObjectCache implements Follower {
  readonly prefix = keys.objects;
  private readonly table = new ObjectTable();
  /** Each with the name of the part of the server that it is. */
  private readonly listeners = new Map<Listener, string>();
  /** What is wrong and was set aside. */
  readonly poisoned: Poisoned;
  private readonly notes: WorkNotes | undefined;
  /** Key of an object that ended processes → revision at which it was found: it stays set aside as long as it has that. */
  private readonly guilty = new Map<string, number | undefined>();
  /** What keeps it current. */
  private feed: StoreFeed;

  /** `notes`: what may have ended the process before; nothing, if absent. */
  constructor(store: Store, poisoned = new Poisoned(), notes?: WorkNotes) {
    this.feed = new StoreFeed(store, [this]);
    this.poisoned = poisoned;
    this.notes = notes;
    for (const key of notes?.guilty ?? []) this.guilty.set(key, undefined);
  }

  /** Follows the store together with others, in `feed`, instead of by itself. */
  join(feed: StoreFeed): void {
    this.feed = feed;
  }

  /** Loads everything, then follows the store until `signal` aborts. Resolves when loaded; rejects when aborted before. */
  async start(signal: AbortSignal, onEnd: (error: PlumbError) => void): Promise<void> {
    await this.feed.load(signal);
    await this.feed.follow(signal, onEnd);
  }

  get<T extends PlumbObject>(key: string): Cached<T> | undefined {
    return this.table.get(key) as Cached<T> | undefined;
  }

  byUid(uid: string): Cached | undefined {
    return this.table.byUid(uid);
  }

  keyOf(uid: string): string | undefined {
    return this.table.byUid(uid)?.key;
  }

  /** Whether there is an object with this uid. */
  hasUid(uid: string): boolean {
    return this.table.hasUid(uid);
  }

  /** The object is unpacked when it is asked for: whoever needs keys only pays for no more. */
  list<T extends PlumbObject>(plural: string): Generator<Cached<T>> {
    return this.table.list(plural) as Generator<Cached<T>>;
  }

  /** Revision of the object at `key`, without looking at it; undefined when there is none. */
  revisionOf(key: string): number | undefined {
    return this.table.revisionOf(key);
  }

  /** See ObjectTable.eachRevision. */
  eachRevision(plural: string, visit: (slot: number, revision: number) => void): void {
    this.table.eachRevision(plural, visit);
  }

  /** See ObjectTable.inSlot. */
  inSlot<T extends PlumbObject>(slot: number): Cached<T> | undefined {
    return this.table.inSlot(slot) as Cached<T> | undefined;
  }

  /** The objects whose spec refers to the object at `key`. */
  referrers(key: string): Generator<Cached> {
    return this.table.referrers(key);
  }

  /**
   * Calls `listener` for each change, in order, after the cache shows it. Returns a function that ends it. What it throws is
   * noted of the object and stops nobody. `part`: what people call this part of the server.
   */
  onChange(listener: (change: CacheChange) => void, part = 'a part of the server'): () => void {
    const own: Listener = (change) => listener(change);
    this.listeners.set(own, part);
    return () => this.listeners.delete(own);
  }

  /** Whether there is an object with this uid, understood or not: what lives under it has an owner. */
  isOwner(uid: string): boolean {
    return this.table.hasUid(uid) || this.poisoned.byUid(uid) !== undefined;
  }

  /** As {@link StoreFeed.shows}: resolves when this, and all that follow with it, show the commit at `revision`. */
  shows(revision: number): Promise<void> {
    return this.feed.shows(revision);
  }

  /** Revision of the record at `key`, understood or not. */
  knownRevision(key: string): number | undefined {
    return this.table.revisionOf(key) ?? this.poisoned.get(key)?.revision;
  }

  knownKeys(): string[] {
    return [...this.table.keys(), ...Array.from(this.poisoned.aside(), ({ key }) => key)];
  }

  /** `packed`: one of many, of which few are looked at soon. */
  take(key: string, value: string | undefined, revision: number, packed = false): void {
    const kind = kindOfKey(key);
    if (!kind) {
      this.lookAtOther(key, value);
      return;
    }
    if (packed && this.notes?.isCareful) this.notes.alone(key);
    this.applyTo(kind, key, value, revision, packed);
  }

  private applyTo(
    kind: KindDefinition,
    key: string,
    value: string | undefined,
    revision: number,
    packed: boolean,
  ): void {
    if (value === undefined) {
      if (this.guilty.delete(key)) this.notes?.forget(key);
      const wasAside = this.poisoned.clear(key);
      const before = this.table.remove(key);
      if (before || wasAside)
        this.tell({ key, kind, ...(before ? { before } : {}), ...(wasAside ? { wasAside } : {}) });
      return;
    }
    try {
      this.put(kind, { key, value, revision }, packed);
    } catch (error) {
      this.setAside(kind, { key, value, revision }, unreadable(kind, { key, value, revision }, error));
    }
  }

  /** What no kind describes: what is wrong is said of all that the store holds. */
  private lookAtOther(key: string, value: string | undefined): void {
    if (value === undefined) this.poisoned.clearRecord(key);
    else this.poisoned.noteRecord(key, 'is of a kind that this Plumb does not know');
  }

  private put(kind: KindDefinition, entry: Entry, packed: boolean): void {
    const { key, revision } = entry;
    const { object, poison } = examine(kind, entry);
    if (poison) {
      this.setAside(kind, entry, poison);
      return;
    }
    if (this.guilty.has(key) && this.isGuilty(object, key, revision)) {
      const problems = [{ field: 'the object', message: GUILTY }];
      this.setAside(kind, entry, { problems, uid: object.metadata.uid, rest: object, hasStatus: true });
      return;
    }
    const rival = this.table.rival(key, object.metadata.uid);
    if (rival !== undefined && !this.yields(rival, revision)) {
      this.setAside(kind, entry, uidOfAnother(object, rival));
      return;
    }
    const wasAside = this.poisoned.clear(key);
    this.poisoned.disown(object.metadata.uid);
    if (!isPlainText(kind, entry.value)) this.poisoned.noteOdd(key);
    const { before, after } = this.table.put(key, object, revision, packed);
    this.tell({ key, kind, ...(before ? { before } : {}), after, ...(wasAside ? { wasAside } : {}) });
  }

  private setAside(kind: KindDefinition, { key, revision }: Entry, poison: Poison): void {
    const before = this.table.remove(key);
    const wasAside = this.poisoned.clear(key);
    const own = poison.uid !== undefined && !this.isOwner(poison.uid);
    const aside = this.poisoned.setAside(kind, key, revision, poison, own ? poison.uid : undefined);
    this.tell({ key, kind, ...(before ? { before } : {}), aside, ...(wasAside ? { wasAside } : {}) });
  }

  /** Whether it is still the object that ended processes. To delete it nobody has to look at it. */
  private isGuilty({ metadata }: PlumbObject, key: string, revision: number): boolean {
    const found = this.guilty.get(key) ?? revision;
    this.guilty.set(key, found);
    if (found === revision || metadata.deletionTimestamp !== undefined) return true;
    this.guilty.delete(key);
    this.notes?.forget(key);
    return false;
  }

  /** Of two objects with one uid the one that was written first is the object; the other one is set aside. */
  private yields(rival: string, revision: number): boolean {
    const cached = this.table.get(rival)!;
    if (cached.revision < revision) return false;
    const { kind, object } = cached;
    this.setAside(kind, { key: rival, value: '', revision: cached.revision }, uidOfAnother(object, 'an older object'));
    return true;
  }

  private tell(change: CacheChange): void {
    for (const [listener, part] of this.listeners)
      try {
        listener(change);
        this.poisoned.forgive(change.key, part);
      } catch (error) {
        this.poisoned.note(change.key, part, error);
      }
  }

  reached(revision: number, loaded: boolean): void {
    if (!loaded) return;
    this.poisoned.completeFrom(revision);
    this.notes?.alone(undefined);
  }
}

const GUILTY =
  'was worked on, in the end alone, when the server ended twice in a row; it is looked at again when it changes, or by another version of Plumb';

function uidOfAnother(rest: PlumbObject, rival: string): Poison {
  const problems = [{ field: 'metadata.uid', message: `is that of ${rival.replace('/objects/', '')}` }];
  return { problems, uid: undefined, rest, hasStatus: true };
}

const plainBeginnings = new WeakMap<KindDefinition, string>();

/** Whether the text begins as the server writes objects of the kind, so that it can be shown without being parsed. */
function isPlainText(kind: KindDefinition, value: string): boolean {
  let beginning = plainBeginnings.get(kind);
  if (beginning === undefined) {
    beginning = `{"apiVersion":"${apiVersionOf(kind)}","kind":"${kind.kind}","metadata":{"`;
    plainBeginnings.set(kind, beginning);
  }
  return value.startsWith(beginning);
}
