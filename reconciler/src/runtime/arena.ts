/**
 * Bytes by slot, in large blocks outside of the garbage collector's heap: a million records cost it nothing. Records are
 * written one behind the other; what becomes free is found again when blocks that are mostly free are written anew.
 */
import { grown } from './slot-index.ts';

const BLOCK = 1 << 20;
/** Before each record: its slot and its length. */
const HEAD = 8;
/** What is larger has its own place. */
const LARGE = BLOCK / 8;
/** Free bytes that are worth no work. */
const SLACK = 4 * BLOCK;

interface Block {
  bytes: Buffer;
  /** Bytes of records that are still there. */
  used: number;
}

export class Arena {
  readonly #blocks: (Block | undefined)[] = [];
  readonly #freeBlocks: number[] = [];
  #current = -1;
  #end = BLOCK;
  #used = 0;
  #count = 0;
  /** By slot: number of the block times its size, and where in it the record is, plus one; 0 when there is none. */
  #places = new Float64Array(16);
  readonly #large = new Map<number, Buffer>();

  has(slot: number): boolean {
    return this.#places[slot] ? true : this.#large.has(slot);
  }

  /** A copy of the record, one character for each byte; '' when there is none. */
  get(slot: number): string {
    const place = this.#places[slot];
    if (!place) return this.#large.get(slot)?.toString('latin1') ?? '';
    const { bytes } = this.#blocks[blockOf(place)]!;
    const at = offsetOf(place);
    return bytes.toString('latin1', at + HEAD, at + HEAD + bytes.readUInt32LE(at + 4));
  }

  /** Keeps a copy of the bytes, in place of what is there. */
  set(slot: number, record: Uint8Array): void {
    this.delete(slot);
    if (slot >= this.#places.length) this.#places = grown(this.#places, slot);
    if (record.length > LARGE) this.#large.set(slot, Buffer.from(record));
    else this.#append(slot, record);
    if (this.#count * BLOCK > 2 * this.#used + SLACK) this.#rewriteEmptiest();
  }

  delete(slot: number): void {
    this.#large.delete(slot);
    const place = this.#places[slot];
    if (!place) return;
    const number = blockOf(place);
    const block = this.#blocks[number]!;
    this.#places[slot] = 0;
    this.#drop(number, HEAD + block.bytes.readUInt32LE(offsetOf(place) + 4));
  }

  /** Bytes of all blocks. */
  get size(): number {
    return this.#count * BLOCK;
  }

  #append(slot: number, record: Uint8Array): void {
    const length = HEAD + record.length;
    if (this.#end + length > BLOCK) this.#begin();
    const block = this.#blocks[this.#current]!;
    block.bytes.writeUInt32LE(slot, this.#end);
    block.bytes.writeUInt32LE(record.length, this.#end + 4);
    block.bytes.set(record, this.#end + HEAD);
    this.#places[slot] = this.#current * BLOCK + this.#end + 1;
    block.used += length;
    this.#used += length;
    this.#end += length;
  }

  #begin(): void {
    const before = this.#current;
    // So that the end of what was written is seen.
    if (before >= 0 && this.#end + HEAD <= BLOCK) this.#blocks[before]!.bytes.writeUInt32LE(0xffff_ffff, this.#end + 4);
    this.#current = this.#freeBlocks.pop() ?? this.#blocks.length;
    this.#blocks[this.#current] = { bytes: Buffer.allocUnsafeSlow(BLOCK), used: 0 };
    this.#count++;
    this.#end = 0;
    if (before >= 0) this.#drop(before, 0);
  }

  #drop(number: number, bytes: number): void {
    const block = this.#blocks[number]!;
    block.used -= bytes;
    this.#used -= bytes;
    if (block.used > 0 || number === this.#current) return;
    this.#blocks[number] = undefined;
    this.#freeBlocks.push(number);
    this.#count--;
  }

  /** Moves the records of the block that has the fewest, so that it becomes free. */
  #rewriteEmptiest(): void {
    let emptiest = -1;
    for (let i = 0; i < this.#blocks.length; i++) {
      const block = this.#blocks[i];
      if (block && i !== this.#current && (emptiest < 0 || block.used < this.#blocks[emptiest]!.used)) emptiest = i;
    }
    if (emptiest < 0) return;
    const { bytes } = this.#blocks[emptiest]!;
    // Until the last record has left it: what has its number after that is another block.
    for (let at = 0; at + HEAD <= BLOCK && this.#blocks[emptiest]?.bytes === bytes; ) {
      const length = bytes.readUInt32LE(at + 4);
      if (length === 0xffff_ffff) return;
      const slot = bytes.readUInt32LE(at);
      if (this.#places[slot] === emptiest * BLOCK + at + 1) {
        const record = bytes.subarray(at + HEAD, at + HEAD + length);
        this.delete(slot);
        this.#append(slot, record);
      }
      at += HEAD + length;
    }
  }
}

function blockOf(place: number): number {
  return Math.floor((place - 1) / BLOCK);
}

function offsetOf(place: number): number {
  return (place - 1) % BLOCK;
}
