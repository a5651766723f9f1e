import type { ServerHttp2Stream } from 'node:http2';
import { CallFailure, STATUS, statusTrailers } from './call-failure.ts';
import { FrameReader } from './frame-reader.ts';
import { closeSoon, dropIncoming, RESPONSE_HEADERS } from './stream-call.ts';

export interface Unary {
  /** Largest message that is taken, in bytes. */
  most: number;
  /** What it throws refuses the call. */
  answer(message: Buffer): Promise<Buffer>;
  onRefused(): void;
}

/** Answers the one message of a call. */
export function answerUnary(stream: ServerHttp2Stream, { most, answer, onRefused }: Unary): void {
  const reader = new FrameReader(most);
  const refuse = (error: unknown) => {
    onRefused();
    refuseStream(stream, CallFailure.from(error, 'the call'));
  };
  stream.on('data', (chunk: Buffer) => {
    try {
      reader.push(chunk);
      const message = reader.next();
      if (message === undefined) return;
      stream.removeAllListeners('data');
      answer(message).then((reply) => sendReply(stream, reply), refuse);
    } catch (error) {
      refuse(error);
    }
  });
}

/** Ends a call that was not answered yet. */
export function refuseStream(stream: ServerHttp2Stream, { code, message }: CallFailure): void {
  if (stream.destroyed || stream.headersSent) return;
  stream.respond({ ...RESPONSE_HEADERS, ...statusTrailers(code, message) }, { endStream: true });
  dropIncoming(stream);
  closeSoon(stream);
}

function sendReply(stream: ServerHttp2Stream, reply: Buffer): void {
  if (stream.destroyed) return;
  stream.on('wantTrailers', () => {
    stream.sendTrailers(statusTrailers(STATUS.ok));
    closeSoon(stream);
  });
  stream.respond(RESPONSE_HEADERS, { waitForTrailers: true });
  const head = Buffer.alloc(5);
  head.writeUInt32BE(reply.length, 1);
  stream.end(Buffer.concat([head, reply]));
}
