/** The words that many objects say, each with a number: names of networks, sums of images, keys, sentences. */

/** So that a number fits two bytes; cf. packed-strings.ts. */
export const MAX_WORDS = 12_480;
const MIN_LENGTH = 3;
/** Of this many objects one is listened to, but for the first: what many say is soon heard. */
const LISTEN_EVERY = 4;
const LISTEN_FIRST = 100;
/** Bounds of what was said once and is waited for to be said again. */
const CANDIDATES = 4_096;
const CANDIDATE_CHARS = 1_000_000;

/**
 * Learns a word when a second object says it soon after a first: what only one object says, however often it is written, is
 * never learned. Words are not forgotten, so their number is bounded.
 */
export class Vocabulary {
  readonly #words: string[] = [];
  readonly #numbers = new Map<string, number>();
  /** Text → the object that said it. Two generations: when the younger is full, it takes the place of the older. */
  #younger = new Map<string, string>();
  #older = new Map<string, string>();
  #chars = 0;
  #objects = 0;
  #listens = true;

  /** What follows is said by another object. */
  next(): void {
    this.#objects++;
    this.#listens = this.#objects <= LISTEN_FIRST || this.#objects % LISTEN_EVERY === 0;
  }

  /** The number of the word, or -1 when it is none. `speaker`: uid of the object that says it. */
  numberOf(text: string, speaker: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    if (!this.#listens || text.length < MIN_LENGTH || this.#words.length >= MAX_WORDS) return -1;
    const first = this.#younger.get(text) ?? this.#older.get(text);
    if (first === undefined) this.#note(text, speaker);
    if (first === undefined || first === speaker) return -1;
    const number = this.#words.length;
    // A copy of its own: the text may be a part of a long one, which would be kept with it.
    const word = Buffer.from(text, 'utf16le').toString('utf16le');
    this.#words.push(word);
    this.#numbers.set(word, number);
    return number;
  }

  /** The word of a number that `numberOf` gave. */
  word(number: number): string {
    return this.#words[number]!;
  }

  #note(text: string, speaker: string): void {
    this.#younger.set(text, speaker);
    this.#chars += text.length;
    if (this.#younger.size < CANDIDATES && this.#chars < CANDIDATE_CHARS) return;
    this.#older = this.#younger;
    this.#younger = new Map();
    this.#chars = 0;
  }
}
