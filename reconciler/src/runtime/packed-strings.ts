/**
 * Strings as bytes, each beginning with a byte that says how it is written:
 *
 *   0–191 the word of that number · 192–239 a word with a larger number, of which one more byte follows
 *   250 a uid: 16 bytes · 251 the uid of the object and the text behind it · 252 a time in whole seconds: 7 bytes
 *   253 text in UTF-16 · 254 in UTF-8 · 255 in Latin-1; the number of bytes first, in the form of LEB128
 */
import type { Vocabulary } from './vocabulary.ts';

const SHORT_WORDS = 192;
const LONG_WORDS = 240;
const UID = 250;
const OWN_UID = 251;
const TIME = 252;
const UTF16 = 253;
const UTF8 = 254;
const LATIN = 255;

const UID_LENGTH = 36;
/** Where the 16 bytes of a uid are in its text. */
const UID_BYTES = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34] as const;
const TIME_PATTERN = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
/** Where the 7 pairs of digits of a time are in its text. */
const TIME_PAIRS = [0, 2, 5, 8, 11, 14, 17] as const;

/** Writes into a buffer that grows, which is used again and again. */
export class PackedWriter {
  #bytes = Buffer.allocUnsafeSlow(4096);
  #at = 0;

  clear(): void {
    this.#at = 0;
  }

  /** Bytes that were written. */
  get length(): number {
    return this.#at;
  }

  /** What was written; good until something else is. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#at++] = value;
  }

  /** Overwrites a byte that was written. */
  patch(at: number, value: number): void {
    this.#bytes[at] = value;
  }

  /** A whole number from 0 to 2^31 - 1. */
  integer(value: number): void {
    this.#room(5);
    let rest = value;
    for (; rest > 127; rest >>>= 7) this.#bytes[this.#at++] = (rest & 127) | 128;
    this.#bytes[this.#at++] = rest;
  }

  utf8(text: string): void {
    this.#room(3 * text.length);
    this.#at += this.#bytes.write(text, this.#at, 'utf8');
  }

  /** Any string of the object with this uid. Returns the number of the word that it is, or -1. */
  string(text: string, uid: string, words: Vocabulary): number {
    if (text.length === 20 && TIME_PATTERN.test(text)) {
      this.byte(TIME);
      for (const at of TIME_PAIRS) this.byte((text.charCodeAt(at) - 48) * 10 + text.charCodeAt(at + 1) - 48);
      return -1;
    }
    if (text.length >= UID_LENGTH && text.startsWith(uid) && uid.length === UID_LENGTH) {
      this.byte(OWN_UID);
      this.literal(text.slice(UID_LENGTH));
      return -1;
    }
    const number = words.numberOf(text, uid);
    if (number >= 0) this.word(number);
    else this.uid(text);
    return number;
  }

  word(number: number): void {
    if (number >= SHORT_WORDS) {
      this.byte(SHORT_WORDS + ((number - SHORT_WORDS) >> 8));
      this.byte((number - SHORT_WORDS) & 255);
    } else this.byte(number);
  }

  /** A string that is a uid, most likely: no other object says it. */
  uid(text: string): void {
    if (text.length !== UID_LENGTH || !this.#uidBytes(text)) this.literal(text);
  }

  literal(text: string): void {
    this.#room(6 + text.length);
    const start = this.#at;
    this.#bytes[this.#at++] = LATIN;
    this.integer(text.length);
    const bytes = this.#bytes;
    let at = this.#at;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 255) {
        this.#at = start;
        this.#wide(text);
        return;
      }
      bytes[at++] = code;
    }
    this.#at = at;
  }

  #wide(text: string): void {
    // What is half a character has no UTF-8.
    const [form, encoding] = text.isWellFormed() ? ([UTF8, 'utf8'] as const) : ([UTF16, 'utf16le'] as const);
    const length = Buffer.byteLength(text, encoding);
    this.#room(6 + length);
    this.#bytes[this.#at++] = form;
    this.integer(length);
    this.#at += this.#bytes.write(text, this.#at, encoding);
  }

  /** False, with nothing written, when the text is not a uid in lower case. */
  #uidBytes(text: string): boolean {
    if (text[8] !== '-' || text[13] !== '-' || text[18] !== '-' || text[23] !== '-') return false;
    this.#room(17);
    let at = this.#at;
    this.#bytes[at++] = UID;
    for (const from of UID_BYTES) {
      const high = hexDigit(text.charCodeAt(from));
      const low = hexDigit(text.charCodeAt(from + 1));
      if (high < 0 || low < 0) return false;
      this.#bytes[at++] = (high << 4) | low;
    }
    this.#at = at;
    return true;
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.#at + bytes));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}

/** Reads what {@link PackedWriter} wrote, in the same order. */
export class PackedReader {
  #text = '';
  #at = 0;
  readonly #scratch = Buffer.alloc(UID_LENGTH, '-');

  /** `text`: a character for each byte. */
  open(text: string): void {
    this.#text = text;
    this.#at = 0;
  }

  byte(): number {
    return this.#text.charCodeAt(this.#at++);
  }

  integer(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  }

  string(uid: string, words: Vocabulary): string {
    const form = this.byte();
    if (form < SHORT_WORDS) return words.word(form);
    if (form < LONG_WORDS) return words.word(SHORT_WORDS + ((form - SHORT_WORDS) << 8) + this.byte());
    if (form === OWN_UID) return uid + this.#literal(this.byte());
    if (form === TIME) return this.#time();
    return this.#literal(form);
  }

  /** What {@link PackedWriter.uid} or {@link PackedWriter.literal} wrote. */
  literal(): string {
    return this.#literal(this.byte());
  }

  #literal(form: number): string {
    if (form === UID) return this.#uid();
    const length = this.integer();
    const start = this.#at;
    this.#at += length;
    const text = this.#text.slice(start, this.#at);
    if (form === LATIN) return text;
    return Buffer.from(text, 'latin1').toString(form === UTF8 ? 'utf8' : 'utf16le');
  }

  #uid(): string {
    for (const at of UID_BYTES) {
      const byte = this.byte();
      this.#scratch[at] = HEX.charCodeAt(byte >> 4);
      this.#scratch[at + 1] = HEX.charCodeAt(byte & 15);
    }
    return this.#scratch.toString('latin1', 0, UID_LENGTH);
  }

  #time(): string {
    const pair = () => PAIRS[this.byte()]!;
    return `${pair()}${pair()}-${pair()}-${pair()}T${pair()}:${pair()}:${pair()}Z`;
  }
}

const HEX = '0123456789abcdef';
const PAIRS = Array.from({ length: 100 }, (_, i) => String(i).padStart(2, '0'));

/** 0 to 15, or -1 for what is no hexadecimal digit in lower case. */
function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  return code >= 97 && code <= 102 ? code - 87 : -1;
}
