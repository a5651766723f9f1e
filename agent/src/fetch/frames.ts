/**
 * What the agent and its fetcher say to each other, in frames over one socket: type, number of the fetch, length, payload.
 * The fetcher reads what strangers send, so that the agent takes nothing of it for granted.
 */
import { PlumbError } from '@plumb/schemas/meta/error.ts';
import { printable } from '@plumb/schemas/meta/printable.ts';

export const FRAME = {
  /** Agent: the payload is a {@link FetcherSetup}; the first frame, once. */
  setup: 1,
  /** Agent: fetch the URL in the payload. */
  open: 2,
  /** Agent: so many bytes more may be sent; a 32-bit number. */
  credit: 3,
  /** Agent: nobody wants it any more. */
  cancel: 4,
  /** Fetcher: opened; the size that was announced, as text, or nothing. */
  opened: 5,
  data: 6,
  end: 7,
  /** Fetcher: failed; see {@link failureText}. */
  failed: 8,
  /** Fetcher: a line for the log; number 0. */
  log: 9,
} as const;

export interface Frame {
  type: number;
  id: number;
  payload: Buffer;
}

const HEADER_BYTES = 9;
export const MOST_PAYLOAD_BYTES = 256 * 1024;
/** Bytes of one fetch that may be under way: what the fetcher and the socket hold of it at most. */
export const WINDOW_BYTES = 1024 * 1024;

export function encodeFrame(type: number, id: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(type, 0);
  header.writeUInt32BE(id, 1);
  header.writeUInt32BE(payload.length, 5);
  return Buffer.concat([header, payload]);
}

/** Cuts what comes in into frames. Keeps less than one frame. */
export class FrameReader {
  #parts: Buffer[] = [];
  #bytes = 0;

  /** The frames that are complete with `chunk`. Throws an Error for one that is longer than allowed. */
  *read(chunk: Buffer): Generator<Frame, void, undefined> {
    this.#parts.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes >= HEADER_BYTES) {
      const header = this.#joined(HEADER_BYTES);
      const length = header.readUInt32BE(5);
      if (length > MOST_PAYLOAD_BYTES) throw new Error(`a frame of ${length} bytes`);
      if (this.#bytes < HEADER_BYTES + length) return;
      const whole = this.#joined(HEADER_BYTES + length);
      const rest = whole.subarray(HEADER_BYTES + length);
      this.#parts = rest.length === 0 ? [] : [rest];
      this.#bytes = rest.length;
      const payload = whole.subarray(HEADER_BYTES, HEADER_BYTES + length);
      yield { type: header.readUInt8(0), id: header.readUInt32BE(1), payload };
    }
  }

  /** At least so many bytes, which are there, as the first part. */
  #joined(bytes: number): Buffer {
    if (this.#parts[0]!.length < bytes) this.#parts = [Buffer.concat(this.#parts)];
    return this.#parts[0]!;
  }
}

/** A number in a frame. */
export function numberPayload(value: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(value);
  return payload;
}

export function failureText({ reason, message, retry }: PlumbError): Buffer {
  return Buffer.from(JSON.stringify({ reason, message, retry }));
}

/** Reasons that a fetcher may give. */
const REASONS: ReadonlySet<unknown> = new Set(['ImageSourceRefused', 'ImageNotFound', 'ImageUnavailable']);
const MOST_MESSAGE = 1000;

/** The failure that a fetcher tells; undefined when that is none that it may tell. */
export function parseFailure(payload: Buffer): PlumbError | undefined {
  try {
    const { reason, message, retry } = JSON.parse(payload.toString('utf8'));
    if (!REASONS.has(reason) || typeof message !== 'string' || (retry !== 'retry' && retry !== 'terminal'))
      return undefined;
    return new PlumbError({ reason, message: printable(message, MOST_MESSAGE), retry });
  } catch {
    return undefined;
  }
}
