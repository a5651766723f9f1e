/** A request as handlers see it, over HTTP/1.1 and HTTP/2 alike. */
import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { type Clock, terminal } from '@plumb/schemas';
import { defaultServerLimits, type ServerLimits } from '@plumb/schemas/limits/server.ts';
import type { User } from '../pki/tokens.ts';
import { type Duplicates, type Json, NO_DUPLICATES, parseJson, refuseDuplicates, reread } from './body/json.ts';
import { badRequest } from './failure.ts';
import { unsupported } from './media.ts';
import { JSON_TYPE } from './reply.ts';

const YAML_TYPE = 'application/yaml';
/** In which objects are taken. */
const TYPES: readonly string[] = [JSON_TYPE, YAML_TYPE];
const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf';

/** What a request comes from: node's request and response objects of either protocol fit. */
export interface Incoming extends AsyncIterable<Buffer> {
  method?: string | undefined;
  url?: string | undefined;
  headers: IncomingHttpHeaders;
  /** Name and value in turn, as they came: where a header came twice, each of its values. */
  rawHeaders?: readonly string[];
  destroy(error?: Error): unknown;
}

/** A client's connection: requests of the same one have the same object. */
export interface Connection {
  /** Address of the client. */
  readonly address: string;
  /** A user has shown a credential on it. */
  identified?(user: string): void;
  /** Something was asked for on it without one. */
  refused?(): void;
}

/** Where a request comes from, and by which clock its body is late. */
export interface Origin {
  source: Connection;
  clock: Clock;
}

/** What a request carries. */
export interface Body {
  value: Json | undefined;
  duplicates: Duplicates;
}

export class ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Aborted when the client goes away or the server ends. */
  readonly signal: AbortSignal;
  /** Bounds on what it may hold; the router sets its own. */
  limits: ServerLimits = defaultServerLimits;
  /** Who asks, or whom that one acts for; set once the token was checked. */
  user: User | undefined;
  /** Who asks, when that one acts for another. */
  actor: User | undefined;
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

  /** Decoded parts of the path; what stands between two slashes that follow each other is empty. Throws PlumbError `BadRequest` when one is no percent-encoded text. */
  get segments(): readonly string[] {
    this.#segments ??= segmentsOf(this.path);
    return this.#segments;
  }

  /** Headers as they came, name and value in turn. */
  get rawHeaders(): readonly string[] {
    return this.#incoming.rawHeaders ?? Object.entries(this.headers).flatMap(([name, value]) => [name, String(value)]);
  }

  /** Media type of the body without its parameters, in lower case. */
  get contentType(): string {
    return (this.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
  }

  /** Bytes of the body as the client declared them: 0 when there is none, undefined when it did not say. */
  get contentLength(): number | undefined {
    const declared = this.headers['content-length'];
    if (declared !== undefined) return Math.min(Number(declared) || 0, this.limits.bodyBytes);
    return this.method === 'GET' || this.method === 'HEAD' ? 0 : undefined;
  }

  /** The body. Throws PlumbError `RequestEntityTooLarge` above the limit. */
  async bytes(): Promise<Buffer> {
    const { bodyBytes, bodySeconds } = this.limits;
    if (Number(this.headers['content-length'] ?? 0) > bodyBytes) throw tooLarge(bodyBytes);
    const chunks: Buffer[] = [];
    let size = 0;
    const take = (chunk: Buffer) => {
      size += chunk.length;
      if (size > bodyBytes) throw tooLarge(bodyBytes);
      this.onBodyBytes?.(size);
      chunks.push(chunk);
    };
    // What is not here by then is given up: who sends slowly takes up no room for ever.
    const late = () => this.#incoming.destroy(new Error('the body did not come in time'));
    const stop = this.#clock.after(bodySeconds * 1000, late);
    try {
      if (this.#incoming instanceof Readable) await readAll(this.#incoming, take);
      else for await (const chunk of this.#incoming) take(chunk);
    } finally {
      stop();
    }
    return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
  }

  /**
   * The body; undefined when there is none. Throws PlumbError `BadRequest` or `UnsupportedMediaType`, and `BadRequest` when a
   * field stands twice in it.
   */
  async json(): Promise<Json | undefined> {
    const { value, duplicates } = await this.parsed();
    refuseDuplicates(duplicates);
    return value;
  }

  /**
   * The body, and which fields stand twice in it. `types` are the media types of JSON that the verb takes. Throws PlumbError
   * `BadRequest` or `UnsupportedMediaType`.
   */
  async parsed(types: readonly string[] = TYPES): Promise<Body> {
    const bytes = await this.bytes();
    if (bytes.length === 0) return { value: undefined, duplicates: NO_DUPLICATES };
    const type = this.contentType || JSON_TYPE;
    const { jsonDepth, bodyBytes } = this.limits;
    if (type === PROTOBUF_TYPE && types.includes(JSON_TYPE)) {
      const { decodeProtobuf } = await import('./body/protobuf.ts');
      return { value: reread(decodeProtobuf(bytes), jsonDepth, bodyBytes), duplicates: NO_DUPLICATES };
    }
    if ((type === YAML_TYPE || type.endsWith('+yaml')) && types.includes(type)) {
      const { parseYaml } = await import('./body/yaml.ts');
      return parseYaml(bytes, this.limits);
    }
    if (!types.includes(type)) {
      throw unsupported(types === TYPES ? undefined : types);
    }
    return parseJson(bytes, jsonDepth);
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

function tooLarge(bodyBytes: number) {
  return terminal('RequestEntityTooLarge', `the body is larger than ${bodyBytes} bytes`);
}

/** Slashes at the end count for nothing; two at the beginning lead nowhere. */
function segmentsOf(path: string): string[] {
  let end = path.length;
  while (path[end - 1] === '/') end--;
  const parts = path.slice(path.startsWith('/') ? 1 : 0, end);
  return parts === '' && !path.startsWith('//') ? [] : parts.split('/').map(decoded);
}

function decoded(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    throw badRequest(`the path holds ${segment}, which is no percent-encoded text`);
  }
}
