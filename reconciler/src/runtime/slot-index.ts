const MIN_CELLS = 16;

/**
 * Finds slots by a text that is kept elsewhere: a hash table that holds nothing but the numbers of slots, about twelve bytes
 * each. Several slots may bear the same text.
 */
export class SlotIndex {
  readonly #bears: (slot: number, text: string) => boolean;
  /** Open addressing, linear probing; 0 is an empty cell, n + 1 is slot n. */
  #cells = new Int32Array(MIN_CELLS);
  /** By slot. */
  #hashes = new Int32Array(MIN_CELLS);
  #size = 0;

  /** `bears`: whether the text of the slot is this one. */
  constructor(bears: (slot: number, text: string) => boolean) {
    this.#bears = bears;
  }

  /** A slot of that text, or -1. */
  find(text: string): number {
    const hash = hashOf(text);
    const mask = this.#cells.length - 1;
    for (let cell = hash & mask; this.#cells[cell] !== 0; cell = (cell + 1) & mask) {
      const slot = this.#cells[cell]! - 1;
      if (this.#hashes[slot] === hash && this.#bears(slot, text)) return slot;
    }
    return -1;
  }

  /** The slot must not be in the index. */
  add(slot: number, text: string): void {
    if (slot >= this.#hashes.length) this.#hashes = grown(this.#hashes, slot);
    this.#hashes[slot] = hashOf(text);
    this.#put(slot);
    this.#size++;
    if (this.#size * 4 > this.#cells.length * 3) this.#resize(this.#cells.length * 2);
  }

  /** The slot must be in the index. */
  remove(slot: number): void {
    const mask = this.#cells.length - 1;
    let empty = this.#hashes[slot]! & mask;
    while (this.#cells[empty] !== slot + 1) empty = (empty + 1) & mask;
    // What was pushed on by the one that goes moves back, so that no search ends too early.
    for (let cell = (empty + 1) & mask; this.#cells[cell] !== 0; cell = (cell + 1) & mask) {
      const home = this.#hashes[this.#cells[cell]! - 1]! & mask;
      if (((cell - home) & mask) < ((cell - empty) & mask)) continue;
      this.#cells[empty] = this.#cells[cell]!;
      empty = cell;
    }
    this.#cells[empty] = 0;
    this.#size--;
    if (this.#cells.length > MIN_CELLS && this.#size * 8 < this.#cells.length) this.#resize(this.#cells.length / 2);
  }

  #put(slot: number): void {
    const mask = this.#cells.length - 1;
    let cell = this.#hashes[slot]! & mask;
    while (this.#cells[cell] !== 0) cell = (cell + 1) & mask;
    this.#cells[cell] = slot + 1;
  }

  #resize(cells: number): void {
    const before = this.#cells;
    this.#cells = new Int32Array(cells);
    for (const cell of before) if (cell !== 0) this.#put(cell - 1);
  }
}

/** A copy with room for the index `at`. */
export function grown<T extends Int32Array | Float64Array | Uint8Array>(array: T, at: number): T {
  const larger = new (array.constructor as new (length: number) => T)(Math.max(2 * array.length, at + 1));
  larger.set(array);
  return larger;
}

/** FNV-1a over UTF-16 code units, with the finish of MurmurHash3, so that the low bits are good. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return hash ^ (hash >>> 13);
}
