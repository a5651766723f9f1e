import { ProbingTable } from './probing-table.ts';

/**
 * Finds slots by a text that is kept elsewhere: a hash table that holds nothing but the numbers of slots, about twelve bytes
 * each. Several slots may bear the same text.
 */
export class SlotIndex extends ProbingTable {
  readonly #bears: (slot: number, text: string) => boolean;
  /** By slot. */
  #hashes = new Int32Array(16);

  /** `bears`: whether the text of the slot is this one. */
  constructor(bears: (slot: number, text: string) => boolean) {
    super();
    this.#bears = bears;
  }

  protected hash(slot: number): number {
    return this.#hashes[slot]!;
  }

  /** A slot of that text, or -1. */
  find(text: string): number {
    const { cells } = this;
    const hash = hashOf(text);
    const mask = cells.length - 1;
    for (let cell = hash & mask; cells[cell] !== 0; cell = (cell + 1) & mask) {
      const slot = cells[cell]! - 1;
      if (this.#hashes[slot] === hash && this.#bears(slot, text)) return slot;
    }
    return -1;
  }

  /** The slot must not be in the index. */
  add(slot: number, text: string): void {
    if (slot >= this.#hashes.length) this.#hashes = grown(this.#hashes, slot);
    this.#hashes[slot] = hashOf(text);
    this.put(slot);
  }

  /** The slot must be in the index. */
  remove(slot: number): void {
    this.take(slot);
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
