/**
 * Strategic merge patches, which typed clients and kubectl send for built-in kinds: merge patches in which lists of some fields are
 * merged by the schema, and directives say what else is meant (apimachinery, pkg/util/strategicpatch).
 */
import { isDeepStrictEqual } from 'node:util';
import type { KindDefinition } from '@plumb/schemas';
import { bodyOf, type SchemaNode } from '@plumb/schemas/project/validate-schema.ts';
import { badRequest } from '../failure.ts';

type Fields = Readonly<Record<string, unknown>>;

const merged = (key?: string): SchemaNode => ({
  type: 'array',
  'x-kubernetes-patch-strategy': 'merge',
  ...(key === undefined ? {} : { 'x-kubernetes-patch-merge-key': key }),
});

/** Lists of metav1.ObjectMeta that are merged. */
const METADATA: SchemaNode = { properties: { finalizers: merged(), ownerReferences: merged('uid') } };

const DIRECTIVE = '$patch';
const RETAIN = '$retainKeys';
const DELETE_FROM = '$deleteFromPrimitiveList/';
const ORDER = '$setElementOrder/';

/** The object with the patch applied; neither is changed. Throws PlumbError `BadRequest` for a directive that cannot be read. */
export function strategicPatch(kind: KindDefinition, object: Fields, patch: Fields): unknown {
  return mergeFields(object, patch, { properties: { ...bodyOf(kind), metadata: METADATA } });
}

function mergeFields(object: Fields, patch: Fields, schema: SchemaNode | undefined): unknown {
  const directive = patch[DIRECTIVE];
  if (directive === 'replace') return withoutDirectives(patch);
  if (directive === 'delete') return {};
  if (directive !== undefined && directive !== 'merge') throw badDirective(directive);
  const result = new Map(Object.entries(object));
  retain(result, patch);
  for (const [key, items] of Object.entries(patch))
    if (key.startsWith(DELETE_FROM)) {
      const name = key.slice(DELETE_FROM.length);
      const list = result.get(name);
      if (!Array.isArray(items)) throw badRequest(`${key.slice(0, 80)} must be a list`);
      if (Array.isArray(list))
        result.set(
          name,
          list.filter((item) => !items.includes(item)),
        );
    }
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$')) {
      if (key.startsWith(ORDER)) orderAlone(result, patch, key, schema);
      continue;
    }
    if (value === null) result.delete(key);
    // As Kubernetes: what is said to replace what is not there comes to nothing.
    else if (!result.has(key) && isFields(value) && value[DIRECTIVE] !== undefined) continue;
    else result.set(key, mergeField(result.get(key), value, propertyOf(schema, key), orderIn(patch, key)));
  }
  // Defines own properties, so that a key called __proto__ stays data.
  return Object.fromEntries(result);
}

function mergeField(
  now: unknown,
  value: unknown,
  schema: SchemaNode | undefined,
  order: unknown[] | undefined,
): unknown {
  if (Array.isArray(value)) {
    if (schema?.['x-kubernetes-patch-strategy'] !== 'merge') return value.map(withoutDirectives);
    return mergeLists(Array.isArray(now) ? now : [], value, schema, order);
  }
  if (!isFields(value)) return value;
  return mergeFields(isFields(now) ? now : {}, value, schema);
}

/** Of a list that is only put in another order. */
function orderAlone(result: Map<string, unknown>, patch: Fields, key: string, schema: SchemaNode | undefined): void {
  const name = key.slice(ORDER.length);
  const list = result.get(name);
  const field = propertyOf(schema, name);
  if (Object.hasOwn(patch, name) || !Array.isArray(list) || field?.['x-kubernetes-patch-strategy'] !== 'merge') return;
  result.set(name, mergeLists(list, [], field, orderIn(patch, name)));
}

function mergeLists(
  list: readonly unknown[],
  patch: readonly unknown[],
  schema: SchemaNode,
  order: unknown[] | undefined,
): unknown[] {
  const key = schema['x-kubernetes-patch-merge-key'] as string | undefined;
  const identity = (item: unknown) => (key === undefined ? item : keyIn(item, key));
  if (order !== undefined) expectOrder(patch, order, identity);
  if (patch.some((item) => isFields(item) && item[DIRECTIVE] === 'replace'))
    return patch.filter((item) => !(isFields(item) && item[DIRECTIVE] !== undefined)).map(withoutDirectives);
  const result = [...list];
  for (const item of patch) {
    const of = identity(item);
    const at = result.findIndex((known) => isDeepStrictEqual(identity(known), of));
    if (isFields(item) && item[DIRECTIVE] === 'delete') {
      if (at >= 0) result.splice(at, 1);
    } else if (at < 0) result.push(withoutDirectives(item));
    else if (isFields(item)) result[at] = mergeFields(result[at] as Fields, item, schema.items);
  }
  const said = patch.filter((item) => !(isFields(item) && item[DIRECTIVE] === 'delete'));
  return ordered(result, list, order ?? said, identity);
}

/** The items of the patch stand in the order that it says. Throws PlumbError `BadRequest`. */
function expectOrder(patch: readonly unknown[], order: readonly unknown[], identity: (item: unknown) => unknown): void {
  const wanted = order.map(identity);
  let last = -1;
  for (const item of patch) {
    if (isFields(item) && item[DIRECTIVE] === 'delete') continue;
    const at = wanted.findIndex((one) => isDeepStrictEqual(one, identity(item)));
    if (at <= last) throw badRequest(`the order of a list in the patch is not the one that its ${ORDER} says`);
    last = at;
  }
}

/**
 * What the client knows in its order; what it does not know, before the first of those that stood behind it.
 */
function ordered(
  merged: readonly unknown[],
  before: readonly unknown[],
  order: readonly unknown[],
  identity: (item: unknown) => unknown,
): unknown[] {
  const wanted = order.map(identity);
  const place = (places: readonly unknown[], item: unknown) =>
    places.findIndex((one) => isDeepStrictEqual(one, identity(item)));
  const known = merged.filter((item) => place(wanted, item) >= 0).sort((a, b) => place(wanted, a) - place(wanted, b));
  const others = merged.filter((item) => place(wanted, item) < 0);
  const old = before.map(identity);
  const result: unknown[] = [];
  while (known.length > 0 || others.length > 0) {
    const [left, right] = [others[0], known[0]];
    if (right === undefined) result.push(others.shift());
    else if (left === undefined) result.push(known.shift());
    else {
      const [a, b] = [place(old, left), place(old, right)];
      result.push(a >= 0 && b >= 0 && a < b ? others.shift() : known.shift());
    }
  }
  return result;
}

function retain(result: Map<string, unknown>, patch: Fields): void {
  const kept = patch[RETAIN];
  if (kept === undefined) return;
  if (!Array.isArray(kept)) throw badRequest(`${RETAIN} must be a list of names`);
  const said = Object.keys(patch).filter((key) => !key.startsWith('$') && patch[key] !== null);
  if (said.some((key) => !kept.includes(key))) throw badRequest(`${RETAIN} must name every field of its patch`);
  for (const key of [...result.keys()]) if (!kept.includes(key)) result.delete(key);
}

function orderIn(patch: Fields, key: string): unknown[] | undefined {
  const order = patch[`${ORDER}${key}`];
  if (order === undefined) return undefined;
  if (!Array.isArray(order)) throw badRequest(`${ORDER}${key.slice(0, 80)} must be a list`);
  return order;
}

function keyIn(item: unknown, key: string): unknown {
  if (isFields(item) && Object.hasOwn(item, key)) return item[key];
  throw badRequest(`an item of a list has no field ${key}, by which its items are merged`);
}

function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives);
  if (!isFields(value)) return value;
  const kept = Object.entries(value).filter(([key, field]) => !isDirective(key) && field !== null);
  return Object.fromEntries(kept.map(([key, field]) => [key, withoutDirectives(field)]));
}

function isDirective(key: string): boolean {
  return key === DIRECTIVE || key === RETAIN || key.startsWith(DELETE_FROM) || key.startsWith(ORDER);
}

function propertyOf(schema: SchemaNode | undefined, key: string): SchemaNode | undefined {
  const { properties } = schema ?? {};
  return properties && Object.hasOwn(properties, key) ? properties[key] : undefined;
}

function badDirective(directive: unknown) {
  return badRequest(`Unknown patch type: ${String(directive).slice(0, 80)}`);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
