/** Requests to the servers of one cloud, as one who has a credential. What was sent is not repeated here. */
import { rootCertificates } from 'node:tls';
import type { Clock } from '@plumb/schemas/meta/ambient.ts';
import { type PlumbError, retryable, terminal } from '@plumb/schemas/meta/error.ts';
import { shownUrl } from '@plumb/schemas/meta/shown-url.ts';
import { type Bounds, defaultBounds } from './bounds.ts';
import { type Connection, guardCredential, type Surroundings } from './connection.ts';
import { ApiError, retryAfter } from './errors.ts';
import { type Credential, PluginCredential } from './exec-plugin.ts';
import { beginning, jsonIn, jsonLines, parsed, wholeText } from './incoming.ts';
import { proxyFor } from './proxy.ts';
import type { SharedWires } from './shared-wires.ts';
import { type Incoming, Unsent, unlessAborted, type Wire, wireError } from './wire.ts';
import { TlsWire } from './wire-tls.ts';

export interface Request {
  method: string;
  /** Path and query, from `/apis` on. */
  path: string;
  body?: unknown;
  /** Media type of the body; `application/json`, if absent. */
  type?: string;
  /** Form that is wanted; `application/json`, if absent. */
  accept?: string;
  /** Whether it is refused when there is such an object (RFC 9110, If-None-Match). */
  onlyNew?: true;
}

// biome-ignore lint/suspicious/noExplicitAny: bodies have the shape that the path says, and are read by their names
export type Body = any;

/** Any answer, also one that is no success. */
export interface Answer {
  status: number;
  /** Undefined when it is empty or not JSON. */
  body: Body;
  text: string;
  /** How long the server asks to be left alone, in milliseconds, if it does. */
  retryAfterMs: number | undefined;
}

export interface TransportOptions {
  connection: Connection;
  clock: Clock;
  /** Of the run that this is for; nothing is taken from this process. */
  surroundings: Surroundings;
  /** Names the program to the server. */
  userAgent: string;
  /** The sentence about a server whose certificate is not believed: what to do differs between programs. */
  untrusted: (server: string, why: string) => string;
  /** Told of every request. Bodies, headers and credentials are never among what it is told. */
  log?: (what: string, fields: Readonly<Record<string, unknown>>) => void;
  bounds?: Partial<Bounds>;
  /** Connections of the process, shared with others who ask as the same. A program's credential is not shared: it changes. */
  wires?: SharedWires;
}

const JSON_TYPE = 'application/json';
const UNAUTHORIZED = 401;

export class Transport {
  readonly bounds: Bounds;
  readonly #options: TransportOptions;
  readonly #connection: Connection;
  readonly #plugin: PluginCredential | undefined;
  /** The certificate of ours that connections show. */
  #shown: Connection['certificate'];
  /** By endpoint, as far as they were used. */
  readonly #wires = new Map<string, Wire>();
  /** Index of the server that is asked. */
  #turn = 0;

  /** Throws terminal `PlainHttp` for a credential that would go over plain HTTP. */
  constructor(options: TransportOptions) {
    this.#options = options;
    this.bounds = { ...defaultBounds, ...options.bounds };
    this.#connection = guardCredential(options.connection, (endpoint) =>
      terminal('PlainHttp', `${endpoint} is plain HTTP, where anyone on the way could read the token: use https`),
    );
    const { exec, certificate } = this.#connection;
    this.#plugin = exec && new PluginCredential(exec, { ...options.surroundings, clock: options.clock });
    this.#shown = certificate;
  }

  /** The server that is asked now, for messages. */
  get endpoint(): string {
    return shownUrl(this.#current);
  }

  /** All servers, for messages. */
  get all(): string {
    return this.#connection.endpoints.map(shownUrl).join(', ');
  }

  /** How many servers there are. */
  get servers(): number {
    return this.#connection.endpoints.length;
  }

  get #current(): string {
    return this.#connection.endpoints[this.#turn]!;
  }

  /** Closes the connections that are kept open. What is asked afterwards opens new ones. */
  close(): void {
    for (const wire of this.#wires.values()) wire.close();
    this.#wires.clear();
  }

  /**
   * The whole answer. Throws PlumbError: a retryable `Unreachable` when none came in time, `Untrusted`, `AnswerTooLarge`; the
   * signal's reason when it aborts.
   */
  async answer(request: Request, signal: AbortSignal): Promise<Answer> {
    const { answerBytes, failureBytes } = this.bounds;
    using limit = this.limited(this.bounds.answerMs, signal);
    const incoming = await this.#exchange(request, limit.signal);
    const text = await this.#reading(incoming, limit.signal, () =>
      incoming.status < 300 ? wholeText(incoming, answerBytes, this.endpoint) : beginning(incoming, failureBytes),
    );
    return { status: incoming.status, body: parsed(text), text, retryAfterMs: this.#retryAfter(incoming) };
  }

  /**
   * The body of a success. Throws {@link ApiError} for any other answer, a retryable `BadAnswer` for what is not JSON, and what
   * {@link answer} throws.
   */
  async json(request: Request, signal: AbortSignal): Promise<Body> {
    const { status, body, text, retryAfterMs } = await this.answer(request, signal);
    if (status >= 300) throw new ApiError(status, body, named(request), retryAfterMs);
    return text === '' ? undefined : jsonIn(text, this.endpoint);
  }

  /**
   * The lines of an answer that does not end by itself, until it does or the reader stops. Throws what {@link json} throws; a
   * line that is too long is a terminal `AnswerTooLarge`.
   */
  async *lines(request: Request, signal: AbortSignal): AsyncGenerator<unknown> {
    let incoming: Incoming;
    {
      using limit = this.limited(this.bounds.answerMs, signal);
      incoming = await this.#exchange(request, limit.signal);
      if (incoming.status !== 200) {
        const refused = incoming;
        const text = await this.#reading(refused, limit.signal, () => beginning(refused, this.bounds.failureBytes));
        throw new ApiError(refused.status, parsed(text), named(request), this.#retryAfter(refused));
      }
    }
    try {
      yield* jsonLines(incoming, this.bounds.lineLength, this.endpoint);
      signal.throwIfAborted();
    } catch (error) {
      throw signal.aborted ? signal.reason : this.#error(error);
    } finally {
      incoming.leave();
    }
  }

  /**
   * Lets the next request go to the next server. True when all of them had their turn since the one that was asked first.
   */
  moveOn(): boolean {
    this.#turn = (this.#turn + 1) % this.#connection.endpoints.length;
    return this.#turn === 0;
  }

  /** A credential that is refused is asked for once more, where a program gives it: tokens end in the middle of whatever goes on. */
  async #exchange(request: Request, signal: AbortSignal): Promise<Incoming> {
    const credential = await unlessAborted(this.#credential(), signal);
    const incoming = await this.#inTurn(request, credential, signal);
    if (incoming.status !== UNAUTHORIZED || !this.#plugin) return incoming;
    incoming.leave();
    this.#plugin.refused(credential);
    return this.#inTurn(request, await unlessAborted(this.#credential(), signal), signal);
  }

  /** Sends it to the first server to which there is a way, beginning with the one that was asked last. */
  async #inTurn(request: Request, credential: Credential, signal: AbortSignal): Promise<Incoming> {
    const { endpoints } = this.#connection;
    for (let left = endpoints.length; ; ) {
      const at = this.#turn;
      const endpoint = endpoints[at]!;
      try {
        return await this.#sendTo(endpoint, request, credential, signal);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        const met = this.#error(error, shownUrl(endpoint));
        if (!(error instanceof Unsent) || met.retry === 'terminal') throw met;
        if (--left === 0) throw endpoints.length === 1 ? met : noneOf(endpoints, met);
        // Others may have moved on meanwhile.
        if (this.#turn === at) this.moveOn();
      }
    }
  }

  async #sendTo(endpoint: string, request: Request, { token }: Credential, signal: AbortSignal): Promise<Incoming> {
    const { clock, userAgent, log } = this.#options;
    const { method, path, body, type = JSON_TYPE, accept = JSON_TYPE } = request;
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const started = clock.now();
    try {
      const incoming = await (await this.#wire(endpoint)).send({
        method,
        path,
        headers: {
          accept,
          'user-agent': userAgent,
          ...(request.onlyNew ? { 'if-none-match': '*' } : {}),
          ...(token ? { authorization: `Bearer ${token}` } : {}),
          ...(payload ? { 'content-type': type, 'content-length': String(payload.length) } : {}),
        },
        payload,
        signal,
      });
      log?.(named(request), { code: incoming.status, ms: clock.now() - started });
      return incoming;
    } catch (error) {
      log?.(named(request), { error: this.#error(error).message, ms: clock.now() - started });
      throw error;
    }
  }

  async #wire(endpoint: string): Promise<Wire> {
    const known = this.#wires.get(endpoint);
    if (known) return known;
    const made = await this.#newWire(endpoint);
    const wire = this.#wires.get(endpoint) ?? made;
    if (wire !== made) made.close();
    this.#wires.set(endpoint, wire);
    return wire;
  }

  async #newWire(endpoint: string): Promise<Wire> {
    const { ca, serverName, insecure, proxy, token } = this.#connection;
    const { clock, surroundings, wires } = this.#options;
    const proxies = proxyFor(endpoint, proxy, surroundings.env);
    const trust = {
      // Named always, so that no variable of the environment adds another (NODE_EXTRA_CA_CERTS, SSL_CERT_FILE).
      ca: ca ?? [...rootCertificates],
      ...(this.#shown ?? {}),
      ...(serverName ? { servername: serverName } : {}),
      // Said always: where it is not, a variable of the environment decides (NODE_TLS_REJECT_UNAUTHORIZED).
      rejectUnauthorized: insecure !== true,
    };
    const direct = endpoint.startsWith('https:') && Object.keys(proxies).length === 0;
    // Few need the other, and starting is most of what a short command costs.
    const Http1Wire = direct ? undefined : (await import('./wire-http1.ts')).Http1Wire;
    const make = () =>
      Http1Wire ? new Http1Wire(endpoint, trust, proxies) : new TlsWire(endpoint, trust, clock, this.bounds.connectMs);
    return wires && !this.#plugin
      ? wires.lease([endpoint, { ...trust, ca: ca ?? 'public' }, proxies, token, this.bounds.connectMs], make)
      : make();
  }

  /** Who we are now: from the connection, or from the program that it names. */
  async #credential(): Promise<Credential> {
    if (!this.#plugin) return this.#connection;
    const credential = await this.#plugin.get();
    if (credential.certificate && credential.certificate !== this.#shown) {
      this.close();
      this.#shown = credential.certificate;
    }
    return credential;
  }

  /** The signal, which also aborts with a retryable `Unreachable` after `ms` milliseconds. */
  limited(ms: number, signal: AbortSignal): { signal: AbortSignal; [Symbol.dispose](): void } {
    const patience = new AbortController();
    const stop = this.#options.clock.after(ms, () =>
      patience.abort(
        retryable('Unreachable', `the server at ${this.endpoint} did not answer: no answer within ${ms / 1000} s`),
      ),
    );
    return { signal: AbortSignal.any([signal, patience.signal]), [Symbol.dispose]: stop };
  }

  async #reading<T>(incoming: Incoming, signal: AbortSignal, read: () => Promise<T>): Promise<T> {
    try {
      const found = await read();
      signal.throwIfAborted();
      return found;
    } catch (error) {
      throw signal.aborted ? signal.reason : this.#error(error);
    } finally {
      incoming.leave();
    }
  }

  #retryAfter({ headers }: Incoming): number | undefined {
    const header = headers['retry-after'];
    return typeof header === 'string'
      ? retryAfter(header, this.#options.clock.now(), this.bounds.retryAfterMs)
      : undefined;
  }

  #error(thrown: unknown, server = this.endpoint): PlumbError {
    return wireError(thrown, server, this.#options.untrusted);
  }
}

function named({ method, path }: Request): string {
  return `${method} ${path}`;
}

function noneOf(endpoints: readonly string[], last: PlumbError): PlumbError {
  return retryable('Unreachable', `none of ${endpoints.map(shownUrl).join(', ')} can be reached; ${last.message}`);
}
