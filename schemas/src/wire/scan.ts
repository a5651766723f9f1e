/**
 * Counts and measures what bytes hold before anything is made of them. A message of two bytes becomes an object of a hundred:
 * a frame within its bound could take fifty times as much memory as it has bytes.
 *
 * The shapes come from agent.proto; the bounds are named by message and field, e.g. `Snapshot.resources`.
 */
import type protobuf from 'protobufjs';

export interface Bound {
  /** Elements of a list, or bytes of a text. */
  most: number;
  /** Name of the limit, for the sentence that says what was broken. */
  limit: string;
}

export interface Bounds {
  /** Elements of lists; a list that is not here has no bound of its own. */
  lists: Readonly<Record<string, Bound>>;
  /** Bytes of texts. */
  texts: Readonly<Record<string, Bound>>;
}

/** The bytes are no such message: what follows cannot be understood either. */
export class Undecodable extends Error {}

/** A part of the bytes. */
export interface Span {
  from: number;
  to: number;
}

interface FieldRule {
  name: string;
  wireType: number;
  repeated: boolean;
  elements: Bound | undefined;
  bytes: Bound | undefined;
  of: MessageRule | undefined;
}

type MessageRule = ReadonlyMap<number, FieldRule>;

const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;

/** Fields that are not known here, in one message: a newer peer has a few. */
const MOST_UNKNOWN = 64;

export class Scanner {
  readonly #rule: MessageRule;

  constructor(type: protobuf.Type, bounds: Bounds) {
    this.#rule = ruleOf(type, bounds);
  }

  /**
   * What is wrong with the message at `span`; undefined when it is within all bounds. Throws {@link Undecodable} when it is
   * no message.
   */
  problem(bytes: Uint8Array, { from, to }: Span): string | undefined {
    return scan(new Cursor(bytes, from, to), this.#rule);
  }
}

/**
 * The spans of field 1, a list of messages, of which `bytes` consist. Throws {@link Undecodable} also when there are more than
 * `most`, before the rest is looked at.
 */
export function spansOfList(bytes: Uint8Array, most: number): Span[] {
  const spans: Span[] = [];
  const cursor = new Cursor(bytes, 0, bytes.length);
  for (let unknown = 0; cursor.at < cursor.end; ) {
    const tag = cursor.varint();
    if (tag === ((1 << 3) | LENGTH)) {
      if (spans.length === most) throw new Undecodable(`it holds more than ${most} messages`);
      spans.push(cursor.span());
    } else if (tag >>> 3 === 1) throw new Undecodable('a message is not of its type');
    else if (++unknown > MOST_UNKNOWN) throw new Undecodable('it holds too many fields that are not known here');
    else cursor.skip(tag & 7);
  }
  return spans;
}

/** The bytes of text field 1, e.g. the host of a message; the last one counts. Undefined when there is none. */
export function firstText(bytes: Uint8Array, span: Span): Span | undefined {
  const cursor = new Cursor(bytes, span.from, span.to);
  let found: Span | undefined;
  while (cursor.at < cursor.end) {
    const tag = cursor.varint();
    if (tag === ((1 << 3) | LENGTH)) found = cursor.span();
    else cursor.skip(tag & 7);
  }
  return found;
}

function ruleOf(type: protobuf.Type, bounds: Bounds): MessageRule {
  const rule = new Map<number, FieldRule>();
  for (const field of type.fieldsArray) {
    const { resolvedType, repeated, name } = field.resolve();
    const path = `${type.name}.${name}`;
    const isMessage = resolvedType !== null && 'fieldsArray' in resolvedType;
    rule.set(field.id, {
      name,
      repeated,
      wireType: isMessage || field.type === 'string' ? LENGTH : VARINT,
      elements: repeated ? bounds.lists[path] : undefined,
      bytes: field.type === 'string' ? bounds.texts[path] : undefined,
      of: isMessage ? ruleOf(resolvedType as protobuf.Type, bounds) : undefined,
    });
  }
  return rule;
}

function scan(cursor: Cursor, rule: MessageRule): string | undefined {
  const counts = new Map<number, number>();
  let unknown = 0;
  let problem: string | undefined;
  while (cursor.at < cursor.end) {
    const tag = cursor.varint();
    const field = rule.get(tag >>> 3);
    if (field === undefined) {
      if (++unknown > MOST_UNKNOWN) throw new Undecodable('it holds too many fields that are not known here');
      cursor.skip(tag & 7);
      continue;
    }
    if ((tag & 7) !== field.wireType) throw new Undecodable(`${field.name} is not of its type`);
    const count = (counts.get(tag) ?? 0) + 1;
    counts.set(tag, count);
    // A second value of what has one would be merged with the first: no peer of ours says that.
    if (count > 1 && !field.repeated) throw new Undecodable(`${field.name} is said twice`);
    if (field.elements && count > field.elements.most) problem ??= tooMuch(field, 'elements', field.elements);
    if (field.wireType === VARINT) {
      cursor.varint();
      continue;
    }
    const { from, to } = cursor.span();
    if (field.bytes && to - from > field.bytes.most) problem ??= tooMuch(field, 'bytes', field.bytes);
    // What was too much already is not looked into: it is not decoded.
    if (field.of && problem === undefined) problem = scan(new Cursor(cursor.bytes, from, to), field.of);
  }
  return problem;
}

function tooMuch({ name }: FieldRule, unit: string, { most, limit }: Bound): string {
  return `${name} has more than ${most} ${unit} (${limit})`;
}

class Cursor {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, from: number, to: number) {
    this.bytes = bytes;
    this.at = from;
    this.end = to;
  }

  /** The lowest 32 bits; what is longer than 64 bits is no number. */
  varint(): number {
    const { bytes, end } = this;
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.at >= end) throw new Undecodable('it ends in the middle of a number');
      const byte = bytes[this.at++]!;
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new Undecodable('a number is too long');
  }

  span(): Span {
    const length = this.varint();
    const from = this.at;
    if (length > this.end - from) throw new Undecodable('it ends in the middle of a field');
    this.at = from + length;
    return { from, to: this.at };
  }

  skip(wireType: number): void {
    if (wireType === VARINT) this.varint();
    else if (wireType === LENGTH) this.span();
    else if (wireType === FIXED64) this.#jump(8);
    else if (wireType === FIXED32) this.#jump(4);
    else throw new Undecodable('a field is of no known type');
  }

  #jump(length: number): void {
    if (length > this.end - this.at) throw new Undecodable('it ends in the middle of a field');
    this.at += length;
  }
}
