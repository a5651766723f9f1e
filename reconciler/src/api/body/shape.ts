/** What is known of a JSON text before it is parsed: one look at each byte, strings jumped over. */

export interface Shape {
  /** Fields of all objects: the colons outside strings. */
  fields: number;
  /** Whether more objects and lists lie in each other than are allowed; then the rest was not looked at. */
  tooDeep: boolean;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

const IN_QUOTES = 1;
const FIELD = 2;
const OPENS = 3;
const CLOSES = 4;

/** What a byte outside strings stands for; 0 for all that does not matter. */
const meanings = new Uint8Array(256);
meanings[QUOTE] = IN_QUOTES;
for (const [signs, meaning] of [
  [':', FIELD],
  ['[{', OPENS],
  [']}', CLOSES],
] as const)
  for (const sign of signs) meanings[sign.charCodeAt(0)] = meaning;

/** Bytes of a string that are looked at one by one before the rest is jumped over. */
const NEAR = 48;
/** After a short jump, bytes that are looked at one by one. */
const DENSE = 2_048;

/** `bytes`: a text in UTF-8; the shape means something only if JSON.parse takes it. */
export function shapeOf(bytes: Buffer, mostDepth: number): Shape {
  const { length } = bytes;
  let fields = 0;
  let depth = 0;
  for (let at = 0; at < length; at++) {
    const meaning = meanings[bytes[at]!];
    if (meaning === 0) continue;
    if (meaning === IN_QUOTES) {
      // Most strings are short, and have no backslash.
      const near = at + NEAR;
      let byte = 0;
      do byte = bytes[++at]!;
      while (byte !== QUOTE && byte !== BACKSLASH && at < near);
      if (byte !== QUOTE) at = endOfString(bytes, at);
    } else if (meaning === FIELD) fields++;
    else if (meaning === CLOSES) depth--;
    else if (++depth > mostDepth) return { fields, tooDeep: true };
  }
  return { fields, tooDeep: false };
}

/** Place of the quote that closes the string of which `from` is a byte, and no escaped one. */
function endOfString(bytes: Buffer, from: number): number {
  let at = from;
  let near = from + NEAR;
  for (;;) {
    while (at < near) {
      const byte = bytes[at]!;
      if (byte === QUOTE) return at;
      at += byte === BACKSLASH ? 2 : 1;
      if (at >= bytes.length) return at;
    }
    // What precedes the next quote may be a backslash, or a backslash that one precedes.
    const quote = bytes.indexOf(QUOTE, at);
    if (quote < 0) return bytes.length;
    let before = quote;
    while (before > at && bytes[before - 1] === BACKSLASH) before--;
    if ((quote - before) % 2 === 0) return quote;
    near = quote + 1 + (quote - at < DENSE ? DENSE : NEAR);
    at = quote + 1;
  }
}
