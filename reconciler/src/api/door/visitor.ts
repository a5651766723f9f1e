import type { Socket } from 'node:net';

/** Whose connection it is, once that is known. */
export interface Owner {
  kind: 'user' | 'host';
  name: string;
}

/** What the door is told of a connection. */
export interface VisitorEvents {
  /** Whether the connection may stay. */
  identified(visitor: Visitor, owner: Owner): boolean;
  refused(visitor: Visitor, requests: number): void;
  gone(visitor: Visitor): void;
}

/** One connection, from its first byte to its end: where it comes from, who has shown who he is on it, and whether it is used. */
export class Visitor {
  readonly socket: Socket;
  /** What no other open connection is called. */
  readonly name: string;
  /** Address of the client. */
  readonly address: string;
  /** What it is counted under. */
  readonly origin: string;
  owner: Owner | undefined;
  /** How many requests on it showed no credential. */
  refusals = 0;
  /** By when the next thing must have happened, as the clock says. */
  deadline: number;
  /** Requests and streams that are open. */
  used = 0;
  /** Since when none is. */
  unusedSince: number;
  /** Ends it well, when nothing is under way on it. */
  close: () => void = () => this.socket.destroy();
  /** Ends it with all that is under way; what was answered already still goes. */
  cutOff: () => void = () => this.socket.destroySoon();
  readonly #events: VisitorEvents;

  constructor(socket: Socket, from: { address: string; origin: string }, now: number, events: VisitorEvents) {
    this.socket = socket;
    this.name = nameOf(socket);
    this.address = from.address;
    this.origin = from.origin;
    this.deadline = Number.POSITIVE_INFINITY;
    this.unusedSince = now;
    this.#events = events;
    socket.once('close', () => events.gone(this));
  }

  /** Somebody has shown his credential. The first one is whose connection it is. */
  identified(owner: Owner): void {
    if (this.owner !== undefined || this.socket.destroyed) return;
    if (!this.#events.identified(this, owner)) this.socket.destroy();
  }

  /** Whether nothing more is answered on it: too much was asked for without a credential. */
  isSpent = false;

  /** Something was asked for without a right to it, which counts as so many requests. */
  refused(requests = 1): void {
    if (this.owner === undefined) this.#events.refused(this, requests);
  }

  /** A request or stream begins. Returns what ends it; `now` tells the time then. */
  use(now: () => number): () => void {
    this.used++;
    let using = true;
    return () => {
      if (!using) return;
      using = false;
      this.used--;
      this.unusedSince = now();
    };
  }
}

/** The four numbers that no two open connections have in common; the same of a socket and of what speaks TLS over it. */
export function nameOf(socket: Pick<Socket, 'remoteAddress' | 'remotePort' | 'localAddress' | 'localPort'>): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress} ${socket.localPort}`;
}
