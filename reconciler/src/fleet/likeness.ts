/**
 * What lives for objects that are alike but for some words: a text of ShortLines with blanks for them. Made once for very many
 * objects; whether one is like it is found without writing its resources as a text of its own.
 */

/** Stands for the n-th word in a string of an example's specs. Holds control characters, which JSON escapes. */
export function blank(n: number): string {
  return `\x03${n}\x04`;
}

const BLANK = /\\u0003(\d+)\\u0004/;
/** What JSON writes as it is, and what is no mark of ShortLines. */
const PLAIN = /^[\w.:-]*$/;

export class Likeness {
  /** What is before each blank, and behind the last. */
  readonly #pieces: string[];
  /** Which word each blank stands for. */
  readonly #blanks: number[];

  /** `text`: of the example, as ShortLines writes it. */
  constructor(text: string) {
    const parts = text.split(BLANK);
    this.#pieces = parts.filter((_, i) => i % 2 === 0);
    this.#blanks = parts.filter((_, i) => i % 2 === 1).map(Number);
  }

  /** Whether the text is that of the example with these words in its blanks. Words with special characters never are. */
  is(text: string, words: readonly string[]): boolean {
    for (const word of words) if (!PLAIN.test(word)) return false;
    let at = 0;
    for (let i = 0; ; i++) {
      const piece = this.#pieces[i]!;
      if (!text.startsWith(piece, at)) return false;
      at += piece.length;
      if (i === this.#blanks.length) return at === text.length;
      const word = words[this.#blanks[i]!];
      if (word === undefined || !text.startsWith(word, at)) return false;
      at += word.length;
    }
  }
}
