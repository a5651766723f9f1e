/** Protobuf's wire format, read strictly: what is no text in UTF-8, or ends early, is an error. */

/** The bytes are not what they should be. */
export class Malformed extends Error {}

const TEXT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Wire types (protobuf encoding specification). Groups, 3 and 4, are not used by proto3 nor by Kubernetes. */
export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

export class Reader {
  readonly #bytes: Uint8Array;
  #at: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** Number and wire type of the next field. */
  tag(): { field: number; wire: number } {
    const tag = this.#varint();
    const field = Number(tag >> 3n);
    if (field < 1 || field > 536_870_911) throw new Malformed('a field has a number that none can have');
    return { field, wire: Number(tag & 7n) };
  }

  /** A signed integer of 64 bits, two's complement, as int32, int64 and bool are sent. */
  integer(): bigint {
    return BigInt.asIntN(64, this.#varint());
  }

  bytes(): Uint8Array {
    const { start, end } = this.#part();
    return this.#bytes.subarray(start, end);
  }

  text(): string {
    try {
      return TEXT.decode(this.bytes());
    } catch (error) {
      if (error instanceof Malformed) throw error;
      throw new Malformed('a text is not in UTF-8');
    }
  }

  /** What is inside the next field. */
  inside(): Reader {
    const { start, end } = this.#part();
    return new Reader(this.#bytes, start, end);
  }

  #part(): { start: number; end: number } {
    const length = this.#varint();
    if (length > BigInt(this.#end - this.#at)) throw new Malformed('a field ends behind the message');
    const start = this.#at;
    this.#at += Number(length);
    return { start, end: this.#at };
  }

  #varint(): bigint {
    // Nearly all are short.
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt(low);
    }
    let value = BigInt(low);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new Malformed('a number has more than 64 bits');
  }

  #byte(): number {
    const byte = this.#at < this.#end ? this.#bytes[this.#at++] : undefined;
    if (byte === undefined) throw new Malformed('the message ends in the middle of a field');
    return byte;
  }
}
