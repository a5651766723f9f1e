/**
 * JSON Patch (RFC 6902) on JSON that was read from text. What it makes is JSON again: it walks own fields only, copies instead
 * of sharing, and takes no name of a prototype. Its work is bounded, since a patch of a kilobyte can ask for a gigabyte.
 */
import { type PlumbError, terminal } from '@plumb/schemas';
import { shown } from '@plumb/schemas/project/shown.ts';
import { badRequest } from '../failure.ts';
import type { Json } from './json.ts';
import { goType } from './type-meta.ts';

export interface PatchBounds {
  /** How deep a path may lead, and what is copied may lie. */
  jsonDepth: number;
  /** As many as a Kubernetes API server takes. */
  patchOperations: number;
  /** Bytes that all copies together may add, and as much again that the operations may pass over. */
  patchGrowthBytes: number;
}

/** An operation that was looked at: its fields have the types that it needs. */
interface Operation {
  index: number;
  op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test';
  path: readonly string[];
  from: readonly string[];
  value: unknown;
}

export type JsonPatch = (document: unknown) => unknown;

const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);
/** What a value costs at least, whatever it is: memory when it is copied, time when it is compared. */
const NODE_BYTES = 16;
/** What an item of a list costs when it is moved. */
const ITEM_BYTES = 8;
const INDEX = /^-?(0|[1-9]\d{0,9})$/;

/** Of a list with so many places; a negative one counts from its end. Beyond them: no such item. */
function indexOf(name: string, places: number): number {
  const number = INDEX.test(name) ? Number(name) : Number.POSITIVE_INFINITY;
  const index = number < 0 ? number + places : number;
  return index < 0 ? Number.POSITIVE_INFINITY : index;
}

/**
 * The patch as a function that changes the document in place and returns it. Throws PlumbError `BadRequest` for a patch that
 * is none; the function throws `Invalid` when an operation does not fit the document.
 */
export function jsonPatch(body: Json | undefined, bounds: PatchBounds): JsonPatch {
  const operations = operationsOf(body, bounds);
  return (document) => {
    const holder = { document };
    const spent = new Spent(bounds);
    for (const operation of operations) apply(holder, operation, spent);
    return holder.document;
  };
}

function operationsOf(body: unknown, { patchOperations, jsonDepth }: PatchBounds): Operation[] {
  // As Kubernetes reads it: nothing is to be done.
  if (body === null) return [];
  if (!Array.isArray(body)) throw undecodable(body, '[]handlers.jsonPatchOp');
  if (body.length > patchOperations)
    throw tooLarge(`a JSON patch has at most ${patchOperations} operations, and this one has ${body.length}`);
  return body.map((sent, index) => {
    if (typeof sent !== 'object' || Array.isArray(sent)) throw undecodable(sent, 'handlers.jsonPatchOp');
    const given = (sent ?? {}) as Record<string, unknown>;
    const field = (name: string) => (Object.hasOwn(given, name) ? given[name] : undefined);
    for (const name of ['op', 'path', 'from'])
      if ((field(name) ?? '') !== '' && typeof field(name) !== 'string')
        throw badRequest(
          `error decoding patch: json: cannot unmarshal ${goType(field(name))} into Go struct field jsonPatchOp.${name} of type string`,
        );
    const op = field('op') as Operation['op'];
    if (!['add', 'remove', 'replace', 'move', 'copy', 'test'].includes(op))
      throw wrong(`operation ${index} of the JSON patch: op must be add, remove, replace, move, copy or test`);
    const path = pointerOf(field('path'), index, 'path', jsonDepth);
    const from = op === 'move' || op === 'copy' ? pointerOf(field('from'), index, 'from', jsonDepth) : [];
    return { index, op, path, from, value: field('value') ?? null };
  });
}

/** A patch whose JSON is of another type. */
export function undecodable(value: unknown, type: string): PlumbError {
  const why =
    value === undefined
      ? 'unexpected end of JSON input'
      : `json: cannot unmarshal ${goType(value)} into Go value of type ${type}`;
  return badRequest(`error decoding patch: ${why}`);
}

/** An operation that is none, or does not fit, as Kubernetes answers it: without a word on what it is about. */
function wrong(message: string): PlumbError {
  return Object.assign(terminal('Invalid', message), { about: {} });
}

/** The names of a JSON Pointer (RFC 6901). */
function pointerOf(pointer: unknown, index: number, field: string, depth: number): string[] {
  const at = `operation ${index} of the JSON patch: ${field}`;
  if (typeof pointer !== 'string' || (pointer !== '' && !pointer.startsWith('/')))
    throw wrong(`${at} must be empty or begin with /`);
  const names = pointer.split('/', depth + 2).slice(1);
  if (names.length > depth) throw badRequest(`${at} leads more than ${depth} levels down`);
  return names.map((escaped) => {
    const name = escaped.includes('~') ? escaped.replaceAll('~1', '/').replaceAll('~0', '~') : escaped;
    if (FORBIDDEN.has(name)) throw badRequest(`${at} holds ${name}, which is no field`);
    return name;
  });
}

/** What the operations of one patch have cost. */
class Spent {
  readonly #bounds: PatchBounds;
  #bytes = 0;
  #passed = 0;

  constructor(bounds: PatchBounds) {
    this.#bounds = bounds;
  }

  /** Bytes that were compared or moved. */
  passes(bytes: number): void {
    this.#passed += bytes;
    if (this.#passed > this.#bounds.patchGrowthBytes)
      throw tooLarge(`a JSON patch may compare and move ${this.#bounds.patchGrowthBytes} bytes`);
  }

  /** A copy of the value, whose size counts. */
  copy(value: unknown, depth = this.#bounds.jsonDepth): unknown {
    if (typeof value !== 'object' || value === null) {
      this.#grows(NODE_BYTES + (typeof value === 'string' ? value.length : 0));
      return value;
    }
    if (depth === 0) throw tooLarge(`a JSON patch copies at most ${this.#bounds.jsonDepth} levels`);
    this.#grows(NODE_BYTES);
    if (Array.isArray(value)) return value.map((item) => this.copy(item, depth - 1));
    const copied: Record<string, unknown> = {};
    for (const name of Object.keys(value)) {
      this.#grows(name.length);
      setField(copied, name, this.copy((value as Record<string, unknown>)[name], depth - 1));
    }
    return copied;
  }

  #grows(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#bounds.patchGrowthBytes)
      throw tooLarge(`a JSON patch may add ${this.#bounds.patchGrowthBytes} bytes`);
  }
}

function apply(holder: { document: unknown }, operation: Operation, spent: Spent): void {
  const { op, path, from, value } = operation;
  switch (op) {
    case 'test':
      if (!isEqual(valueAt(holder, path, operation, true), value, spent))
        throw misfit(operation, 'is not what the patch expects');
      return;
    case 'remove':
      take(holder, path, operation, spent);
      return;
    case 'replace':
      // A field that is not there is added, as Kubernetes does it; an item must be there.
      valueAt(holder, path, operation, true);
      put(holder, path, spent.copy(value), operation, spent, true);
      return;
    case 'add':
      put(holder, path, spent.copy(value), operation, spent);
      return;
    case 'copy':
      put(holder, path, spent.copy(valueAt(holder, from, operation, true)), operation, spent);
      return;
    case 'move':
      if (from.length < path.length && from.every((name, i) => name === path[i]))
        throw misfit(operation, 'cannot be moved into itself');
      put(holder, path, take(holder, from, operation, spent), operation, spent);
  }
}

type Container = Record<string, unknown> | unknown[];

/** `orNull`: of an object that lacks the last name it is null. */
function valueAt(
  holder: { document: unknown },
  path: readonly string[],
  operation: Operation,
  orNull = false,
): unknown {
  let value = holder.document;
  for (const [i, name] of path.entries()) {
    if (orNull && i === path.length - 1 && isObject(value) && !Object.hasOwn(value, name)) return null;
    value = inner(value, name, operation);
  }
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function inner(value: unknown, name: string, operation: Operation): unknown {
  if (Array.isArray(value)) {
    const index = indexOf(name, value.length);
    if (index < value.length) return value[index];
  } else if (typeof value === 'object' && value !== null && Object.hasOwn(value, name)) {
    return (value as Record<string, unknown>)[name];
  }
  throw misfit(operation);
}

/** What holds the last name of the path, which is not empty. */
function containerOf(holder: { document: unknown }, path: readonly string[], operation: Operation): Container {
  const container = valueAt(holder, path.slice(0, -1), operation);
  if (typeof container !== 'object' || container === null) throw misfit(operation);
  return container as Container;
}

/** Puts the value at the path; between the items of a list, unless it takes the place of one. */
function put(
  holder: { document: unknown },
  path: readonly string[],
  value: unknown,
  operation: Operation,
  spent: Spent,
  instead = false,
): void {
  const name = path.at(-1);
  if (name === undefined) {
    if (!instead) throw misfit(operation);
    holder.document = value;
    return;
  }
  const container = containerOf(holder, path, operation);
  if (!Array.isArray(container)) {
    setField(container, name, value);
    return;
  }
  const { length } = container;
  const index = name === '-' ? length : indexOf(name, instead ? length : length + 1);
  if (index > length) throw misfit(operation);
  if (instead) container[index] = value;
  else {
    spent.passes((container.length - index) * ITEM_BYTES);
    container.splice(index, 0, value);
  }
}

/** Takes away what is at the path. */
function take(holder: { document: unknown }, path: readonly string[], operation: Operation, spent: Spent): unknown {
  const name = path.at(-1);
  if (name === undefined) throw misfit(operation);
  const container = containerOf(holder, path, operation);
  const value = inner(container, name, operation);
  if (Array.isArray(container)) {
    const index = indexOf(name, container.length);
    spent.passes((container.length - index) * ITEM_BYTES);
    container.splice(index, 1);
  } else Reflect.deleteProperty(container, name);
  return value;
}

/** JSON that was read may have a field of any name. */
function setField(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
  else object[name] = value;
}

function isEqual(a: unknown, b: unknown, spent: Spent): boolean {
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return a === b;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    spent.passes(a.length * NODE_BYTES);
    return a.every((item, i) => isEqual(item, b[i], spent));
  }
  const names = Object.keys(a);
  spent.passes(names.length * NODE_BYTES);
  if (names.length !== Object.keys(b).length) return false;
  return names.every(
    (name) =>
      Object.hasOwn(b, name) &&
      isEqual((a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name], spent),
  );
}

/** Says nothing of values: they may be secret. */
function misfit({ index, op, path }: Operation, why = `cannot be reached by ${op}`): PlumbError {
  const pointer = path.map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  const message = `operation ${index} of the JSON patch, ${op} ${shown(pointer).slice(1, -1)}, does not fit the object: it ${why}`;
  return wrong(message);
}

function tooLarge(message: string): PlumbError {
  return terminal('RequestEntityTooLarge', message);
}
