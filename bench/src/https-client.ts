import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';

export interface Answer {
  status: number;
  text: string;
}

/** HTTPS with a token over a fixed number of connections that stay open. */
export class HttpsClient {
  readonly #url: URL;
  readonly #authority: string;
  readonly #token: string;
  readonly #connections: number;
  readonly #agent: Agent;

  /** `url`: of the server, without path. `authority`: PEM text. */
  constructor(url: string, authority: string, token: string, connections: number) {
    this.#url = new URL(url);
    this.#authority = authority;
    this.#token = token;
    this.#connections = connections;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections, maxFreeSockets: connections });
  }

  /** Opens all connections, so that no handshake is measured. */
  async warm(path: string): Promise<void> {
    await Promise.all(Array.from({ length: this.#connections }, () => this.ask('GET', path)));
  }

  /** Any answer is an answer; only a broken connection rejects. */
  ask(method: string, path: string, body?: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const asked = request({ ...this.#options(method, path, body), agent: this.#agent }, (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (part: string) => {
          text += part;
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
        answer.on('error', reject);
      });
      asked.on('error', reject);
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

  /** The lines of an answer that does not end, on a connection of its own. */
  async stream(path: string, onLine: (line: string) => void, onEnd: (why: Error) => void): Promise<() => void> {
    const asked = request({ ...this.#options('GET', path), agent: false });
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      asked.once('response', resolve);
      asked.once('error', reject);
      asked.end();
    });
    if (answer.statusCode !== 200) throw new Error(`GET ${path}: ${answer.statusCode}`);
    let rest = '';
    answer.setEncoding('utf8');
    answer.on('data', (part: string) => {
      const lines = (rest + part).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line);
    });
    let ended = false;
    const end = (why: Error) => {
      if (!ended) onEnd(why);
      ended = true;
    };
    answer.on('end', () => end(new Error(`the server ended GET ${path}`)));
    answer.on('error', end);
    return () => {
      ended = true;
      asked.destroy();
    };
  }

  close(): void {
    this.#agent.destroy();
  }

  #options(method: string, path: string, body?: string) {
    const { hostname, port } = this.#url;
    return {
      method,
      path,
      port,
      // A literal IPv6 address stands in brackets in a URL, and without them everywhere else.
      hostname: hostname.replace(/^\[|\]$/g, ''),
      ca: this.#authority,
      headers: {
        authorization: `Bearer ${this.#token}`,
        accept: 'application/json',
        ...(body === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      },
    };
  }
}
