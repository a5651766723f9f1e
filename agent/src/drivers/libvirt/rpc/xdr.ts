/** XDR, the encoding of libvirt's remote protocol (RFC 4506): big endian, everything padded to four bytes. */

/** Collects values into one buffer. Every method returns the writer, so that a structure reads as one chain. */
export class XdrWriter {
  #parts: Buffer[] = [];

  int(value: number): this {
    const part = Buffer.alloc(4);
    part.writeInt32BE(value);
    this.#parts.push(part);
    return this;
  }

  uint(value: number): this {
    const part = Buffer.alloc(4);
    part.writeUInt32BE(value);
    this.#parts.push(part);
    return this;
  }

  /** An unsigned 64-bit integer. */
  uhyper(value: bigint): this {
    const part = Buffer.alloc(8);
    part.writeBigUInt64BE(value);
    this.#parts.push(part);
    return this;
  }

  /** Opaque data whose length both ends know. */
  fixed(value: Uint8Array): this {
    this.#parts.push(Buffer.from(value), Buffer.alloc(padding(value.length)));
    return this;
  }

  string(value: string): this {
    const bytes = Buffer.from(value, 'utf8');
    return this.uint(bytes.length).fixed(bytes);
  }

  /** A string that may be absent (`*` in the protocol's notation). */
  optionalString(value: string | undefined): this {
    return value === undefined ? this.uint(0) : this.uint(1).string(value);
  }

  finish(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

/** Reads values in order. Throws RangeError where the data ends too early. */
export class XdrReader {
  readonly #data: Buffer;
  #offset = 0;

  constructor(data: Buffer) {
    this.#data = data;
  }

  int(): number {
    return this.#take(4).readInt32BE();
  }

  uint(): number {
    return this.#take(4).readUInt32BE();
  }

  uhyper(): bigint {
    return this.#take(8).readBigUInt64BE();
  }

  fixed(length: number): Buffer {
    const value = this.#take(length);
    this.#take(padding(length));
    return value;
  }

  string(): string {
    return this.fixed(this.uint()).toString('utf8');
  }

  optionalString(): string | undefined {
    return this.optional(() => this.string());
  }

  optional<T>(read: () => T): T | undefined {
    return this.uint() === 0 ? undefined : read();
  }

  array<T>(read: () => T): T[] {
    const length = this.uint();
    if (length > this.#data.length)
      throw new RangeError(`XDR: an array of ${length} elements cannot be in this message`);
    return Array.from({ length }, read);
  }

  #take(length: number): Buffer {
    const end = this.#offset + length;
    if (end > this.#data.length)
      throw new RangeError(`XDR: ${length} bytes wanted, ${this.#data.length - this.#offset} left`);
    const value = this.#data.subarray(this.#offset, end);
    this.#offset = end;
    return value;
  }
}

function padding(length: number): number {
  return (4 - (length % 4)) % 4;
}
