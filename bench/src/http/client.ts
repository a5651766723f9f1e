import { Agent, request } from 'node:https';
import { createSecureContext } from 'node:tls';
import { followLines } from './lines.ts';

export interface Answer {
  status: number;
  text: string;
}

/** Where a server is reached and by whom. `authority`: PEM text. */
export interface Access {
  /** Of the server, without path. */
  url: string;
  authority: string;
  token: string;
}

/**
 * HTTPS with a token over a fixed number of connections that stay open. It is no user of `client/`: it measures floors and
 * others with the same means as Plumb, and must stay as it is when our client changes.
 */
export class HttpsClient {
  readonly #access: Access;
  readonly #host: string;
  readonly #port: string;
  readonly #connections: number;
  readonly #agent: Agent;

  constructor(access: Access, connections: number) {
    const { hostname, port } = new URL(access.url);
    this.#access = access;
    // A literal IPv6 address stands in brackets in a URL, and without them everywhere else.
    this.#host = hostname.replace(/^\[|\]$/g, '');
    this.#port = port;
    this.#connections = connections;
    // One context for all connections: Node would read the authority anew for each.
    const secureContext = createSecureContext({ ca: access.authority });
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: connections,
      maxFreeSockets: connections,
      secureContext,
    });
  }

  /** Opens all connections that are not open, so that no handshake is measured. */
  async warm(path: string): Promise<void> {
    await Promise.all(Array.from({ length: this.#connections }, () => this.ask('GET', path)));
  }

  /** Any answer is an answer; only a broken connection rejects. */
  ask(method: string, path: string, body?: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const asked = request(this.#options(method, path, body), (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (part: string) => {
          text += part;
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
        answer.on('error', reject);
      });
      asked.on('error', (error: NodeJS.ErrnoException) => {
        // A server may close a connection that was idle in the very moment in which it is used again. Were a create or
        // a delete done twice by that, the second would be refused, and the measurement fail.
        if (asked.reusedSocket && error.code === 'ECONNRESET') this.ask(method, path, body).then(resolve, reject);
        else reject(error);
      });
      asked.end(body);
    });
  }

  /** As {@link ask}, and rejects unless the status is `expected`. */
  async expect(expected: number, method: string, path: string, body?: string): Promise<string> {
    const { status, text } = await this.ask(method, path, body);
    if (status !== expected)
      throw new Error(`${method} ${path}: ${status} instead of ${expected}: ${text.slice(0, 500)}`);
    return text;
  }

  /** The lines of an answer that does not end, on a connection of its own: see {@link followLines}. */
  stream(path: string, onLine: (line: string) => void, onEnd: (why: Error) => void): Promise<() => void> {
    return followLines({ ...this.#options('GET', path), agent: false, ca: this.#access.authority }, onLine, onEnd);
  }

  close(): void {
    this.#agent.destroy();
  }

  #options(method: string, path: string, body?: string) {
    return {
      method,
      path,
      port: this.#port,
      hostname: this.#host,
      agent: this.#agent,
      headers: {
        authorization: `Bearer ${this.#access.token}`,
        accept: 'application/json',
        ...(body === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      },
    };
  }
}
