/** The connections of the API's clients: who is at their other end, and how many one may have. */
import type { Http2ServerRequest } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { Metrics } from '../runtime/metrics.ts';
import { Holdings } from './fairness/holdings.ts';
import type { Connection } from './request.ts';
import type { Cuttable } from './unsent.ts';

/** Connections of clients in all; of one address a half of what is free. */
const MAX_CONNECTIONS = 8_000;

export type ClientConnection = Connection & Cuttable;

export class Connections {
  readonly #held: Holdings;
  /** By what requests have in common that came on the same connection: the HTTP/2 session, else the socket. */
  readonly #known = new WeakMap<object, ClientConnection>();
  #refused = 0;

  constructor(metrics?: Metrics, limit = MAX_CONNECTIONS) {
    this.#held = new Holdings(limit);
    metrics?.readGauge('plumb_api_connections', 'Connections of clients, without agents.', {}, () => this.#held.held);
    metrics?.readCounter(
      'plumb_api_connections_refused_total',
      'Connections that were closed because their address had its part of them.',
      {},
      () => this.#refused,
    );
  }

  /** Whether a connection may stay; it is closed if not. */
  admit(socket: TLSSocket): boolean {
    const give = this.#held.take([socket.remoteAddress]);
    if (give) socket.once('close', give);
    else {
      this.#refused++;
      socket.destroy();
    }
    return give !== undefined;
  }

  /** The connection that a request came on. */
  of(incoming: Http2ServerRequest): ClientConnection {
    // A request of HTTP/1.1 has no stream.
    const common = (incoming.stream as Http2ServerRequest['stream'] | undefined)?.session ?? incoming.socket;
    let connection = this.#known.get(common);
    if (!connection) {
      connection = { address: incoming.socket.remoteAddress ?? '', unsent: 0, cut: () => common.destroy() };
      this.#known.set(common, connection);
    }
    return connection;
  }
}
