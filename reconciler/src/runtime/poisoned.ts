/**
 * What is wrong and was set aside, so that everything else goes on: objects whose record cannot be understood, objects on
 * which a part of the server threw, and other records of the store that cannot be read. Known in memory only: it is found
 * again whenever the record is read.
 *
 * An object that was set aside is not a missing one: what lives under its uid is its own, what it holds stays held, and what
 * it refers to is in use.
 */
import { type FieldError, type KindDefinition, messageOf, PlumbError, type PlumbObject } from '@plumb/schemas';
import { printable } from '@plumb/schemas/meta/printable.ts';
import type { Poison } from '../store/examine.ts';
import type { Metrics } from './metrics.ts';
import { referenceKeys } from './references.ts';

/** An object that cannot be understood. */
export interface SetAside {
  readonly key: string;
  readonly kind: KindDefinition;
  readonly revision: number;
  readonly problems: readonly FieldError[];
  /** Its own uid: one that can be read, and that no other object has. */
  readonly uid: string | undefined;
  /** Keys of what it refers to, as far as that can be read. */
  readonly refersTo: readonly string[];
  /** What could be understood of it, without its spec. */
  readonly rest: PlumbObject;
  readonly hasStatus: boolean;
}

/** One line of what `plumb get poisoned` lists. */
export interface PoisonedView {
  key: string;
  /** Undefined for a record that is no object. */
  kind: KindDefinition | undefined;
  uid: string | undefined;
  where: string;
  what: string;
}

const MOST_CHARACTERS = 500;
/** Parts of the server that threw on one object; more are not told. */
const MOST_PARTS = 8;

export class Poisoned {
  readonly #aside = new Map<string, SetAside>();
  readonly #uids = new Map<string, string>();
  /** Key of an object → keys of the set aside objects that refer to it. */
  readonly #referrers = new Map<string, Set<string>>();
  /** Key of an object → part of the server → what it said. */
  readonly #thrown = new Map<string, Map<string, string>>();
  /** Key of a record that is no object → what is wrong with it. */
  readonly #records = new Map<string, string>();
  /** Keys whose text may need mending before it is shown: of some revision it was not as the server writes it. */
  readonly #odd = new Set<string>();
  #completeFrom = Number.POSITIVE_INFINITY;

  /** Every object was looked at as of this revision, and each that was written since. */
  completeFrom(revision: number): void {
    this.#completeFrom = Math.min(this.#completeFrom, revision);
  }

  /** Objects that were set aside, or on which something threw. */
  get objects(): number {
    let objects = this.#aside.size;
    for (const key of this.#thrown.keys()) if (!this.#aside.has(key)) objects++;
    return objects;
  }

  /** Records that are no objects and cannot be read. */
  get records(): number {
    return this.#records.size;
  }

  /** Shows in `metrics` how much there is. */
  publish(metrics: Metrics): void {
    const objects = 'Objects that cannot be understood, or on which a part of the server fails.';
    metrics.readGauge('plumb_poisoned_objects', objects, {}, () => this.objects);
    const records = 'Records of the store that are no objects and cannot be read.';
    metrics.readGauge('plumb_poisoned_records', records, {}, () => this.records);
  }

  /** Whether the text of the object at `key`, in what was read at `revision`, is for certain as the server writes it. */
  isPlain(key: string, revision: number): boolean {
    return revision >= this.#completeFrom && (this.#odd.size === 0 || !this.#odd.has(key));
  }

  /** The text at the key is valid, but written otherwise than the server would. */
  noteOdd(key: string): void {
    this.#odd.add(key);
  }

  setAside(kind: KindDefinition, key: string, revision: number, poison: Poison, uid: string | undefined): SetAside {
    const { problems, rest, hasStatus } = poison;
    const refersTo = referenceKeys(kind, rest);
    for (const target of refersTo) {
      const referrers = this.#referrers.get(target);
      if (referrers) referrers.add(key);
      else this.#referrers.set(target, new Set([key]));
    }
    const aside = { key, kind, revision, problems, uid, refersTo, rest: { ...rest, spec: {} }, hasStatus };
    this.#aside.set(key, aside);
    this.#odd.add(key);
    if (uid !== undefined) this.#uids.set(uid, key);
    return aside;
  }

  /** The object at the key is understood again, or gone. Returns what was set aside there. */
  clear(key: string): SetAside | undefined {
    const aside = this.#aside.get(key);
    this.#thrown.delete(key);
    if (!aside) return undefined;
    this.#aside.delete(key);
    if (aside.uid !== undefined && this.#uids.get(aside.uid) === key) this.#uids.delete(aside.uid);
    for (const target of aside.refersTo) {
      const referrers = this.#referrers.get(target);
      if (referrers?.delete(key) && referrers.size === 0) this.#referrers.delete(target);
    }
    return aside;
  }

  /** An object that is understood has the uid: it is that of no other. */
  disown(uid: string): void {
    const key = this.#uids.get(uid);
    if (key === undefined) return;
    this.#uids.delete(uid);
    const aside = this.#aside.get(key);
    if (aside) this.#aside.set(key, { ...aside, uid: undefined });
  }

  /** The object that was set aside at this key. */
  get(key: string): SetAside | undefined {
    return this.#aside.get(key);
  }

  byUid(uid: string): SetAside | undefined {
    const key = this.#uids.get(uid);
    return key === undefined ? undefined : this.#aside.get(key);
  }

  aside(): Iterable<SetAside> {
    return this.#aside.values();
  }

  /** The objects set aside that refer to the object at `key`, as far as that can be read. */
  *referrers(key: string): Generator<SetAside> {
    for (const referrer of this.#referrers.get(key) ?? []) yield this.#aside.get(referrer)!;
  }

  /** A part of the server threw on the object at `key`. */
  note(key: string, part: string, thrown: unknown): void {
    const parts = this.#thrown.get(key) ?? new Map<string, string>();
    if (parts.size >= MOST_PARTS && !parts.has(part)) return;
    const isFault = thrown instanceof Error && !(thrown instanceof PlumbError);
    const said = thrown instanceof Error ? messageOf(thrown) : 'something that is no error was thrown';
    const what = isFault ? `${thrown.name}: ${said}` : said;
    parts.set(part, printable(what, MOST_CHARACTERS));
    this.#thrown.set(key, parts);
    this.#odd.add(key);
  }

  /** The part of the server does not throw on the object any more. */
  forgive(key: string, part: string): void {
    if (this.#thrown.size === 0) return;
    const parts = this.#thrown.get(key);
    if (parts?.delete(part) && parts.size === 0) this.#thrown.delete(key);
  }

  /** What parts of the server said when they threw on the object at `key`. */
  thrown(key: string): FieldError[] {
    return Array.from(this.#thrown.get(key) ?? [], ([field, message]) => ({ field, message }));
  }

  /** A record that is no object cannot be read. */
  noteRecord(key: string, what: string): void {
    this.#records.set(key, printable(what, MOST_CHARACTERS));
  }

  clearRecord(key: string): void {
    this.#records.delete(key);
  }

  /** Keys of records that cannot be read and begin with `prefix`. */
  recordsUnder(prefix: string): string[] {
    return [...this.#records.keys()].filter((key) => key.startsWith(prefix));
  }

  hasRecord(key: string): boolean {
    return this.#records.has(key);
  }

  /** Everything that is wrong, objects first. `find`: gives an object that is not set aside. */
  *all(find: (key: string) => { kind: KindDefinition; object: PlumbObject } | undefined): Generator<PoisonedView> {
    for (const { key, kind, uid, problems } of this.#aside.values())
      for (const { field, message } of problems.slice(0, 1)) yield { key, kind, uid, where: field, what: message };
    for (const [key, parts] of this.#thrown) {
      const found = find(key);
      for (const [where, what] of parts) yield { key, kind: found?.kind, uid: found?.object.metadata.uid, where, what };
    }
    for (const [key, what] of this.#records) yield { key, kind: undefined, uid: undefined, where: key, what };
  }
}
