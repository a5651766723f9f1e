/** Objects and lists. */
import { shown } from './shown.ts';
import { type Check, compileSchema, type Inherited } from './validate-compile.ts';
import type { Mistakes } from './validate-mistakes.ts';
import type { SchemaNode } from './validate-schema.ts';
import { about, unknownField } from './validate-words.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A field that the schema knows. */
interface Known {
  check: Check;
  required: boolean;
}

export function compileObject(
  schema: SchemaNode,
  inherited: Inherited,
): ((value: Fields, into: Mistakes) => void) | undefined {
  const { properties = {}, required = [], additionalProperties, propertyNames } = schema;
  const known = new Map<string, Known>();
  for (const [key, property] of Object.entries(properties))
    known.set(key, { check: compileSchema(property, inherited), required: required.includes(key) });
  for (const key of required)
    if (!known.has(key)) throw new Error(`the schema requires ${key}, which it does not know`);
  const others = typeof additionalProperties === 'object' ? compileSchema(additionalProperties, inherited) : undefined;
  const names = propertyNames === undefined ? undefined : compileNames(propertyNames as SchemaNode);
  const closed = additionalProperties === false;
  const open = !others && !names && !closed;
  if (known.size === 0 && open) return undefined;
  const words = [...known.keys()];

  const unknown = (value: Fields, key: string, into: Mistakes) => {
    names?.(key, into);
    if (others) inside(others, value[key], key, into);
    else if (closed && into.strictUnknown) {
      if (into.isFull) into.addUntold(1);
      else into.add(unknownField(key, words), key);
    }
  };
  const absent = (value: Fields, count: number, into: Mistakes) => {
    into.shapeHolds = false;
    if (into.isFull) into.addUntold(count);
    else
      for (const key of required)
        if (!Object.hasOwn(value, key) || value[key] === undefined) into.say(into.words.required(properties[key]), key);
  };
  return (value, into) => {
    const keys = Object.keys(value);
    let present = 0;
    let strange = 0;
    for (const key of keys) {
      const field = known.get(key);
      if (field === undefined) strange++;
      else if (field.required && value[key] !== undefined) present++;
    }
    if (strange > 0 && !open) for (const key of keys) if (!known.has(key)) unknown(value, key, into);
    if (present < required.length) absent(value, required.length - present, into);
    if (strange === keys.length) return;
    for (const key of keys) {
      const field = known.get(key);
      if (field !== undefined && value[key] !== undefined) inside(field.check, value[key], key, into);
    }
  };
}

function inside(check: Check, value: unknown, key: string | number, into: Mistakes): void {
  into.enter(key);
  check(value, into);
  into.leave();
}

/** Keys are strings; their rule is a pattern. */
function compileNames(rule: SchemaNode): (key: string, into: Mistakes) => void {
  const pattern = new RegExp(rule.pattern as string, 'u');
  return (key, into) => {
    if (pattern.test(key)) return;
    if (into.isFull) into.addUntold(1);
    else into.add(`has the key ${shown(key)}, which must match ${rule.pattern}${about(rule)}`);
  };
}

export function compileArray(
  schema: SchemaNode,
  inherited: Inherited,
): ((list: readonly unknown[], into: Mistakes) => void) | undefined {
  const {
    items,
    minItems,
    maxItems,
    'x-kubernetes-list-map-keys': keys,
  } = schema as SchemaNode & {
    minItems?: number;
    maxItems?: number;
  };
  const check = items && compileSchema(items, inherited);
  const unique = schema['x-kubernetes-list-type'] === 'set';
  if (!check && minItems === undefined && maxItems === undefined && !keys) return undefined;
  return (list, into) => {
    if (minItems !== undefined && list.length < minItems) {
      into.shapeHolds = false;
      into.say(into.words.tooFewItems(minItems, list.length, into.at()));
    }
    if (maxItems !== undefined && list.length > maxItems) {
      // Not looked into: nothing relies on its items.
      into.shapeHolds = false;
      into.say(into.words.tooManyItems(maxItems, list.length));
      return;
    }
    if (check) for (let index = 0; index < list.length; index++) inside(check, list[index], index, into);
    if (keys) uniqueKeys(list, keys, inherited.secret, into);
    if (unique) uniqueItems(list, inherited.secret, into);
  };
}

/** Two items of a list map must differ in their keys (Kubernetes API conventions, `listType=map`). */
function uniqueKeys(list: readonly unknown[], keys: readonly string[], secret: boolean, into: Mistakes): void {
  const { ofServer, noKeys } = into.words;
  const strange = ofServer ? list.findIndex((item) => typeof item !== 'object' || Array.isArray(item)) : -1;
  if (strange >= 0) {
    into.say(noKeys(list[strange]), strange);
    return;
  }
  const first = new Map<string, number>();
  const told = new Set<string>();
  for (const [index, item] of list.entries()) {
    if (typeof item !== 'object' || item === null) continue;
    const values = keys.map((key) => (Object.hasOwn(item, key) ? (item as Fields)[key] : undefined));
    // One that is missing, or no scalar, is a mistake of its own.
    if (values.some((value) => value === undefined || (typeof value === 'object' && value !== null))) continue;
    const identity = values.length === 1 ? `${typeof values[0]} ${values[0]}` : JSON.stringify(values);
    const before = first.get(identity);
    if (before === undefined) first.set(identity, index);
    else if (ofServer && told.has(identity)) continue;
    else if (into.isFull) into.addUntold(1);
    else {
      told.add(identity);
      into.say(into.words.twice(keys, item, before, secret), index);
    }
  }
}

/** `listType=set`, of scalars. */
function uniqueItems(list: readonly unknown[], secret: boolean, into: Mistakes): void {
  const first = new Map<unknown, number>();
  const told = new Set<unknown>();
  for (const [index, item] of list.entries()) {
    if (typeof item === 'object' && item !== null) continue;
    const before = first.get(item);
    if (before === undefined) first.set(item, index);
    else if (into.words.ofServer && told.has(item)) continue;
    else if (into.isFull) into.addUntold(1);
    else {
      told.add(item);
      into.say(into.words.twice([], item, before, secret), index);
    }
  }
}
