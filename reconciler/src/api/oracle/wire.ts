/** HTTP as any client speaks it, to either of the servers that are compared. */
import type { IncomingHttpHeaders } from 'node:http';
import { Agent, type RequestOptions, request } from 'node:https';

export interface Peer {
  url: string;
  /** PEM. */
  authority: string;
  token: string;
}

export interface Sent {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string | Buffer | undefined;
  anonymous?: boolean;
}

export interface Raw {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface OpenWatch extends Raw {
  /** Lines that have come. */
  lines: string[];
  /** Resolves when there are so many, when the server ended it, or after the time. */
  until(count: number, ms: number): Promise<void>;
  close(): void;
}

export class Wire {
  readonly #peer: Peer;
  readonly #agent: Agent;

  constructor(peer: Peer) {
    this.#peer = peer;
    this.#agent = new Agent({ keepAlive: true, ca: peer.authority, maxSockets: 4 });
  }

  ask(sent: Sent): Promise<Raw> {
    return new Promise((resolve, reject) => {
      const asked = request(this.#options(sent), (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('error', reject);
        answer.on('end', () =>
          resolve({ status: answer.statusCode!, headers: answer.headers, body: Buffer.concat(parts) }),
        );
      });
      asked.on('error', (error: NodeJS.ErrnoException) => {
        if (asked.reusedSocket && error.code === 'ECONNRESET') this.ask(sent).then(resolve, reject);
        else reject(error);
      });
      asked.end(sent.body);
    });
  }

  /** Resolves with the head of the answer; lines are collected from then on. */
  watch(sent: Sent): Promise<OpenWatch> {
    return new Promise((resolve, reject) => {
      const asked = request({ ...this.#options(sent), agent: false, ca: this.#peer.authority }, (answer) => {
        const lines: string[] = [];
        let rest = '';
        let ended = false;
        let look = () => {};
        answer.setEncoding('utf8');
        answer.on('data', (part: string) => {
          const pieces = (rest + part).split('\n');
          rest = pieces.pop()!;
          lines.push(...pieces.filter((piece) => piece !== ''));
          look();
        });
        const over = () => {
          ended = true;
          if (rest !== '') lines.push(rest);
          rest = '';
          look();
        };
        answer.on('end', over);
        answer.on('error', over);
        resolve({
          ...{ status: answer.statusCode!, headers: answer.headers, body: Buffer.alloc(0), lines },
          until: (count, ms) =>
            new Promise((done) => {
              const timer = setTimeout(done, ms);
              look = () => {
                if (lines.length < count && !ended) return;
                clearTimeout(timer);
                done();
              };
              look();
            }),
          close: () => asked.destroy(),
        });
      });
      asked.on('error', reject);
      asked.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  #options({ method, path, headers, body, anonymous }: Sent): RequestOptions {
    const { hostname, port } = new URL(this.#peer.url);
    return {
      ...{ method, path, hostname, port, agent: this.#agent },
      headers: {
        ...(anonymous ? {} : { authorization: `Bearer ${this.#peer.token}` }),
        ...(body === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
        ...headers,
      },
    };
  }
}
