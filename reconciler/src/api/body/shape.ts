/** What is known of a JSON text before it is parsed: one look at each byte, strings jumped over. */

const QUOTE = 0x22;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** Bytes of a string that are looked at one by one before the rest is jumped over. */
const NEAR = 48;
/** After a short jump, bytes that are looked at one by one. */
const DENSE = 2_048;

export interface Shape {
  /** Fields of all objects: the colons outside strings. */
  fields: number;
  /** Whether more objects and lists lie in each other than are allowed; then the rest was not looked at. */
  tooDeep: boolean;
}

/** `bytes`: a text in UTF-8; the shape means something only if JSON.parse takes it. */
export function shapeOf(bytes: Buffer, mostDepth: number): Shape {
  const { length } = bytes;
  let fields = 0;
  let depth = 0;
  for (let at = 0; at < length; at++) {
    const byte = bytes[at]!;
    if (byte === QUOTE) at = endOfString(bytes, at + 1);
    else if (byte === COLON) fields++;
    else if (byte === OPEN || byte === OPEN_LIST) {
      if (++depth > mostDepth) return { fields, tooDeep: true };
    } else if (byte === CLOSE || byte === CLOSE_LIST) depth--;
  }
  return { fields, tooDeep: false };
}

/** Place of the quote that closes the string whose first byte is at `from`. */
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
