/**
 * A set of paths into an object: what a manager owns of it. A path may be a member without those below it, and the other way round.
 * Sets are not changed once they are made, except by {@link FieldSet.insert}.
 */
import { byElement, type Element, fieldOf, readElement } from './element.ts';

/** FieldsV1, the form on the wire: a field for each step, `.` for the place itself where there is more below it. */
export interface FieldsV1 {
  [step: string]: FieldsV1;
}

export class FieldSet {
  /** Steps that end a path of the set. */
  readonly members: Set<Element>;
  /** What is in the set below a step. None of them is empty. */
  readonly children: Map<Element, FieldSet>;

  constructor(members: Set<Element> = new Set(), children: Map<Element, FieldSet> = new Map()) {
    this.members = members;
    this.children = children;
  }

  static of(...paths: (readonly Element[])[]): FieldSet {
    const set = new FieldSet();
    for (const path of paths) set.insert(path);
    return set;
  }

  get isEmpty(): boolean {
    return this.members.size === 0 && this.children.size === 0;
  }

  /** Adds a path; the one to the whole object is none. */
  insert(path: readonly Element[]): void {
    if (path.length === 0) return;
    let set: FieldSet = this;
    for (let i = 0; i < path.length - 1; i++) {
      const step = path[i]!;
      let next = set.children.get(step);
      if (next === undefined) {
        next = new FieldSet();
        set.children.set(step, next);
      }
      set = next;
    }
    set.members.add(path.at(-1)!);
  }

  has(path: readonly Element[]): boolean {
    let set: FieldSet | undefined = this;
    for (let i = 0; i < path.length - 1 && set; i++) set = set.children.get(path[i]!);
    return path.length > 0 && set !== undefined && set.members.has(path.at(-1)!);
  }

  union(other: FieldSet): FieldSet {
    if (other.isEmpty) return this;
    if (this.isEmpty) return other;
    const children = new Map(this.children);
    for (const [step, set] of other.children) {
      const own = children.get(step);
      children.set(step, own ? own.union(set) : set);
    }
    return new FieldSet(this.members.union(other.members), children);
  }

  intersection(other: FieldSet): FieldSet {
    const children = new Map<Element, FieldSet>();
    for (const [step, set] of this.children) {
      const others = other.children.get(step);
      const both = others && set.intersection(others);
      if (both && !both.isEmpty) children.set(step, both);
    }
    return new FieldSet(this.members.intersection(other.members), children);
  }

  /** Without the paths of the other set; what lies below them stays. */
  difference(other: FieldSet): FieldSet {
    if (other.isEmpty) return this;
    const children = new Map<Element, FieldSet>();
    for (const [step, set] of this.children) {
      const others = other.children.get(step);
      const left = others ? set.difference(others) : set;
      if (!left.isEmpty) children.set(step, left);
    }
    return new FieldSet(this.members.difference(other.members), children);
  }

  /** Without the paths of the other set and all that lies below them. */
  differenceBelow(other: FieldSet): FieldSet {
    if (other.isEmpty) return this;
    const children = new Map<Element, FieldSet>();
    for (const [step, set] of this.children) {
      if (other.members.has(step)) continue;
      const others = other.children.get(step);
      const left = others ? set.differenceBelow(others) : set;
      if (!left.isEmpty) children.set(step, left);
    }
    return new FieldSet(this.members.difference(other.members), children);
  }

  /** Every path, in the order in which Kubernetes tells them: those that end at a place before those that go on. */
  paths(): Element[][] {
    const found: Element[][] = [];
    const walk = (set: FieldSet, path: Element[]) => {
      for (const step of [...set.members].sort(byElement)) found.push([...path, step]);
      for (const step of [...set.children.keys()].sort(byElement)) walk(set.children.get(step)!, [...path, step]);
    };
    walk(this, []);
    return found;
  }

  equals(other: FieldSet): boolean {
    if (this.members.size !== other.members.size || this.children.size !== other.children.size) return false;
    for (const step of this.members) if (!other.members.has(step)) return false;
    for (const [step, set] of this.children) {
      const others = other.children.get(step);
      if (!others || !set.equals(others)) return false;
    }
    return true;
  }

  toFieldsV1(): FieldsV1 {
    const steps = [...this.members.union(new Set(this.children.keys()))];
    if (steps.length > 1) steps.sort(byElement);
    const fields: FieldsV1 = {};
    for (const step of steps) {
      const below = this.children.get(step)?.toFieldsV1();
      fields[step] = below === undefined ? {} : this.members.has(step) ? { '.': {}, ...below } : below;
    }
    return fields;
  }

  /** Throws when it is no FieldsV1. */
  static fromFieldsV1(fields: unknown): FieldSet {
    return read(fields) ?? new FieldSet();
  }
}

/** What is below a place; undefined for nothing, and then the place itself is meant. */
function read(fields: unknown): FieldSet | undefined {
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) throw new Error('fields are no object');
  let set: FieldSet | undefined;
  for (const text in fields) {
    if (text === '.') continue;
    const step = readElement(text);
    const value = (fields as FieldsV1)[text]!;
    const below = read(value);
    if (step === undefined) continue;
    set ??= new FieldSet();
    if (below === undefined || Object.hasOwn(value, '.')) set.members.add(step);
    if (below) {
      const before = set.children.get(step);
      set.children.set(step, before ? before.union(below) : below);
    }
  }
  return set;
}

/** Whether a path of the set names a field that is written out, and not a key that people chose. */
export function isField(element: Element): boolean {
  return fieldOf(element) !== undefined;
}
