/** What one value has that another of the same type does not, by paths. */
import { isDeepStrictEqual } from 'node:util';
import { type Element, fieldElement } from './element.ts';
import { FieldSet } from './field-set.ts';
import { type FieldType, fieldTypeOf, ownedAs } from './type.ts';
import { itemsOf } from './typed.ts';

export interface Difference {
  added: FieldSet;
  modified: FieldSet;
  removed: FieldSet;
}

/** From `before` to `after`. undefined stands for nothing at all. */
export function compare(type: FieldType, before: unknown, after: unknown): Difference {
  const found: Difference = { added: new FieldSet(), modified: new FieldSet(), removed: new FieldSet() };
  compareAt(type, before, after, [], found);
  return found;
}

/** Keeps of a difference what `keep` keeps of each of its sets. */
export function filtered(difference: Difference, keep: (set: FieldSet) => FieldSet): Difference {
  const { added, modified, removed } = difference;
  return { added: keep(added), modified: keep(modified), removed: keep(removed) };
}

function compareAt(type: FieldType, before: unknown, after: unknown, path: Element[], found: Difference): void {
  const [left, right] = [before, after].map((value) => (value === undefined ? undefined : ownedAs(type, value)));
  const form = right ?? left;
  if (form === undefined) return;
  const isLeaf =
    form.as === 'leaf' ||
    (left && right && left.as !== right.as) ||
    (isBare(left?.as, before) && isBare(right?.as, after));
  if (isLeaf) {
    if (before === undefined) found.added.insert(path);
    else if (after === undefined) found.removed.insert(path);
    else if (!isDeepStrictEqual(before, after)) found.modified.insert(path);
    return;
  }
  if (form.as === 'map') {
    const [a, b] = [left?.as === 'map' ? left.value : {}, right?.as === 'map' ? right.value : {}];
    const at = (key: string) => {
      const below = fieldTypeOf(form.type, key);
      if (!below) return;
      path.push(fieldElement(key));
      compareAt(below, own(a, key), own(b, key), path, found);
      path.pop();
    };
    for (const key of Object.keys(a)) at(key);
    for (const key of Object.keys(b)) if (!Object.hasOwn(a, key)) at(key);
  } else if (form.as === 'list') {
    const a = itemsOf(form.type, left?.as === 'list' ? left.value : []);
    const b = itemsOf(form.type, right?.as === 'list' ? right.value : []);
    for (const step of new Set([...a.keys(), ...b.keys()])) {
      path.push(step);
      compareItems(form.type.items, a.get(step) ?? [], b.get(step) ?? [], path, found);
      path.pop();
    }
  }
  if (before === undefined) found.added.insert(path);
  else if (after === undefined) found.removed.insert(path);
}

/** Items with the same step. Several of them on one side are compared as one value. */
function compareItems(
  type: FieldType,
  before: readonly unknown[],
  after: readonly unknown[],
  path: Element[],
  found: Difference,
): void {
  if (before.length <= 1 && after.length <= 1) compareAt(type, before[0], after[0], path, found);
  else if (before.length > 1 && after.length > 1) {
    if (!isDeepStrictEqual(before, after)) found.modified.insert(path);
  } else if (before.length > 1) {
    compareAt(type, undefined, after[0], path, found);
    found.removed.insert(path);
  } else {
    compareAt(type, before[0], undefined, path, found);
    found.added.insert(path);
  }
}

/** Absent, null, or without anything in it: empty and null are told apart, so both are compared as they are. */
function isBare(as: string | undefined, value: unknown): boolean {
  if (as === undefined || value === null) return true;
  return as !== 'leaf' && (Array.isArray(value) ? value.length === 0 : Object.keys(value as object).length === 0);
}

function own(value: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}
