/** HTTP/1.1: where a proxy is on the way, where there is no TLS, and to servers that speak nothing newer. */
import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent, request as secureRequest } from 'node:https';
import type { ProxyEnv } from './proxy.ts';
import { type Incoming, type Outgoing, type Trust, Unsent, type Wire } from './wire.ts';

/** Said by the system before there was a connection. */
const NOT_CONNECTED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
]);

export class Http1Wire implements Wire {
  readonly #endpoint: string;
  readonly #agent: Agent | PlainAgent;
  readonly #request: typeof plainRequest;

  constructor(endpoint: string, trust: Trust, proxyEnv: ProxyEnv) {
    this.#endpoint = endpoint;
    const secure = endpoint.startsWith('https:');
    this.#request = secure ? secureRequest : plainRequest;
    this.#agent = secure
      ? new Agent({ keepAlive: true, proxyEnv, ...trust })
      : new PlainAgent({ keepAlive: true, proxyEnv });
  }

  send({ method, path, headers, payload, signal }: Outgoing): Promise<Incoming> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const out = this.#request(`${this.#endpoint}${path}`, { method, headers, agent: this.#agent, signal });
      out.on('response', (response: IncomingMessage) =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: response,
          leave: () => void (response.complete ? response.resume() : response.destroy()),
        }),
      );
      out.on('error', (error: NodeJS.ErrnoException) => {
        const [first = error] = error instanceof AggregateError ? error.errors : [error];
        reject(NOT_CONNECTED.has(first.code ?? '') ? new Unsent(error) : error);
      });
      out.end(payload);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
