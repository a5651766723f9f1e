/** Values by their types: whether they fit, which fields they have, what of them is left without some fields. */
import { type Element, fieldElement, keyElement, pathText, valueElement } from './element.ts';
import { FieldSet } from './field-set.ts';
import { type FieldType, fieldTypeOf, isRecord, type ListType, ownedAs } from './type.ts';

/** The step to an item of a list that is a set or a map. Throws when the item has no identity. */
export function itemElement(type: ListType, item: unknown): Element {
  if (type.relation === 'set') {
    if (isRecord(item)) throw new Error("associative list without keys has an element that's a map type");
    if (Array.isArray(item)) throw new Error('not supported: associative list with lists as elements');
    if (item === null) throw new Error("associative list without keys has an element that's an explicit null");
    return valueElement(item);
  }
  if (item === null) throw new Error('associative list with keys may not have a null element');
  if (!isRecord(item)) throw new Error('associative list with keys may not have non-map elements');
  const keys: Record<string, unknown> = {};
  for (const key of type.keys) {
    const value = Object.hasOwn(item, key) ? item[key] : type.defaults[key];
    if (value !== undefined) keys[key] = value;
  }
  if (Object.keys(keys).length > 0) return keyElement(keys);
  const named = type.keys.map((key) => JSON.stringify(key)).join(' ');
  throw new Error(
    `associative list with keys has an element that omits all key fields [${named}] (and doesn't have default values for any key fields)`,
  );
}

/** Items by the step to them, in their order; undefined where two have the same step. */
export function itemsOf(type: ListType, list: readonly unknown[]): Map<Element, readonly unknown[]> {
  const items = new Map<Element, unknown[]>();
  for (const item of list) {
    let step: Element;
    try {
      step = itemElement(type, item);
    } catch {
      // What has no identity is owned by nobody.
      continue;
    }
    const same = items.get(step);
    if (same) same.push(item);
    else items.set(step, [item]);
  }
  return items;
}

/** What does not fit the type, a sentence each, as Kubernetes says it. Items that stand twice in a set or map are mistakes. */
export function mistakesOf(type: FieldType, value: unknown, most = 10): string[] {
  const found: string[] = [];
  const path: Element[] = [];
  const add = (message: string) => {
    if (found.length < most) found.push(path.length === 0 ? message : `${pathText(path)}: ${message}`);
  };
  const inside = (step: Element, below: FieldType, part: unknown) => {
    path.push(step);
    walk(below, part);
    path.pop();
  };
  const walk = (at: FieldType, part: unknown): void => {
    if (part === null || at.of === 'any') return;
    if (at.of === 'scalar') {
      const wrong = notOf(at.takes, part);
      if (wrong) add(wrong);
    } else if (at.of === 'list') {
      if (!Array.isArray(part)) {
        add(`expected list, got ${goValue(part)}`);
        return;
      }
      const seen = new Set<Element>();
      for (const [index, item] of part.entries()) {
        let step: Element = `i:${index}`;
        if (at.relation !== 'atomic') {
          try {
            step = itemElement(at, item);
          } catch (error) {
            add(`element ${index}: ${(error as Error).message}`);
            return;
          }
          if (seen.has(step)) add(`duplicate entries for key ${pathText([step])}`);
          seen.add(step);
        }
        inside(step, at.items, item);
      }
    } else {
      if (!isRecord(part)) {
        add(`expected map, got ${goValue(part)}`);
        return;
      }
      for (const key of Object.keys(part)) {
        const below = fieldTypeOf(at, key);
        if (below) inside(fieldElement(key), below, part[key]);
        else {
          path.push(fieldElement(key));
          add('field not declared in schema');
          path.pop();
        }
      }
    }
  };
  walk(type, value);
  return found;
}

function notOf(takes: 'number' | 'string' | 'boolean' | 'any', value: unknown): string | undefined {
  if (typeof value === takes || (takes === 'any' && typeof value !== 'object')) return undefined;
  if (takes === 'number') return `expected numeric (int or float), got ${goType(value)}`;
  if (takes === 'string') return `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`;
  return `expected ${takes === 'boolean' ? 'boolean' : 'any scalar'}, got ${goValue(value)}`;
}

/** As Go prints the type of a decoded value. */
function goType(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'object') return 'map[string]interface {}';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  return typeof value === 'boolean' ? 'bool' : 'string';
}

function goSyntax(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' ? JSON.stringify(value) : `${goType(value)}{…}`;
}

function goValue(value: unknown): string {
  if (Array.isArray(value)) return `&{[${value.map((item) => goValue(item).slice(2, -1)).join(' ')}]}`;
  return `&{${typeof value === 'object' ? 'map[…]' : String(value)}}`;
}

/** The fields that somebody who writes this value says something of. */
export function fieldsOf(type: FieldType, value: unknown): FieldSet {
  const owned = ownedAs(type, value);
  const set = new FieldSet();
  const below = (step: Element, at: FieldType, part: unknown) => {
    const inner = fieldsOf(at, part);
    if (!inner.isEmpty) set.children.set(step, inner);
    return ownedAs(at, part).as === 'leaf';
  };
  if (owned.as === 'map') {
    for (const key of Object.keys(owned.value)) {
      const part = owned.value[key];
      const at = part === undefined ? undefined : fieldTypeOf(owned.type, key);
      if (!at) continue;
      const step = fieldElement(key);
      const isNamed = owned.type.of === 'map' && owned.type.fields.has(key);
      const isEmpty = part === null || (isRecord(part) && Object.keys(part).length === 0);
      if (below(step, at, part) || isEmpty || !isNamed) set.members.add(step);
    }
  } else if (owned.as === 'list') {
    for (const [step, items] of itemsOf(owned.type, owned.value)) {
      if (items.length === 1) below(step, owned.type.items, items[0]);
      set.members.add(step);
    }
  }
  return set;
}

/**
 * The set with every named field of the schema below which something is in it: who owns a part of `spec.dns` may take away
 * `spec.dns` with its last part, but not a key that people chose.
 */
export function withNamedFields(type: FieldType | undefined, set: FieldSet): FieldSet {
  const members = new Set(set.members);
  const children = new Map<Element, FieldSet>();
  for (const [step, below] of set.children) {
    const isField = step.startsWith('f:');
    if (isField && type?.of === 'map' && type.fields.has(step.slice(2))) members.add(step);
    children.set(step, withNamedFields(typeBelow(type, step), below));
  }
  return new FieldSet(members, children);
}

/** The type of what a step leads to. */
export function typeBelow(type: FieldType | undefined, step: Element): FieldType | undefined {
  if (type === undefined || type.of === 'scalar') return undefined;
  if (type.of === 'list') return step.startsWith('k:') ? type.items : undefined;
  return step.startsWith('f:') ? fieldTypeOf(type, step.slice(2)) : undefined;
}

/** The value without the fields of the set; null when nothing is left, as in Kubernetes. */
export function without(type: FieldType, value: unknown, set: FieldSet): unknown {
  if (set.isEmpty) return value;
  const owned = ownedAs(type, value);
  if (owned.as === 'leaf') return type.of === 'scalar' || type.of === 'any' ? value : null;
  if (owned.as === 'list') {
    const kept: unknown[] = [];
    for (const item of owned.value) {
      const step = stepTo(owned.type, item);
      if (step !== undefined && set.members.has(step)) continue;
      const below = step === undefined ? undefined : set.children.get(step);
      kept.push(below ? without(owned.type.items, item, below) : item);
    }
    return kept.length > 0 ? kept : null;
  }
  const kept: Record<string, unknown> = {};
  let count = 0;
  for (const key of Object.keys(owned.value)) {
    const step = fieldElement(key);
    if (set.members.has(step)) continue;
    const below = set.children.get(step);
    const at = fieldTypeOf(owned.type, key);
    define(kept, key, below && at ? without(at, owned.value[key], below) : owned.value[key]);
    count++;
  }
  return count > 0 ? kept : null;
}

/** The fields of the set alone, with the keys of the items that they lie in; undefined when there is none. */
export function extracted(type: FieldType, value: unknown, set: FieldSet): unknown {
  const owned = ownedAs(type, value);
  if (owned.as === 'leaf') return value;
  if (owned.as === 'list') {
    const kept: unknown[] = [];
    for (const item of owned.value) {
      const step = stepTo(owned.type, item);
      const below = step === undefined ? undefined : set.children.get(step);
      if (step === undefined || (!below && !set.members.has(step))) continue;
      if (owned.type.relation === 'set') kept.push(item);
      else {
        const keys = FieldSet.of(...owned.type.keys.map((key) => [fieldElement(key)]));
        kept.push(extracted(owned.type.items, item, below ? below.union(keys) : keys));
      }
    }
    return kept.length > 0 ? kept : undefined;
  }
  const kept: Record<string, unknown> = {};
  let count = 0;
  for (const key of Object.keys(owned.value)) {
    const step = fieldElement(key);
    const below = set.children.get(step);
    const at = fieldTypeOf(owned.type, key);
    if (!at || (!below && !set.members.has(step))) continue;
    const isWhole = ownedAs(at, owned.value[key]).as === 'leaf';
    const part = below && !isWhole ? extracted(at, owned.value[key], below) : isWhole ? owned.value[key] : {};
    if (part === undefined) continue;
    define(kept, key, part);
    count++;
  }
  return count > 0 ? kept : undefined;
}

function stepTo(type: ListType, item: unknown): Element | undefined {
  try {
    return itemElement(type, item);
  } catch {
    return undefined;
  }
}

/** Sets a field of an object, also one that has the name of a prototype. */
export function define(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  else object[key] = value;
}
