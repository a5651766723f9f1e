/** A client of the API: one HTTP/2 connection that is kept, many requests on it at once. */
import http2 from 'node:http2';
import { rootCertificates } from 'node:tls';
import { type Credential, PluginCredential } from '@plumb/client/exec-plugin.ts';
import { type Clock, type FieldError, PlumbError, retryable, shownUrl, terminal } from '@plumb/schemas';
import type { Access } from './access.ts';

// biome-ignore lint/suspicious/noExplicitAny: bodies have the shape that the path says, and are read by their names
export type Body = any;

export interface Answer {
  status: number;
  body: Body;
}

interface Head {
  status: number;
  /** How long the server asks to be left alone, in milliseconds. */
  retryAfterMs: number;
}

export interface Sending {
  body?: unknown;
  /** Media type of the body; `application/json`, if absent. */
  type?: string;
  /** Form that is wanted; `application/json`, if absent. */
  accept?: string;
}

export interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  object: Body;
}

const JSON_TYPE = 'application/json';
const ANSWER_MS = 30_000;
/** How long a server that says that it is busy is asked again, in milliseconds. */
const PATIENCE_MS = 5 * 60_000;
const RETRY_MS = 1_000;

/** An answer of the API that is no success. */
export class ApiError extends PlumbError {
  readonly status: number;
  /** How long to wait before the same request, in milliseconds; undefined when the server did not say. */
  readonly retryAfterMs: number | undefined;

  constructor(status: number, body: Body, retryAfterMs?: number) {
    const causes: { field?: string; message?: string }[] = body?.details?.causes ?? [];
    const fields: FieldError[] = causes.map(({ field = '', message = '' }) => ({ field, message }));
    super({
      reason: body?.reason ?? 'Unknown',
      message: body?.message ?? `the server answered ${status}`,
      retry: status >= 500 || status === 429 ? 'retry' : 'terminal',
      fields,
    });
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

type Reached = Pick<Access, 'server' | 'authority' | 'token' | 'exec' | 'insecure'>;

export class ApiClient {
  readonly #access: Reached;
  readonly #clock: Clock;
  readonly #plugin: PluginCredential | undefined;
  #session: http2.ClientHttp2Session | undefined;

  /** `env`: of the person who asks, for a program that gives the token. */
  constructor(access: Reached, clock: Clock, env: Readonly<Record<string, string | undefined>> = {}) {
    this.#access = access;
    this.#clock = clock;
    this.#plugin = access.exec && new PluginCredential(access.exec, { env, cwd: process.cwd(), clock });
  }

  /** The body of a success. Throws {@link ApiError} for any other answer. */
  async send(method: string, path: string, sending: Sending = {}): Promise<Body> {
    const { status, body } = await this.ask(method, path, sending);
    if (status >= 300) throw new ApiError(status, body);
    return body;
  }

  /** The body, or undefined when the object is not there. */
  async find(path: string): Promise<Body | undefined> {
    const { status, body } = await this.ask('GET', path);
    if (status === 404 && body?.details?.name) return undefined;
    if (status >= 300) throw new ApiError(status, body);
    return body;
  }

  /**
   * Any answer. A server that is busy (429) is asked again after the time that it wants to be left alone, which is safe:
   * it has done nothing. Throws PlumbError `Unreachable` (retry) when there is no answer within 30 seconds.
   */
  async ask(method: string, path: string, sending: Sending = {}): Promise<Answer> {
    const until = this.#clock.now() + PATIENCE_MS;
    for (let refused = false; ; ) {
      const credential = await this.#credential();
      const { status, body, retryAfterMs } = await this.#askOnce(method, path, sending, credential);
      if (status === 401 && this.#plugin && !refused) {
        // A token may have ended, or been replaced, since the program gave it.
        refused = true;
        this.#plugin.refused(credential);
        continue;
      }
      if (status !== 429 || this.#clock.now() + retryAfterMs > until) return { status, body };
      await new Promise<void>((resolve) => this.#clock.after(retryAfterMs, resolve));
    }
  }

  /** Who we are, now. */
  async #credential(): Promise<Credential> {
    if (this.#plugin) return this.#plugin.get();
    const { token } = this.#access;
    return token === undefined ? {} : { token };
  }

  async #askOnce(method: string, path: string, sending: Sending, credential: Credential): Promise<Answer & Head> {
    const stream = this.#open(method, path, sending, credential);
    const stop = this.#clock.after(ANSWER_MS, () => stream.destroy(new Error('no answer within 30 seconds')));
    try {
      const head = await headOf(stream);
      let text = '';
      for await (const part of stream) text += part;
      return { ...head, body: parsed(text) };
    } catch (error) {
      throw this.#unreachable(error);
    } finally {
      stop();
    }
  }

  /**
   * The events of a watch until `signal` aborts or the server ends it. Throws {@link ApiError} when it is refused or
   * broken off with an error.
   */
  async *watch(path: string, signal: AbortSignal, accept?: string): AsyncGenerator<WatchEvent> {
    const stream = this.#open('GET', path, { accept }, await this.#credential());
    const end = () => stream.close();
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    try {
      const { status, retryAfterMs } = await headOf(stream);
      let rest = '';
      for await (const part of stream) {
        rest += part;
        if (status >= 300) continue;
        const lines = rest.split('\n');
        rest = lines.pop()!;
        for (const line of lines) {
          const event = JSON.parse(line) as { type: string; object: Body };
          if (event.type === 'ERROR') throw new ApiError(event.object?.code ?? 500, event.object);
          yield event as WatchEvent;
        }
      }
      if (status >= 300) throw new ApiError(status, parsed(rest), retryAfterMs);
    } catch (error) {
      if (signal.aborted) return;
      throw error instanceof PlumbError ? error : this.#unreachable(error);
    } finally {
      signal.removeEventListener('abort', end);
      stream.close();
    }
  }

  close(): void {
    this.#session?.close();
    this.#session?.destroy();
  }

  #open(
    method: string,
    path: string,
    { body, type = JSON_TYPE, accept = JSON_TYPE }: Sending,
    { token }: Credential,
  ): http2.ClientHttp2Stream {
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const stream = this.#connected().request(
      {
        ':method': method,
        ':path': path,
        accept,
        'user-agent': 'plumb',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(payload === undefined ? {} : { 'content-type': type, 'content-length': payload.length }),
      },
      { endStream: false },
    );
    stream.setEncoding('utf8');
    stream.end(payload);
    return stream;
  }

  #connected(): http2.ClientHttp2Session {
    if (this.#session && !this.#session.closed && !this.#session.destroyed) return this.#session;
    // Both are said always: where they are not, variables of the environment decide (NODE_TLS_REJECT_UNAUTHORIZED,
    // NODE_EXTRA_CA_CERTS).
    const { server, authority, insecure } = this.#access;
    const trust = { ca: authority ?? [...rootCertificates], rejectUnauthorized: insecure !== true };
    const session = http2.connect(server, trust);
    // A request that cannot be answered reports why; the session needs no report of its own.
    session.on('error', () => {});
    session.on('goaway', () => session.close());
    this.#session = session;
    return session;
  }

  #unreachable(thrown: unknown): PlumbError {
    const server = shownUrl(this.#access.server);
    // A request on a connection that broke says no more than that; its cause says why.
    const error = ((thrown as Error).cause ?? thrown) as NodeJS.ErrnoException;
    if (error.code === 'ECONNREFUSED') {
      return retryable(
        'Unreachable',
        `nothing listens at ${server}: is the server running? Start it with plumb server`,
      );
    }
    if (/certificate|CERT|altnames/.test(`${error.code} ${error.message}`)) {
      return terminal(
        'Untrusted',
        `the server at ${server} shows a certificate that the kubeconfig does not vouch for (${error.message}): use the kubeconfig in its data folder`,
      );
    }
    return retryable('Unreachable', `the server at ${server} did not answer: ${error.message}`, thrown);
  }
}

function headOf(stream: http2.ClientHttp2Stream): Promise<Head> {
  return new Promise((resolve, reject) => {
    stream.once('response', (headers) => {
      const seconds = Number(headers['retry-after']);
      resolve({ status: Number(headers[':status']), retryAfterMs: seconds > 0 ? seconds * 1000 : RETRY_MS });
    });
    stream.once('error', reject);
    stream.once('close', () => reject(new Error('the connection was closed')));
  });
}

function parsed(text: string): Body {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
