/** The connections of the API's clients, as their requests know them. */
import type { Http2ServerRequest } from 'node:http2';
import type { Door } from './door/door.ts';
import { plainAddress } from './door/origin.ts';
import type { Visitor } from './door/visitor.ts';
import type { Connection } from './request.ts';
import type { Cuttable } from './unsent.ts';

export type ClientConnection = Connection & Cuttable & { visitor: Visitor | undefined };

export class Connections {
  readonly #door: Pick<Door, 'visitorOf'>;
  /** By what requests have in common that came on the same connection: the HTTP/2 session, else the socket. */
  readonly #known = new WeakMap<object, ClientConnection>();

  constructor(door: Pick<Door, 'visitorOf'>) {
    this.#door = door;
  }

  /** The connection that a request came on. */
  of(incoming: Http2ServerRequest): ClientConnection {
    // A request of HTTP/1.1 has no stream.
    const session = (incoming.stream as Http2ServerRequest['stream'] | undefined)?.session;
    const common = session ?? incoming.socket;
    let connection = this.#known.get(common);
    if (!connection) {
      const visitor = this.#door.visitorOf(incoming.socket);
      if (visitor && session) {
        // Its streams may end first.
        visitor.close = () => session.close();
        visitor.cutOff = () => {
          session.close();
          session.destroy();
        };
      }
      connection = {
        address: visitor?.address ?? plainAddress(incoming.socket.remoteAddress),
        visitor,
        identified: (user) => visitor?.identified({ kind: 'user', name: user }),
        refused: () => visitor?.refused(),
        unsent: 0,
        cut: () => common.destroy(),
      };
      this.#known.set(common, connection);
    }
    return connection;
  }
}
