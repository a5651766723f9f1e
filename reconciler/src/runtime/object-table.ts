/** Objects by key, uid, kind and what they refer to, packed but for those that were lately used. */
import { everyKind, type KindDefinition, type PlumbObject } from '@plumb/schemas';
import { keys } from '../store/keys.ts';
import { Arena } from './arena.ts';
import { IntSet } from './int-set.ts';
import { Packer } from './packing.ts';
import { referenceKeys, sameReferences } from './references.ts';
import { grown, SlotIndex } from './slot-index.ts';

/** An object as it was at a revision. Whoever holds it keeps it as it was. */
export interface Cached<T extends PlumbObject = PlumbObject> {
  readonly key: string;
  readonly kind: KindDefinition;
  readonly object: T;
  readonly revision: number;
}

/** How many objects are kept unpacked, about 3 kB each. */
const UNPACKED = 2048;

const kindByPlural = new Map(everyKind.map((k) => [k.plural, k]));

/** Kind and namespace: what the keys of many objects begin with. */
interface Folder {
  kind: KindDefinition;
  prefix: string;
}

export class ObjectTable {
  readonly #packer = new Packer();
  /** By slot. Of what was changed while it was unpacked there is nothing here until it is packed again. */
  readonly #packed = new Arena();
  /** By slot: what is unpacked. */
  readonly #unpacked = new Map<number, Entry>();
  readonly #free: number[] = [];
  /** Slots that were ever used. */
  #used = 0;
  #revisions = new Float64Array(16);
  #folderOf = new Int32Array(16);
  readonly #folders: Folder[] = [];
  readonly #folderNumbers = new Map<string, number>();
  #lastFolder = -1;
  readonly #keys = new SlotIndex((slot, key) => this.#bearsKey(slot, key));
  readonly #uids = new SlotIndex((slot, uid) => this.#bearsUid(slot, uid));
  readonly #plurals = new Map<string, IntSet>();
  /** Key of an object → slots of the objects that refer to it, whether it exists or not. */
  readonly #referrers = new Map<string, IntSet>();
  /** Slots of unpacked objects, -1 where there is none. The hand goes round and packs what was not used since. */
  readonly #ring = new Int32Array(UNPACKED).fill(-1);
  #hand = 0;

  /** How many objects there are. */
  get size(): number {
    return this.#used - this.#free.length;
  }

  get(key: string): Cached | undefined {
    return this.#use(this.#keys.find(key));
  }

  /** Revision of the object at `key`; undefined when there is none. */
  revisionOf(key: string): number | undefined {
    const slot = this.#keys.find(key);
    return slot < 0 ? undefined : this.#revisions[slot];
  }

  /** Key of another object than the one at `key` that has this uid; undefined when none has. */
  rival(key: string, uid: string): string | undefined {
    const slot = this.#uids.find(uid);
    return slot < 0 || this.#bearsKey(slot, key) ? undefined : this.#keyOf(slot);
  }

  hasUid(uid: string): boolean {
    return this.#uids.find(uid) >= 0;
  }

  byUid(uid: string): Cached | undefined {
    return this.#use(this.#uids.find(uid));
  }

  /** All of a kind. Of which there are few, they stay unpacked; of which there are many, each is unpacked for this look. */
  *list(plural: string): Generator<Cached> {
    const slots = this.#plurals.get(plural);
    const few = slots !== undefined && slots.size <= UNPACKED / 4;
    for (const slot of slots ?? []) yield few ? this.#use(slot)! : this.#look(slot);
  }

  /**
   * Calls `visit` for each object of the kind with its slot, a number that is its own as long as it is there, and its
   * revision. Nothing is unpacked; `visit` must not change the table.
   */
  eachRevision(plural: string, visit: (slot: number, revision: number) => void): void {
    this.#plurals.get(plural)?.each((slot) => visit(slot, this.#revisions[slot]!));
  }

  /** The object in the slot that {@link eachRevision} told, unpacked for this look. */
  inSlot(slot: number): Cached | undefined {
    return this.#holds(slot) ? this.#look(slot) : undefined;
  }

  /** How many objects of the kind there are. */
  count(plural: string): number {
    return this.#plurals.get(plural)?.size ?? 0;
  }

  /** The objects whose spec refers to the object at `key`. */
  *referrers(key: string): Generator<Cached> {
    for (const slot of this.#referrers.get(key) ?? []) yield this.#look(slot);
  }

  /** Keys of all objects. */
  *keys(): Generator<string> {
    for (let slot = 0; slot < this.#used; slot++) if (this.#holds(slot)) yield this.#keyOf(slot);
  }

  /**
   * Puts an object in place of the one at its key. `packed`: it is not expected to be used soon. The kind is that of the
   * key, which must be one's; cf. {@link kindOfKey}.
   */
  put(key: string, object: PlumbObject, revision: number, packed: boolean): { before?: Cached; after: Cached } {
    // First: when it cannot be packed, nothing has changed.
    const bytes = packed ? this.#packer.pack(object) : undefined;
    const found = this.#keys.find(key);
    const before = found < 0 ? undefined : this.#look(found);
    const slot = found < 0 ? this.#take(key) : found;
    const { kind } = this.#folders[this.#folderOf[slot]!]!;
    const after = new Entry(key, kind, revision, object);
    this.#refer(slot, before, after);
    if (before === undefined) {
      this.#plural(kind.plural).add(slot);
      this.#keys.add(slot, key);
      this.#uids.add(slot, object.metadata.uid);
    } else {
      if (before.object.metadata.uid !== object.metadata.uid) {
        this.#uids.remove(slot);
        this.#uids.add(slot, object.metadata.uid);
      }
      this.#clear(slot);
    }
    this.#revisions[slot] = revision;
    if (bytes) this.#packed.set(slot, bytes);
    else this.#warm(slot, after);
    return { ...(before ? { before } : {}), after };
  }

  /** Removes the object at `key` and returns it. */
  remove(key: string): Cached | undefined {
    const slot = this.#keys.find(key);
    if (slot < 0) return undefined;
    const before = this.#look(slot);
    this.#refer(slot, before, undefined);
    this.#plural(before.kind.plural).delete(slot);
    this.#keys.remove(slot);
    this.#uids.remove(slot);
    this.#clear(slot);
    this.#free.push(slot);
    return before;
  }

  #take(key: string): number {
    const slot = this.#free.pop() ?? this.#used++;
    if (slot >= this.#revisions.length) {
      this.#revisions = grown(this.#revisions, slot);
      this.#folderOf = grown(this.#folderOf, slot);
    }
    this.#folderOf[slot] = this.#folder(key);
    return slot;
  }

  #folder(key: string): number {
    const end = key.lastIndexOf('/') + 1;
    const last = this.#folders[this.#lastFolder];
    if (last && last.prefix.length === end && key.startsWith(last.prefix)) return this.#lastFolder;
    this.#lastFolder = this.#folderNumber(key, key.slice(0, end));
    return this.#lastFolder;
  }

  #folderNumber(key: string, prefix: string): number {
    const known = this.#folderNumbers.get(prefix);
    if (known !== undefined) return known;
    const kind = kindOfKey(key);
    if (!kind) throw new Error(`${key} is not the key of an object of a declared kind`);
    this.#folderNumbers.set(prefix, this.#folders.length);
    return this.#folders.push({ kind, prefix }) - 1;
  }

  #plural(plural: string): IntSet {
    return setOf(this.#plurals, plural);
  }

  #refer(slot: number, before: Cached | undefined, after: Cached | undefined): void {
    if (before && after && sameReferences(after.kind, before.object, after.object)) return;
    const had = before ? referenceKeys(before.kind, before.object) : [];
    const has = after ? referenceKeys(after.kind, after.object) : [];
    for (const target of had) {
      if (has.includes(target)) continue;
      const set = this.#referrers.get(target);
      set?.delete(slot);
      if (set?.size === 0) this.#referrers.delete(target);
    }
    for (const target of has) if (!had.includes(target)) setOf(this.#referrers, target).add(slot);
  }

  #holds(slot: number): boolean {
    return this.#unpacked.has(slot) || this.#packed.has(slot);
  }

  #keyOf(slot: number): string {
    const entry = this.#unpacked.get(slot);
    if (entry) return entry.key;
    return this.#folders[this.#folderOf[slot]!]!.prefix + this.#packer.nameOf(this.#packed.get(slot));
  }

  #bearsKey(slot: number, key: string): boolean {
    return this.#keyOf(slot) === key;
  }

  #bearsUid(slot: number, uid: string): boolean {
    const entry = this.#unpacked.get(slot);
    return (entry ? entry.object.metadata.uid : this.#packer.uidOf(this.#packed.get(slot))) === uid;
  }

  /** What is in the slot, for one look. */
  #look(slot: number): Entry {
    const entry = this.#unpacked.get(slot);
    if (entry) return entry;
    const packed = this.#packed.get(slot);
    const { kind, prefix } = this.#folders[this.#folderOf[slot]!]!;
    return new Entry(prefix + this.#packer.nameOf(packed), kind, this.#revisions[slot]!, () =>
      this.#packer.unpack(packed),
    );
  }

  /** What is in the slot, to be found unpacked when it is used again soon. */
  #use(slot: number): Entry | undefined {
    if (slot < 0) return undefined;
    const entry = this.#look(slot);
    if (entry.place < 0) this.#warm(slot, entry);
    entry.used = true;
    return entry;
  }

  #warm(slot: number, entry: Entry): void {
    for (;;) {
      const other = this.#ring[this.#hand]!;
      const kept = other < 0 ? undefined : this.#unpacked.get(other)!;
      if (!kept?.used) {
        if (kept) this.#pack(other, kept);
        break;
      }
      kept.used = false;
      this.#hand = (this.#hand + 1) % UNPACKED;
    }
    entry.place = this.#hand;
    this.#ring[this.#hand] = slot;
    this.#hand = (this.#hand + 1) % UNPACKED;
    this.#unpacked.set(slot, entry);
  }

  #pack(slot: number, entry: Entry): void {
    if (!this.#packed.has(slot)) this.#packed.set(slot, this.#packer.pack(entry.object));
    this.#forget(slot, entry);
  }

  #forget(slot: number, entry: Entry): void {
    this.#ring[entry.place] = -1;
    entry.place = -1;
    this.#unpacked.delete(slot);
  }

  /** What is in the slot goes, or is replaced. */
  #clear(slot: number): void {
    const entry = this.#unpacked.get(slot);
    if (entry) this.#forget(slot, entry);
    this.#packed.delete(slot);
  }
}

/** The kind whose objects have keys like this; undefined when it is none that is declared. */
export function kindOfKey(key: string): KindDefinition | undefined {
  if (!key.startsWith(keys.objects)) return undefined;
  return kindByPlural.get(key.slice(keys.objects.length, key.indexOf('/', keys.objects.length)));
}

class Entry implements Cached {
  readonly key: string;
  readonly kind: KindDefinition;
  readonly revision: number;
  #object: PlumbObject | (() => PlumbObject);
  /** Where it is among the unpacked objects; -1 for what is not. Private, as are the others: copies are plain. */
  #place = -1;
  #used = false;

  /** `object`: without resourceVersion, if it is still to be unpacked. */
  constructor(key: string, kind: KindDefinition, revision: number, object: PlumbObject | (() => PlumbObject)) {
    this.key = key;
    this.kind = kind;
    this.revision = revision;
    this.#object = object;
  }

  get object(): PlumbObject {
    if (typeof this.#object === 'function') {
      this.#object = this.#object();
      this.#object.metadata.resourceVersion = String(this.revision);
    }
    return this.#object;
  }

  get place(): number {
    return this.#place;
  }

  set place(place: number) {
    this.#place = place;
  }

  get used(): boolean {
    return this.#used;
  }

  set used(used: boolean) {
    this.#used = used;
  }
}

function setOf(sets: Map<string, IntSet>, key: string): IntSet {
  let set = sets.get(key);
  if (set === undefined) {
    set = new IntSet();
    sets.set(key, set);
  }
  return set;
}
