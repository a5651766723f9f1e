import { Agent, request } from 'node:https';
import { createSecureContext } from 'node:tls';
import { followLines } from '../src/http/lines.ts';

export interface Reply {
  status: number;
  body: Buffer;
}

/** How a peer's server is reached. */
export interface PeerAccess {
  /** Of the server, without path. */
  url: string;
  /** PEM text; absent: its certificate is made by itself and is not checked. */
  authority?: string;
  /** Sent with every request: who asks. */
  authorization: string;
}

export interface Asked {
  /** Encoded before the clock starts. */
  body?: Buffer;
  /** Of the body; JSON if absent. */
  contentType?: string;
  accept?: string;
}

const JSON_TYPE = 'application/json';

/**
 * HTTPS over a fixed number of connections that stay open: as the client that our own server is measured with, but for
 * bodies in any encoding and answers that nobody decodes.
 */
export class PeerClient {
  readonly #access: PeerAccess;
  readonly #connections: number;
  readonly #agent: Agent;

  constructor(access: PeerAccess, connections: number) {
    this.#access = access;
    this.#connections = connections;
    // One context for all connections: Node would read the authority anew for each.
    const secureContext = createSecureContext({ ca: access.authority });
    this.#agent = new Agent({
      ...{ keepAlive: true, maxSockets: connections, maxFreeSockets: connections, secureContext },
      rejectUnauthorized: access.authority !== undefined,
    });
  }

  /** Opens all connections, so that no handshake is measured. */
  async warm(path: string): Promise<void> {
    await Promise.all(Array.from({ length: this.#connections }, () => this.ask('GET', path)));
  }

  /** Any answer is an answer; only a broken connection rejects. */
  ask(method: string, path: string, asked: Asked = {}): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const sent = request(this.#options(method, path, asked), (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(parts) }));
        answer.on('error', reject);
      });
      sent.on('error', (error: NodeJS.ErrnoException) => {
        // A server may close a connection that was idle in the very moment in which it is used again. Were a create
        // done twice by that, the second would be refused, and the measurement fail.
        if (sent.reusedSocket && error.code === 'ECONNRESET') this.ask(method, path, asked).then(resolve, reject);
        else reject(error);
      });
      sent.end(asked.body);
    });
  }

  /** As {@link ask}, and rejects unless the status is `expected`. */
  async expect(expected: number, method: string, path: string, asked?: Asked): Promise<Buffer> {
    const { status, body } = await this.ask(method, path, asked);
    if (status === expected) return body;
    throw new Error(`${method} ${path}: ${status} instead of ${expected}: ${body.toString().slice(0, 500)}`);
  }

  async json<T>(method: string, path: string, value?: unknown): Promise<T> {
    const body = value === undefined ? undefined : Buffer.from(JSON.stringify(value));
    const reply = await this.ask(method, path, { body });
    if (reply.status < 300) return JSON.parse(reply.body.toString()) as T;
    throw new Error(`${method} ${path}: ${reply.status}: ${reply.body.toString().slice(0, 500)}`);
  }

  /** The lines of an answer that does not end, on a connection of its own: see {@link followLines}. */
  lines(
    path: string,
    accept: string,
    onLine: (line: string) => void,
    onEnd: (why: Error) => void,
  ): Promise<() => void> {
    const { authority } = this.#access;
    const trust = { ca: authority, rejectUnauthorized: authority !== undefined };
    return followLines({ ...this.#options('GET', path, { accept }), agent: false, ...trust }, onLine, onEnd);
  }

  close(): void {
    this.#agent.destroy();
  }

  #options(method: string, path: string, { body, contentType = JSON_TYPE, accept = JSON_TYPE }: Asked) {
    const { hostname, port } = new URL(this.#access.url);
    return {
      ...{ method, path, port, hostname, agent: this.#agent },
      headers: {
        ...{ authorization: this.#access.authorization, accept },
        ...(body ? { 'content-type': contentType, 'content-length': body.length } : {}),
      },
    };
  }
}
