/** Which addresses of one network are taken, a bit each: the next free one among 100,000 is found in microseconds. */

/** Addresses of a page: 64 words of 32 bits. */
const PAGE = 2048;
const WORDS = PAGE / 32;
const FULL = 0xffff_ffff;

export class AddressMap {
  /** Only pages on which something is taken are there. */
  readonly #pages = new Map<number, { words: Uint32Array; taken: number }>();

  get isEmpty(): boolean {
    return this.#pages.size === 0;
  }

  take(address: number): void {
    const at = Math.floor(address / PAGE);
    let page = this.#pages.get(at);
    if (page === undefined) {
      page = { words: new Uint32Array(WORDS), taken: 0 };
      this.#pages.set(at, page);
    }
    const word = (address % PAGE) >>> 5;
    const bit = (1 << (address & 31)) >>> 0;
    if ((page.words[word]! & bit) !== 0) return;
    page.words[word]! |= bit;
    page.taken++;
  }

  free(address: number): void {
    const at = Math.floor(address / PAGE);
    const page = this.#pages.get(at);
    const word = (address % PAGE) >>> 5;
    const bit = (1 << (address & 31)) >>> 0;
    if (page === undefined || (page.words[word]! & bit) === 0) return;
    page.words[word]! &= ~bit;
    if (--page.taken === 0) this.#pages.delete(at);
  }

  /** The lowest address at or after `from` that is not taken. Addresses are integers of up to 32 bits. */
  nextFree(from: number): number {
    for (let address = from; ; ) {
      const page = this.#pages.get(Math.floor(address / PAGE));
      if (page === undefined) return address;
      const start = address - (address % PAGE);
      if (page.taken < PAGE) {
        const found = nextZero(page.words, address % PAGE);
        if (found < PAGE) return start + found;
      }
      address = start + PAGE;
    }
  }
}

/** Position of the first bit at or after `from` that is 0; PAGE, if all are 1. */
function nextZero(words: Uint32Array, from: number): number {
  let word = from >>> 5;
  // Bits before `from` count as taken.
  let taken = (words[word]! | ((1 << (from & 31)) - 1)) >>> 0;
  while (taken === FULL) {
    if (++word === WORDS) return PAGE;
    taken = words[word]!;
  }
  return word * 32 + (31 - Math.clz32(~taken & -~taken));
}
