/** A request as handlers see it, over HTTP/1.1 and HTTP/2 alike. */
import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { type Clock, terminal } from '@plumb/schemas';
import type { User } from '../pki/tokens.ts';
import { badRequest } from './failure.ts';
import { JSON_TYPE } from './reply.ts';

/** Largest body: as much as a Kubernetes API server takes. */
export const MAX_BODY_BYTES = 3 * 1024 * 1024;

const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf';

/** What a request comes from: node's request and response objects of either protocol fit. */
export interface Incoming extends AsyncIterable<Buffer> {
  method?: string | undefined;
  url?: string | undefined;
  headers: IncomingHttpHeaders;
  destroy(error?: Error): unknown;
}

/** A client's connection: requests of the same one have the same object. */
export interface Connection {
  /** Address of the client. */
  readonly address: string;
}

/** Where a request comes from, and by which clock its body is late. */
export interface Origin {
  source: Connection;
  clock: Clock;
}

/** A body that is not here by then is given up, so that nobody takes up room by sending slowly. Milliseconds. */
const BODY_MS = 30_000;

export class ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Aborted when the client goes away or the server ends. */
  readonly signal: AbortSignal;
  /** Who asks; set once the token was checked. */
  user: User | undefined;
  /** For the audit log: false when it writes nothing (a dry run, a question), else what it wrote beside what its path names. */
  wrote: false | { verb: string; object: string }[] | undefined;
  /** The connection that it came on. */
  readonly source: Connection;
  /** Told how many bytes of the body have come; what it throws ends the reading. */
  onBodyBytes: ((bytes: number) => void) | undefined;
  readonly #incoming: Incoming;
  readonly #clock: Clock;
  #segments: string[] | undefined;

  constructor(incoming: Incoming, signal: AbortSignal, { source, clock }: Origin) {
    const url = incoming.url ?? '/';
    const mark = url.indexOf('?');
    this.method = incoming.method ?? 'GET';
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
    this.headers = incoming.headers;
    this.signal = signal;
    this.source = source;
    this.#clock = clock;
    this.#incoming = incoming;
  }

  /** Decoded parts of the path. Throws PlumbError `BadRequest` when one is no percent-encoded text. */
  get segments(): readonly string[] {
    this.#segments ??= this.path.split('/').filter(Boolean).map(decoded);
    return this.#segments;
  }

  /** Media type of the body without its parameters, in lower case. */
  get contentType(): string {
    return (this.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
  }

  /** Bytes of the body as the client declared them: 0 when there is none, undefined when it did not say. */
  get contentLength(): number | undefined {
    const declared = this.headers['content-length'];
    if (declared !== undefined) return Math.min(Number(declared) || 0, MAX_BODY_BYTES);
    return this.method === 'GET' || this.method === 'HEAD' ? 0 : undefined;
  }

  /** The body. Throws PlumbError `RequestEntityTooLarge` above {@link MAX_BODY_BYTES}. */
  async bytes(): Promise<Buffer> {
    if (Number(this.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge();
    const chunks: Buffer[] = [];
    let size = 0;
    const take = (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_BODY_BYTES) throw tooLarge();
      this.onBodyBytes?.(size);
      chunks.push(chunk);
    };
    const stop = this.#clock.after(BODY_MS, () => this.#incoming.destroy(new Error('the body did not come in time')));
    try {
      if (this.#incoming instanceof Readable) await readAll(this.#incoming, take);
      else for await (const chunk of this.#incoming) take(chunk);
    } finally {
      stop();
    }
    return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
  }

  /**
   * The body as an object; undefined when there is none. `types` are the media types of JSON that the verb takes.
   * Throws PlumbError `BadRequest` or `UnsupportedMediaType`.
   */
  async json(types: readonly string[] = [JSON_TYPE]): Promise<unknown> {
    const bytes = await this.bytes();
    if (bytes.length === 0) return undefined;
    const type = this.contentType || JSON_TYPE;
    if (type === PROTOBUF_TYPE) return (await import('./protobuf-body.ts')).decodeProtobuf(bytes);
    if (!types.includes(type)) {
      throw terminal('UnsupportedMediaType', `a body of type ${type} is not taken here: send ${types.join(' or ')}`);
    }
    try {
      return JSON.parse(bytes.toString('utf8'));
    } catch {
      // The parser's own message repeats the text around the mistake, which may hold a secret.
      throw badRequest('the body is not JSON');
    }
  }

  /** Whether a query parameter is set to true. */
  flag(name: string): boolean {
    const value = this.query.get(name);
    return value === 'true' || value === '1';
  }
}

/** As iterating over the stream does, at a fraction of the cost. What `take` throws ends the stream. */
function readAll(stream: Readable, take: (chunk: Buffer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.on('data', (chunk: Buffer) => {
      try {
        take(chunk);
      } catch (error) {
        reject(error);
        stream.destroy();
      }
    });
    let whole = false;
    stream.on('end', () => {
      whole = true;
      resolve();
    });
    stream.on('error', reject);
    const gone = () => {
      if (!whole) reject(new Error('the client went before it had sent the whole body'));
    };
    stream.on('close', gone);
    // A request may have waited for its turn: of a client that went meanwhile nothing is heard any more.
    if (stream.closed) gone();
  });
}

function tooLarge() {
  return terminal('RequestEntityTooLarge', `the body is larger than ${MAX_BODY_BYTES} bytes`);
}

function decoded(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    throw badRequest(`the path holds ${segment}, which is no percent-encoded text`);
  }
}
