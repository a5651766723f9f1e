/** A request as handlers see it, over HTTP/1.1 and HTTP/2 alike. */
import type { IncomingHttpHeaders } from 'node:http';
import { terminal } from '@plumb/schemas';
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
}

export class ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Aborted when the client goes away or the server ends. */
  readonly signal: AbortSignal;
  /** Who asks; set once the token was checked. */
  user: User | undefined;
  readonly #incoming: Incoming;
  #segments: string[] | undefined;

  constructor(incoming: Incoming, signal: AbortSignal) {
    const url = incoming.url ?? '/';
    const mark = url.indexOf('?');
    this.method = incoming.method ?? 'GET';
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
    this.headers = incoming.headers;
    this.signal = signal;
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

  /** The body. Throws PlumbError `RequestEntityTooLarge` above {@link MAX_BODY_BYTES}. */
  async bytes(): Promise<Buffer> {
    if (Number(this.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge();
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of this.#incoming) {
      size += chunk.length;
      if (size > MAX_BODY_BYTES) throw tooLarge();
      chunks.push(chunk);
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

function tooLarge() {
  return terminal('RequestEntityTooLarge', `the body is larger than ${MAX_BODY_BYTES} bytes`);
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw badRequest(`the path holds ${segment}, which is no percent-encoded text`);
  }
}
