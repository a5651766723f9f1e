/**
 * JSON that came from outside, as it will be stored. A value is {@link Json} only if it was read from text: then it has no
 * prototype of its own, no cycle, no accessor and no number that text cannot hold, and what is looked at is what is written.
 */
import { type PlumbError, terminal } from '@plumb/schemas';
import { moreSentence } from '@plumb/schemas/project/validate-mistakes.ts';
import { badRequest } from '../failure.ts';
import { fieldsTwice } from './fields-twice.ts';
import { shapeOf } from './shape.ts';

declare const read: unique symbol;

/** A value that was read from JSON text within bounds. */
export interface Json {
  readonly [read]: true;
}

export interface ParsedJson {
  value: Json;
  duplicates: Duplicates;
}

/** Fields that stand twice in one object; the last one counts. */
export interface Duplicates {
  /** Paths of the first ones. */
  paths: readonly string[];
  count: number;
}

export const NO_DUPLICATES: Duplicates = { paths: [], count: 0 };

/** What a body holds, as far as it matters to whether it is taken. */
interface Looked {
  fields: number;
  tooDeep: boolean;
  infinite: boolean;
}

/**
 * Reads JSON text in UTF-8. Throws PlumbError `BadRequest` when it is none, has more than `depth` objects and lists in each
 * other, or holds a number beyond all that are stored.
 */
export function parseJson(bytes: Buffer, depth: number): ParsedJson {
  // Before it is parsed: a parser that goes down takes long to come back.
  const { fields, tooDeep } = shapeOf(bytes, depth);
  if (tooDeep) throw badRequest(`the body has more than ${depth} objects and lists in each other`);
  const text = bytes.toString('utf8');
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    // The parser's own message repeats the text around the mistake, which may hold a secret.
    throw badRequest('the body is not JSON');
  }
  const looked: Looked = { fields: 0, tooDeep: false, infinite: false };
  look(value, depth, looked);
  if (looked.infinite) throw badRequest('the body holds a number that is too large');
  const lost = fields - looked.fields;
  if (lost === 0) return { value, duplicates: NO_DUPLICATES };
  const { paths, all } = fieldsTwice(text);
  // V8 can take a name for another one that is escaped, too: what the text says counts.
  return { value, duplicates: { paths, count: all ? paths.length : Math.max(lost, paths.length) } };
}

/** Counts fields of what lies no deeper than `depth`. */
function look(value: unknown, depth: number, looked: Looked): void {
  if (typeof value === 'object' && value !== null) lookInto(value, depth, looked);
  else if (typeof value === 'number' && !Number.isFinite(value)) looked.infinite = true;
}

function lookInto(container: object, depth: number, looked: Looked): void {
  if (depth === 0) {
    looked.tooDeep = true;
    return;
  }
  const isList = Array.isArray(container);
  const keys = isList ? undefined : Object.keys(container);
  const length = keys ? keys.length : (container as unknown[]).length;
  if (keys) looked.fields += length;
  for (let i = 0; i < length; i++) {
    const value = keys ? (container as Record<string, unknown>)[keys[i]!] : (container as unknown[])[i];
    if (typeof value === 'object') {
      if (value !== null) lookInto(value, depth - 1, looked);
    } else if (typeof value === 'number' && !Number.isFinite(value)) looked.infinite = true;
  }
}

/** Throws PlumbError `BadRequest` when a field stands twice: which of them was meant? */
export function refuseDuplicates(duplicates: Duplicates): void {
  if (duplicates.count > 0) throw badRequest(`strict decoding error: ${duplicateSentences(duplicates).join(', ')}`);
}

/** A sentence of Kubernetes for each field that stands twice. */
export function duplicateSentences({ paths, count }: Duplicates): string[] {
  const named = paths.map((path) => `duplicate field ${JSON.stringify(path)}`);
  const more = count - paths.length;
  return more > 0 ? [...named, `duplicate fields: ${moreSentence(more)}`] : named;
}

/**
 * A value that was made here of {@link Json}, as it will be read from the store. Throws PlumbError `RequestEntityTooLarge`
 * when it lies deeper than `depth` or is larger than `mostBytes`.
 */
export function reread(made: unknown, depth: number, mostBytes: number): Json {
  const looked: Looked = { fields: 0, tooDeep: false, infinite: false };
  look(made, depth, looked);
  if (looked.tooDeep) throw tooLarge(`more than ${depth} objects and lists in each other`);
  const text = JSON.stringify(made) ?? 'null';
  if (text.length > mostBytes || Buffer.byteLength(text) > mostBytes) throw tooLarge(`more than ${mostBytes} bytes`);
  return JSON.parse(text) as Json;
}

function tooLarge(what: string): PlumbError {
  return terminal('RequestEntityTooLarge', `the object would have ${what}`);
}
