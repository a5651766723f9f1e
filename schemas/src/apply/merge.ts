/** A declaration laid over what is there: what it says counts, the rest stays. */
import { type FieldType, fieldTypeOf, type ListType, ownedAs } from './type.ts';
import { define, itemElement, itemsOf } from './typed.ts';

/** Of `live` and `applied`, neither of which is changed; parts of both are in the result. undefined stands for nothing. */
export function merged(type: FieldType, live: unknown, applied: unknown): unknown {
  if (applied === undefined) return live;
  if (live === undefined) return applied;
  const [left, right] = [ownedAs(type, live), ownedAs(type, applied)];
  if (right.as === 'map' && left.as === 'map') {
    const [a, b] = [left.value, right.value];
    if (isBare(a) && isBare(b)) return applied;
    const result: Record<string, unknown> = {};
    for (const key of Object.keys(a)) {
      const below = fieldTypeOf(right.type, key);
      define(result, key, below && Object.hasOwn(b, key) ? merged(below, a[key], b[key]) : a[key]);
    }
    for (const key of Object.keys(b)) if (!Object.hasOwn(a, key)) define(result, key, b[key]);
    return result;
  }
  if (right.as === 'list' && left.as === 'list') {
    if (isBare(left.value) && isBare(right.value)) return applied;
    return mergedLists(right.type, left.value, right.value);
  }
  return applied;
}

/**
 * Items that both have are in the order of `applied`; those that only `live` has stay between the neighbours that they had. The same
 * order as in Kubernetes, so that nothing moves that the other would leave.
 */
function mergedLists(type: ListType, live: readonly unknown[], applied: readonly unknown[]): unknown[] {
  const ours = itemsOf(type, live);
  const theirs = itemsOf(type, applied);
  const left = live.flatMap((item) => (hasStep(type, item) ? [{ step: itemElement(type, item), item }] : []));
  const right = [...theirs.keys()];
  /** Of an item that stands several times in `live` nothing is kept under one that is applied. */
  const mergedItem = (step: string) => {
    const same = ours.get(step) ?? [];
    return merged(type.items, same.length === 1 ? same[0] : undefined, theirs.get(step)![0]);
  };
  const shared = right.filter((step) => ours.has(step));
  const done = new Set<string>();
  const result: unknown[] = [];
  let next = shared.shift();
  for (let l = 0, r = 0; l < left.length || r < right.length; ) {
    const at = left[l];
    const step = right[r];
    if (at && step !== undefined) {
      if (at.step === step) {
        done.add(step);
        result.push(mergedItem(step));
        l++;
        r++;
        next = shared.shift();
        continue;
      }
      if (theirs.has(at.step) && next !== undefined && next !== at.step) {
        l++;
        continue;
      }
    }
    if (at) {
      if (!theirs.has(at.step)) {
        result.push(at.item);
        l++;
        continue;
      }
      if (done.has(at.step)) l++;
    }
    if (step !== undefined) {
      done.add(step);
      result.push(mergedItem(step));
      r++;
      if (next === step) next = shared.shift();
    }
  }
  return result;
}

function hasStep(type: ListType, item: unknown): boolean {
  try {
    itemElement(type, item);
    return true;
  } catch {
    return false;
  }
}

function isBare(value: readonly unknown[] | Readonly<Record<string, unknown>>): boolean {
  return Object.keys(value).length === 0;
}
