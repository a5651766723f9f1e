/**
 * Text from outside, made fit for people: a line of a log, a condition, a terminal. Control characters (line ends, terminal
 * escapes, C1), separators of lines, characters that turn the direction of text and lone surrogates are written as escapes,
 * so that no text can look like two, or like another.
 */

const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * The text with every unprintable character escaped and at most `most` characters long (UTF-16 units; one more says that
 * something was cut). Takes time in proportion to `most`, not to the text.
 */
export function printable(text: string, most: number): string {
  const kept = text.length > most ? cut(text, most) : text;
  const clean = kept.replace(UNPRINTABLE, escaped);
  return text.length > most || clean.length > most ? copyOf(`${cut(clean, most)}…`) : clean;
}

/** In memory of its own: a part of a text keeps the whole of it. */
function copyOf(text: string): string {
  return Buffer.from(text).toString();
}

/** Whether the text may be shown as it is. */
export function isPrintable(text: string): boolean {
  return text.search(UNPRINTABLE) < 0;
}

function escaped(character: string): string {
  return SHORT[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Cuts between characters, not within one. */
function cut(text: string, most: number): string {
  const last = text.charCodeAt(most - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? most - 1 : most);
}
