/** Protobuf's wire format, written. */
import { WIRE } from './reader.ts';

export class Writer {
  #bytes = Buffer.allocUnsafe(256);
  #length = 0;

  integer(field: number, value: number | bigint): void {
    this.#tag(field, WIRE.varint);
    this.#varint(BigInt.asUintN(64, BigInt(value)));
  }

  text(field: number, text: string): void {
    const length = Buffer.byteLength(text);
    this.#begin(field, length);
    this.#bytes.write(text, this.#length, 'utf8');
    this.#length += length;
  }

  bytes(field: number, bytes: Uint8Array): void {
    this.#begin(field, bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** A message inside this one. */
  inside(field: number, write: (inner: Writer) => void): void {
    const inner = new Writer();
    write(inner);
    this.bytes(field, inner.whole());
  }

  whole(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #begin(field: number, length: number): void {
    this.#tag(field, WIRE.bytes);
    this.#varint(BigInt(length));
    this.#room(length);
  }

  #tag(field: number, wire: number): void {
    this.#varint(BigInt(field * 8 + wire));
  }

  #varint(value: bigint): void {
    this.#room(10);
    let left = value;
    while (left >= 0x80n) {
      this.#bytes[this.#length++] = Number(left & 0x7fn) | 0x80;
      left >>= 7n;
    }
    this.#bytes[this.#length++] = Number(left);
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#length + more));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
