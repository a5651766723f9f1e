/**
 * Values as in JSON ↔ Kubernetes' protobuf messages, by their tables. Decoding is whole or not at all: a field that the table does
 * not have is an error, as the client meant something by it.
 */
import { microTime } from '../kinds/builtin/times.ts';
import type { Field, Message, Scalar } from './messages.ts';
import { Malformed, Reader, WIRE } from './reader.ts';
import { Writer } from './writer.ts';

/** The bytes are in order, and say something that is not known here. */
export class NotKnown extends Error {}

type Value = Record<string, unknown>;

/** Throws {@link Malformed} or {@link NotKnown}. */
export function decodeMessage(message: Message, bytes: Uint8Array): Value {
  return decode(message, new Reader(bytes));
}

function decode(message: Message, reader: Reader): Value {
  const value: Value = {};
  while (!reader.isAtEnd) {
    const { field: number, wire } = reader.tag();
    const field = message.byNumber.get(number);
    if (!field) throw new NotKnown(`${message.name} has no field with the number ${number} here`);
    if (wire !== wireOf(field)) throw new Malformed(`${message.name}.${field.name} is of another wire type`);
    take(field, reader, value);
  }
  return value;
}

function take(field: Field, reader: Reader, value: Value): void {
  const { name, repeated, type } = field;
  if (type.of === 'map') {
    value[name] ??= {};
    const map = value[name] as Value;
    const { key, inner } = mapEntry(field, reader.inside());
    Object.defineProperty(map, key, { value: inner, enumerable: true, writable: true, configurable: true });
    return;
  }
  if (repeated) {
    value[name] ??= [];
    const list = value[name] as unknown[];
    list.push(type.of === 'message' ? decode(type.message, reader.inside()) : scalar(type.scalar, reader));
    return;
  }
  if (type.of === 'message') {
    // A message that comes in parts is one (protobuf encoding specification); Go's encoders never do that.
    value[name] = { ...(value[name] as Value | undefined), ...decode(type.message, reader.inside()) };
    return;
  }
  const read = scalar(type.scalar, reader);
  // Go writes the zero value where nothing was set, and JSON leaves it out.
  const isZero = read === undefined || (!type.pointer && (read === '' || read === 0 || read === false));
  if (isZero) delete value[name];
  else value[name] = read;
}

function mapEntry({ name, type }: Field, reader: Reader): { key: string; inner: unknown } {
  const values = type.of === 'map' ? type.values : 'string';
  let key = '';
  let inner: unknown = typeof values === 'string' ? '' : [];
  while (!reader.isAtEnd) {
    const { field, wire } = reader.tag();
    if (wire !== WIRE.bytes || field > 2) throw new Malformed(`an entry of ${name} is none`);
    if (field === 1) key = reader.text();
    else if (values === 'string') inner = reader.text();
    else if (values === 'bytes') inner = base64(reader.bytes());
    // ExtraValue is a list of texts in JSON.
    else inner = decode(values, reader.inside()).items ?? [];
  }
  return { key, inner };
}

function scalar(type: Scalar, reader: Reader): unknown {
  switch (type) {
    case 'string':
      return reader.text();
    case 'bytes':
      return base64(reader.bytes());
    case 'bool':
      return reader.integer() !== 0n;
    case 'int32':
    case 'int64': {
      const number = Number(reader.integer());
      if (!Number.isSafeInteger(number)) throw new Malformed('a number is larger than 2^53');
      return number;
    }
    case 'time':
    case 'microTime':
      return timeText(type, decode(TIMESTAMP, reader.inside()));
    case 'json':
      return jsonIn(decode(FIELDS, reader.inside()).Raw);
  }
}

/** google.protobuf.Timestamp, as which both times of Kubernetes are sent. */
const TIMESTAMP: Message = messageIn('Timestamp', { seconds: 'int64', nanos: 'int32' });
/** FieldsV1: JSON as bytes. */
const FIELDS: Message = messageIn('FieldsV1', { Raw: 'bytes' });

function messageIn(name: string, types: Record<string, Scalar>): Message {
  const fields = Object.entries(types).map(([field, type], index): Field => {
    return { name: field, number: index + 1, repeated: false, type: { of: 'scalar', scalar: type, pointer: false } };
  });
  return {
    name,
    byNumber: new Map(fields.map((field) => [field.number, field])),
    byName: new Map(fields.map((field) => [field.name, field])),
  };
}

/** The first and the last second that a text can say. */
const [FIRST, LAST] = [-62_135_596_800, 253_402_300_799];

function timeText(type: 'time' | 'microTime', { seconds = 0, nanos = 0 }: Value): string | undefined {
  const [whole, parts] = [seconds as number, nanos as number];
  if (whole === 0 && parts === 0) return undefined;
  if (whole < FIRST || whole > LAST || parts < 0 || parts > 999_999_999) throw new Malformed('a time is none');
  const text = new Date(whole * 1000).toISOString().slice(0, 19);
  return type === 'time' ? `${text}Z` : `${text}.${String(Math.floor(parts / 1000)).padStart(6, '0')}Z`;
}

function jsonIn(raw: unknown): unknown {
  if (raw === undefined) return undefined;
  try {
    return JSON.parse(Buffer.from(raw as string, 'base64').toString('utf8'));
  } catch {
    throw new Malformed('fieldsV1 is no JSON');
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}

function wireOf({ type }: Field): number {
  const isNumber = type.of === 'scalar' && ['bool', 'int32', 'int64'].includes(type.scalar);
  return isNumber ? WIRE.varint : WIRE.bytes;
}

/** The value as a message. What the message has no field for, or what is of another type than its field, is left out. */
export function encodeMessage(message: Message, value: unknown): Buffer {
  const writer = new Writer();
  encode(message, value, writer);
  return writer.whole();
}

function encode(message: Message, value: unknown, writer: Writer): void {
  if (!isRecord(value)) return;
  for (const [name, inner] of Object.entries(value)) {
    const field = message.byName.get(name);
    if (!field || inner === undefined || inner === null) continue;
    if (field.type.of === 'map') writeMap(field, inner, writer);
    else if (!field.repeated) write(field, inner, writer);
    else if (Array.isArray(inner)) for (const item of inner) write(field, item, writer);
  }
}

function writeMap({ number, type }: Field, map: unknown, writer: Writer): void {
  if (!isRecord(map) || type.of !== 'map') return;
  const { values } = type;
  // Sorted, as Go writes them.
  for (const [key, inner] of Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)))
    writer.inside(number, (entry) => {
      entry.text(1, key);
      if (values === 'string') entry.text(2, String(inner));
      else if (values === 'bytes') entry.bytes(2, Buffer.from(String(inner), 'base64'));
      else entry.inside(2, (items) => encode(values, { items: inner }, items));
    });
}

function write({ number, type }: Field, value: unknown, writer: Writer): void {
  if (type.of === 'message') {
    writer.inside(number, (inner) => encode(type.message, value, inner));
    return;
  }
  if (type.of !== 'scalar') return;
  switch (type.scalar) {
    case 'string':
      if (typeof value === 'string') writer.text(number, value);
      return;
    case 'bytes':
      if (typeof value === 'string') writer.bytes(number, Buffer.from(value, 'base64'));
      return;
    case 'bool':
      if (typeof value === 'boolean') writer.integer(number, value ? 1 : 0);
      return;
    case 'int32':
    case 'int64':
      if (Number.isSafeInteger(value)) writer.integer(number, value as number);
      return;
    case 'time':
    case 'microTime':
      writeTime(number, value, writer);
      return;
    case 'json':
      writer.inside(number, (inner) => inner.text(1, JSON.stringify(value)));
  }
}

function writeTime(number: number, value: unknown, writer: Writer): void {
  const text = microTime(value);
  const seconds = typeof text === 'string' ? Date.parse(`${text.slice(0, 19)}Z`) / 1000 : Number.NaN;
  if (!Number.isSafeInteger(seconds)) return;
  writer.inside(number, (inner) => {
    inner.integer(1, seconds);
    inner.integer(2, Number((text as string).slice(20, 26)) * 1000);
  });
}

function isRecord(value: unknown): value is Value {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
