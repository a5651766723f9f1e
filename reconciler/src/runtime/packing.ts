/**
 * Objects as few bytes: about a sixth of their JSON text, a tenth of what they take as values. Objects of a kind are built alike and say the same words, so a packed object is its uid and name, the number of its shape (names and
 * nesting of its fields, lengths of its lists), and its leaves, in which common words are numbers.
 *
 * Every JSON value comes back equal, its fields in their order; what has a shape that is too rare is kept as text. What was packed can
 * be unpacked at any later time by the packer that packed it.
 */
import type { PlumbObject } from '@plumb/schemas';
import { PackedReader, PackedWriter } from './packed-strings.ts';
import { Vocabulary } from './vocabulary.ts';

const SHAPED = 1;
const TEXT = 2;
/** Shapes are never forgotten, so their number is bounded: of all of them, and of the steps by which they are found. */
const MAX_SHAPES = 16_384;
const MAX_STEPS = 100_000;

/** What was met on the way through an object; field names are met as themselves. */
const STRING = Symbol('string');
const INTEGER = Symbol('integer');
const NUMBER = Symbol('number');
const TRUE = Symbol('true');
const FALSE = Symbol('false');
const NULL = Symbol('null');
const LIST = Symbol('list');
const ITEM = Symbol('item');
const RECORD = Symbol('record');
const END = Symbol('end');
/** metadata.name and metadata.uid: they are at the head of what is packed. */
const NAME = Symbol('name');
const UID = Symbol('uid');
/** Maps with keys of people's choice, as JSON text. */
const MAP = Symbol('map');
/** What a manager owns, as JSON text: objects that are declared alike say the same, so that it is one word. */
const OWNED = Symbol('owned');
/** Of these texts the values are kept and given out again, since nothing changes them. */
const MAX_OWNED = 1_024;
type Step = symbol | string;

type Shape = symbol | { keys: string[]; fields: Shape[] } | Shape[];

/** A place on the way: where each step leads, and the shape that ends here. */
class Place {
  /** The step that was met first here, and where it leads: mostly the only one. */
  step: Step | undefined;
  next: Place | undefined;
  others: Map<Step, Place> | undefined;
  shape = -1;
  /** The word that was said here last, and its number: mostly the next object says the same. */
  word: string | undefined;
  wordNumber = -1;
}

export class Packer {
  readonly #words = new Vocabulary();
  readonly #writer = new PackedWriter();
  readonly #reader = new PackedReader();
  readonly #shapes: Shape[] = [];
  readonly #start = new Place();
  readonly #owned = new Map<string, unknown>();
  #steps = 0;
  #place: Place | undefined = this.#start;
  #uid = '';
  #name = '';

  /** Whatever resourceVersion the object bears is left out. The bytes are good until something else is packed. */
  pack(object: PlumbObject): Uint8Array {
    const { uid, name } = object.metadata;
    const writer = this.#writer;
    this.#uid = uid;
    this.#name = name;
    this.#place = this.#start;
    this.#words.next();
    writer.clear();
    writer.byte(SHAPED);
    writer.uid(uid);
    writer.literal(name);
    const head = writer.length;
    writer.byte(0);
    writer.byte(0);
    this.#walkObject(object);
    const place = this.#place;
    if (place && place.shape < 0) this.#addShape(place, object);
    if (!place || place.shape < 0) {
      writer.clear();
      writer.byte(TEXT);
      writer.utf8(asText(object));
    } else {
      writer.patch(head, place.shape >> 8);
      writer.patch(head + 1, place.shape & 255);
    }
    return writer.bytes();
  }

  /** The object, without resourceVersion. `packed`: a character for each byte. */
  unpack(packed: string): PlumbObject {
    if (packed.charCodeAt(0) === TEXT)
      return JSON.parse(Buffer.from(packed.slice(1), 'latin1').toString('utf8')) as PlumbObject;
    const reader = this.#reader;
    reader.open(packed);
    reader.byte();
    this.#uid = reader.literal();
    this.#name = reader.literal();
    const shape = (reader.byte() << 8) | reader.byte();
    return this.#build(this.#shapes[shape]!) as PlumbObject;
  }

  uidOf(packed: string): string {
    if (packed.charCodeAt(0) === TEXT) return this.unpack(packed).metadata.uid;
    this.#reader.open(packed);
    this.#reader.byte();
    return this.#reader.literal();
  }

  nameOf(packed: string): string {
    if (packed.charCodeAt(0) === TEXT) return this.unpack(packed).metadata.name;
    this.#reader.open(packed);
    this.#reader.byte();
    this.#reader.literal();
    return this.#reader.literal();
  }

  #walkObject(object: PlumbObject): void {
    this.#go(RECORD);
    for (const key in object) {
      const value = object[key as keyof PlumbObject];
      if (value === undefined) continue;
      this.#goField(key);
      if (key === 'metadata') this.#walkMetadata(value as PlumbObject['metadata']);
      else this.#walk(value);
    }
    this.#go(END);
  }

  #walkMetadata(metadata: PlumbObject['metadata']): void {
    this.#go(RECORD);
    for (const key in metadata) {
      const value = metadata[key as keyof typeof metadata];
      if (value === undefined || key === 'resourceVersion') continue;
      this.#goField(key);
      if (key === 'uid') this.#go(UID);
      else if (key === 'name') this.#go(NAME);
      else if (key === 'labels' || key === 'annotations') {
        this.#go(MAP);
        this.#string(JSON.stringify(value));
      } else if (key === 'managedFields') this.#walkManaged(value as NonNullable<typeof metadata.managedFields>);
      else this.#walk(value);
    }
    this.#go(END);
  }

  #walkManaged(entries: readonly Readonly<Record<string, unknown>>[]): void {
    this.#go(LIST);
    for (const entry of entries) {
      this.#go(ITEM);
      this.#go(RECORD);
      for (const key in entry) {
        const value = entry[key];
        if (value === undefined) continue;
        this.#goField(key);
        if (key === 'fieldsV1') {
          this.#go(OWNED);
          this.#string(JSON.stringify(value));
        } else this.#walk(value);
      }
      this.#go(END);
    }
    this.#go(END);
  }

  #walk(value: unknown): void {
    if (!this.#place) return;
    if (typeof value === 'string') {
      this.#go(STRING);
      this.#string(value);
    } else if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'boolean') this.#go(value ? TRUE : FALSE);
    else if (typeof value !== 'object' || value === null) this.#go(NULL);
    else if (Array.isArray(value)) {
      this.#go(LIST);
      for (const item of value) {
        this.#go(ITEM);
        this.#walk(item);
      }
      this.#go(END);
    } else {
      this.#go(RECORD);
      for (const key in value) {
        const field = (value as Record<string, unknown>)[key];
        if (field === undefined) continue;
        this.#goField(key);
        this.#walk(field);
      }
      this.#go(END);
    }
  }

  #string(value: string): void {
    const place = this.#place;
    if (place === undefined) return;
    if (place.word === value) {
      this.#writer.word(place.wordNumber);
      return;
    }
    const number = this.#writer.string(value, this.#uid, this.#words);
    if (number < 0) return;
    place.word = this.#words.word(number);
    place.wordNumber = number;
  }

  #number(value: number): void {
    if (value >= 0 && value <= 0x7fffffff && Number.isInteger(value) && !Object.is(value, -0)) {
      this.#go(INTEGER);
      this.#writer.integer(value);
    } else {
      this.#go(NUMBER);
      this.#writer.literal(JSON.stringify(value));
    }
  }

  #goField(key: string): void {
    // Assigned like other fields it would be the prototype.
    if (key === '__proto__') this.#place = undefined;
    else this.#go(key);
  }

  /** Leads to nowhere when too many shapes are known to learn another. */
  #go(step: Step): void {
    const place = this.#place;
    if (place === undefined) return;
    this.#place = place.step === step ? place.next : (place.others?.get(step) ?? this.#learn(place, step));
  }

  #learn(place: Place, step: Step): Place | undefined {
    if (this.#steps >= MAX_STEPS || this.#shapes.length >= MAX_SHAPES) return undefined;
    this.#steps++;
    const next = new Place();
    if (place.step === undefined) {
      place.step = step;
      place.next = next;
    } else {
      place.others ??= new Map();
      place.others.set(step, next);
    }
    return next;
  }

  #addShape(place: Place, object: PlumbObject): void {
    if (this.#shapes.length >= MAX_SHAPES) return;
    place.shape = this.#shapes.length;
    this.#shapes.push(objectShape(object));
  }

  #build(shape: Shape): unknown {
    if (typeof shape === 'symbol') return this.#leaf(shape);
    if (Array.isArray(shape)) {
      const list: unknown[] = [];
      for (const item of shape) list.push(this.#build(item));
      return list;
    }
    const record: Record<string, unknown> = {};
    const { keys, fields } = shape;
    for (let i = 0; i < keys.length; i++) record[keys[i]!] = this.#build(fields[i]!);
    return record;
  }

  #ownedOf(text: string): unknown {
    const known = this.#owned.get(text);
    if (known !== undefined) return known;
    const owned: unknown = JSON.parse(text);
    if (this.#owned.size < MAX_OWNED) this.#owned.set(text, owned);
    return owned;
  }

  #leaf(shape: symbol): unknown {
    switch (shape) {
      case STRING:
        return this.#reader.string(this.#uid, this.#words);
      case INTEGER:
        return this.#reader.integer();
      case TRUE:
        return true;
      case FALSE:
        return false;
      case NAME:
        return this.#name;
      case UID:
        return this.#uid;
      case MAP:
        return JSON.parse(this.#reader.string(this.#uid, this.#words));
      case OWNED:
        return this.#ownedOf(this.#reader.string(this.#uid, this.#words));
      case NUMBER:
        return JSON.parse(this.#reader.literal());
      default:
        return null;
    }
  }
}

function asText(object: PlumbObject): string {
  const { resourceVersion: _, ...metadata } = object.metadata;
  return JSON.stringify({ ...object, metadata });
}

function objectShape(object: PlumbObject): Shape {
  return recordShape(object, (key, value) => (key === 'metadata' ? metadataShape(value) : shapeOf(value)));
}

function metadataShape(metadata: unknown): Shape {
  const { resourceVersion: _, ...kept } = metadata as PlumbObject['metadata'];
  return recordShape(kept, (key, value) => {
    if (key === 'uid') return UID;
    if (key === 'name') return NAME;
    if (key === 'managedFields') return (value as object[]).map(entryShape);
    return key === 'labels' || key === 'annotations' ? MAP : shapeOf(value);
  });
}

function entryShape(entry: object): Shape {
  return recordShape(entry, (key, value) => (key === 'fieldsV1' ? OWNED : shapeOf(value)));
}

function shapeOf(value: unknown): Shape {
  if (typeof value === 'string') return STRING;
  if (typeof value === 'number')
    return value >= 0 && value <= 0x7fffffff && Number.isInteger(value) && !Object.is(value, -0) ? INTEGER : NUMBER;
  if (typeof value === 'boolean') return value ? TRUE : FALSE;
  if (typeof value !== 'object' || value === null) return NULL;
  return Array.isArray(value) ? value.map(shapeOf) : recordShape(value, (_, field) => shapeOf(field));
}

function recordShape(record: object, of: (key: string, value: unknown) => Shape): Shape {
  const entries = Object.entries(record).filter(([, value]) => value !== undefined);
  return { keys: entries.map(([key]) => key), fields: entries.map(([key, value]) => of(key, value)) };
}
