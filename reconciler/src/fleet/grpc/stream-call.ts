import { constants, type ServerHttp2Stream } from 'node:http2';
import type { CallFacts } from '@plumb/schemas/wire/call-metadata.ts';
import { answerMetadata } from '@plumb/schemas/wire/call-metadata.ts';
import type { ServerFrame } from '@plumb/schemas/wire/messages.ts';
import { Undecodable } from '@plumb/schemas/wire/scan.ts';
import type { FrameCall, Heard, Peer } from '../frame-call.ts';
import { CallFailure, STATUS, statusTrailers } from './call-failure.ts';
import { FrameReader } from './frame-reader.ts';

export const RESPONSE_HEADERS = { ':status': 200, 'content-type': 'application/grpc+proto' } as const;

export interface StreamCallOptions {
  stream: ServerHttp2Stream;
  facts: CallFacts;
  peer: Peer;
  /** Called when it is known who speaks. */
  onOpen(): void;
  /** Largest frame before it is known who speaks, and after that. Bytes. */
  bytes: { first: number; open: number };
  /** Throws {@link Undecodable}. */
  decode(frame: Buffer): Heard;
  encode(frame: ServerFrame): Buffer;
}

/** A call of gRPC with frames both ways, over one stream of HTTP/2. */
export class StreamCall implements FrameCall {
  readonly facts: CallFacts;
  readonly peer: Peer;
  readonly #options: StreamCallOptions;
  readonly #stream: ServerHttp2Stream;
  readonly #reader: FrameReader;
  #awaited: ((heard: Heard | undefined) => void) | undefined;
  #listener: ((heard: Heard) => void) | undefined;
  #onEnd: (why: string) => void = () => {};
  #ended: string | undefined;
  /** Whether nothing is to be read, and since which time that was asked for. */
  #held: object | undefined;
  #trailers = statusTrailers(STATUS.ok);

  constructor(options: StreamCallOptions) {
    const { stream } = options;
    this.#options = options;
    this.#stream = stream;
    this.#reader = new FrameReader(options.bytes.first);
    this.facts = options.facts;
    this.peer = options.peer;
    stream.on('data', (chunk: Buffer) => {
      this.#reader.push(chunk);
      this.#read();
    });
    // What nobody has asked for stays where it is: the window of the stream bounds it.
    stream.pause();
    stream.on('end', () => {
      this.#end('the agent took its leave');
      this.end();
    });
    stream.on('close', () => this.#end('the connection was lost'));
    stream.on('wantTrailers', () => {
      stream.sendTrailers(this.#trailers);
      closeSoon(stream);
    });
  }

  first(): Promise<Heard | undefined> {
    const { promise, resolve } = Promise.withResolvers<Heard | undefined>();
    if (this.#ended !== undefined) resolve(undefined);
    this.#awaited = resolve;
    this.#read();
    return promise;
  }

  open(listener: (heard: Heard) => void): void {
    if (this.#ended !== undefined) return;
    this.#listener = listener;
    this.#reader.most = this.#options.bytes.open;
    this.#options.onOpen();
    this.#respond();
    this.#read();
  }

  hold(): () => void {
    const held = {};
    this.#held = held;
    this.#stream.pause();
    return () => {
      if (this.#held !== held) return;
      this.#held = undefined;
      this.#read();
    };
  }

  onEnd(listener: (why: string) => void): void {
    if (this.#ended === undefined) this.#onEnd = listener;
    else listener(this.#ended);
  }

  write(frame: ServerFrame): boolean {
    const stream = this.#stream;
    if (!stream.writable) return true;
    this.#respond();
    const message = this.#options.encode(frame);
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    stream.cork();
    stream.write(head);
    const more = stream.write(message);
    stream.uncork();
    return more;
  }

  once(event: 'drain', listener: () => void): void {
    this.#stream.once(event, listener);
  }

  end(): void {
    if (!this.#stream.writable) return;
    this.#respond();
    this.#stream.end();
    this.#end('the server ended it');
  }

  fail({ code, message }: CallFailure): void {
    const stream = this.#stream;
    if (stream.writable) {
      this.#trailers = statusTrailers(code, message);
      if (stream.headersSent) stream.end();
      else {
        stream.respond({ ...RESPONSE_HEADERS, ...this.#trailers }, { endStream: true });
        closeSoon(stream);
      }
    }
    this.#end(message);
  }

  #respond(): void {
    if (!this.#stream.headersSent && !this.#stream.destroyed)
      this.#stream.respond({ ...RESPONSE_HEADERS, ...answerMetadata }, { waitForTrailers: true });
  }

  /** Hands on what is whole, for as long as somebody wants it. */
  #read(): void {
    try {
      while (this.#ended === undefined && this.#held === undefined && (this.#listener ?? this.#awaited)) {
        const frame = this.#reader.next();
        if (frame === undefined) {
          this.#stream.resume();
          return;
        }
        const heard = this.#options.decode(frame);
        const awaited = this.#awaited;
        this.#awaited = undefined;
        if (this.#listener) this.#listener(heard);
        else awaited?.(heard);
      }
    } catch (error) {
      if (this.#listener === undefined) this.peer.refused();
      if (error instanceof Undecodable)
        this.fail(new CallFailure(STATUS.invalidArgument, `a frame cannot be decoded: ${error.message}`));
      else if (error instanceof CallFailure) this.fail(error);
      else throw error;
    }
    if (this.#ended === undefined) this.#stream.pause();
  }

  #end(why: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = why;
    this.#awaited?.(undefined);
    this.#awaited = undefined;
    this.#listener = undefined;
    dropIncoming(this.#stream);
    this.#onEnd(why);
  }
}

/** Nothing is kept of what still comes. */
export function dropIncoming(stream: ServerHttp2Stream): void {
  stream.removeAllListeners('data');
  stream.resume();
}

/**
 * Ends the stream when what was said of its end has gone, whether the other end stops talking or not. That goes at the end of
 * this turn: node forgets it when the stream is closed before.
 */
export function closeSoon(stream: ServerHttp2Stream): void {
  setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR));
}
