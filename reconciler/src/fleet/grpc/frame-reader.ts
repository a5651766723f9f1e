/** Messages of gRPC out of the bytes of a call: each has a flag, its length in 4 bytes, and then itself. */
import { CallFailure, STATUS } from './call-failure.ts';

const HEAD = 5;

export class FrameReader {
  /** Largest message that is taken. Looked at when its length is known, before any of it is kept. Bytes. */
  most: number;
  #chunks: Buffer[] = [];
  #held = 0;
  /** Bytes that must be there until the next message is whole; 0: its head is not there yet. */
  #needed = 0;

  constructor(most: number) {
    this.most = most;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#held += chunk.length;
  }

  /**
   * The next message that is whole, without its head; undefined when there is none yet. Throws {@link CallFailure} when it is
   * too large or compressed, which nobody was told to do.
   */
  next(): Buffer | undefined {
    if (this.#needed === 0) {
      if (this.#held < HEAD) return undefined;
      const head = this.#joined();
      if (head[0] !== 0) throw new CallFailure(STATUS.unimplemented, 'compressed messages are not taken');
      const length = head.readUInt32BE(1);
      if (length > this.most)
        throw new CallFailure(
          STATUS.resourceExhausted,
          `a message of ${length} bytes is too large here: ${this.most} are taken`,
        );
      this.#needed = HEAD + length;
    }
    if (this.#held < this.#needed) return undefined;
    const bytes = this.#joined();
    const message = bytes.subarray(HEAD, this.#needed);
    const rest = bytes.subarray(this.#needed);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#held = rest.length;
    this.#needed = 0;
    return message;
  }

  #joined(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0]!;
  }
}
