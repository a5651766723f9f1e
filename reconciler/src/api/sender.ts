/** Sends replies, and no faster than they are taken: what a client does not take is not kept for it without end. */
import type { Http2ServerResponse } from 'node:http2';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { createGzip, gzip } from 'node:zlib';
import { type Clock, retryable } from '@plumb/schemas';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { Reply } from './reply.ts';
import { type Cuttable, Unsent } from './unsent.ts';

/** Characters of a long body that are handed over at a time. */
const PART = 64 * 1024;

/** Bytes from which an answer is worth compressing; as Kubernetes. */
const LONG = 128 * 1024;

/** The least work: on a network of today a smaller answer would not be a faster one. */
const QUICKLY = { level: 1 };

const compress = promisify(gzip);

export class Sender {
  readonly #clock: Clock;
  readonly #unsent: Unsent;
  readonly #stallSeconds: number;
  #stalled = 0;

  constructor(clock: Clock, limits: ServerLimits, metrics?: Metrics) {
    this.#clock = clock;
    this.#unsent = new Unsent({ one: limits.unsentBytesPerConnection, all: limits.unsentBytes });
    this.#stallSeconds = limits.unsentSeconds;
    const cut = (why: string, value: () => number) =>
      metrics?.readCounter('plumb_api_cut_off_total', 'Clients that did not take their answers.', { why }, value);
    cut('stalled', () => this.#stalled);
    cut('unsent', () => this.#unsent.cut);
    metrics?.readGauge('plumb_api_unsent_bytes', 'Answers that clients have not taken.', {}, () => this.#unsent.bytes);
  }

  /** Resolves when the body was handed over. Rejects when the client is gone, or takes nothing. */
  async send(response: Http2ServerResponse, reply: Reply, to: Cuttable, gone: AbortSignal): Promise<void> {
    if (gone.aborted) return;
    const headers: Record<string, string> = {
      'content-type': reply.type,
      'cache-control': 'no-cache, private',
      ...reply.headers,
    };
    const zipped = reply.gzip && (!isWhole(reply.body) || Buffer.byteLength(reply.body) >= LONG);
    if (isWhole(reply.body)) {
      const body = zipped ? await compress(reply.body, QUICKLY) : reply.body;
      return this.#sendWhole(response, reply.status, zipped ? zippedHeaders(headers) : headers, body, to, gone);
    }
    response.writeHead(reply.status, zipped ? zippedHeaders(headers) : headers);
    // HTTP/2 has sent them by now; HTTP/1.1 would wait for the first part, which may be long in coming.
    (response as { flushHeaders?: () => void }).flushHeaders?.();
    const parts = zipped ? Readable.from(reply.body).pipe(createGzip(QUICKLY)) : reply.body;
    for await (const part of parts as AsyncIterable<string | Buffer>) {
      if (gone.aborted) return;
      if (part === '') reply.started?.();
      else await this.#hand(response, part, gone);
    }
    response.end();
  }

  async #sendWhole(
    response: Http2ServerResponse,
    status: number,
    headers: Record<string, string>,
    body: string | Buffer,
    to: Cuttable,
    gone: AbortSignal,
  ): Promise<void> {
    if (body.length <= PART) {
      const bytes = Buffer.byteLength(body);
      response.on('close', this.#unsent.add(to, bytes));
      response.writeHead(status, { ...headers, 'content-length': bytes });
      // As text: HTTP/1.1 then writes it in one piece with its headers.
      response.end(body);
      return;
    }
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
    await this.#hand(response, body, gone);
    response.end();
  }

  /** In pieces: written whole, a list of 100 MiB would be copied whole. */
  async #hand(response: Http2ServerResponse, text: string | Buffer, gone: AbortSignal): Promise<void> {
    for (let from = 0; from < text.length; ) {
      let until = from + PART;
      // A character of two halves stays whole.
      if (typeof text === 'string' && isHighSurrogate(text.charCodeAt(until - 1))) until++;
      const left = Promise.withResolvers<void>();
      const piece = from === 0 && until >= text.length ? text : text.slice(from, until);
      if (!response.write(piece as string, 'utf8', () => left.resolve())) await this.#taken(left, gone);
      from = until;
    }
  }

  /**
   * Waits until the piece has left, and not for the event `drain`: of HTTP/1.1 that may never come (Node 26 keeps it back
   * while the answer holds bytes that are not with the socket yet, and does not make up for it), and a client that
   * takes everything would be cut off as one that takes nothing.
   */
  async #taken(left: PromiseWithResolvers<void>, gone: AbortSignal): Promise<void> {
    const leave = () => left.reject(gone.reason);
    gone.addEventListener('abort', leave, { once: true });
    const stop = this.#clock.after(this.#stallSeconds * 1000, () => {
      this.#stalled++;
      left.reject(retryable('Stalled', `the client has taken nothing for ${this.#stallSeconds} s`));
    });
    try {
      await left.promise;
    } finally {
      stop();
      gone.removeEventListener('abort', leave);
    }
  }
}

function isWhole(body: Reply['body']): body is string | Buffer {
  return typeof body === 'string' || Buffer.isBuffer(body);
}

/** What other headers say of what the answer depends on still holds. */
function zippedHeaders(headers: Record<string, string>): Record<string, string> {
  const { vary } = headers;
  const all =
    vary === undefined || vary.includes('Accept-Encoding') ? (vary ?? 'Accept-Encoding') : `${vary}, Accept-Encoding`;
  return { ...headers, 'content-encoding': 'gzip', vary: all };
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}
