/**
 * What every connection passes before anything is spent on it: it is counted, says where it comes from if a proxy brings it,
 * and waits until its origin may begin another handshake. Until somebody has shown a credential on it, it is bounded in time,
 * bytes and requests; then it counts for him.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Clock, Random } from '@plumb/schemas';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { Holdings } from '../fairness/holdings.ts';
import { isLoopback, originOf, plainAddress } from './origin.ts';
import { Pacer } from './pacer.ts';
import { readProxyHeader } from './proxy-header.ts';
import { Strangers } from './strangers.ts';
import { nameOf, type Owner, Visitor, type VisitorEvents } from './visitor.ts';

/**
 * - `crowded`: there were too many, in all or of one address. `overdue`: no handshake or credential in time.
 * - `loud`: too many bytes, `refused`: too many requests without a credential.
 * - `idle`: nothing was asked on it. `owner`: its user or host has too many. `proxy`: no header of a trusted proxy.
 */
const CLOSED_WHY = ['crowded', 'overdue', 'loud', 'refused', 'idle', 'owner', 'proxy'] as const;
type ClosedWhy = (typeof CLOSED_WHY)[number];

/** How long a connection that ends has for its last answer, in milliseconds. */
const FAREWELL_MS = 200;

export interface DoorOptions {
  clock: Clock;
  random: Random;
  limits: ServerLimits;
  metrics?: Metrics | undefined;
  /** Whether connections from the address begin with a header that says where they come from. */
  isTrustedProxy(address: string): boolean;
  /** Begins the handshake. */
  enter(socket: Socket): void;
}

export class Door implements VisitorEvents {
  readonly #options: DoorOptions;
  readonly #strangers: Strangers;
  readonly #pacer: Pacer;
  readonly #all = new Set<Socket>();
  readonly #visitors = new Map<string, Visitor>();
  /** `kind/name` → connections, the oldest first. */
  readonly #owned = new Map<string, Set<Visitor>>();
  /** User → his connections, by origin: one origin leaves some to the others. */
  readonly #held = new Map<string, Holdings>();
  readonly #closed = Object.fromEntries(CLOSED_WHY.map((why) => [why, 0])) as Record<ClosedWhy, number>;
  #stopSweep: () => void;

  constructor(options: DoorOptions) {
    const { clock, limits } = options;
    this.#options = options;
    this.#strangers = new Strangers({ clock, limits, onClosed: (why) => void this.#closed[why]++ });
    this.#pacer = new Pacer({
      ...{ clock, random: options.random },
      perSecond: limits.handshakesPerAddressPerSecond,
      burst: limits.handshakesPerAddressAtOnce,
      allPerSecond: limits.handshakesPerSecond,
      allBurst: limits.handshakesAtOnce,
      mostOrigins: limits.pacedAddresses,
      makeRoom: (origin) => this.#strangers.makeRoomInside(origin),
      isKnown: (origin) => this.#strangers.isKnown(origin),
    });
    this.#stopSweep = clock.after(this.#sweepMs(), () => this.#sweepIdle());
    if (options.metrics) this.#publish(options.metrics);
  }

  /** A connection has come, of which nothing was read: `pauseOnConnect`. */
  take(socket: Socket): void {
    const { limits, isTrustedProxy } = this.#options;
    socket.on('error', () => {});
    if (this.#all.size >= limits.connections) {
      this.#closed.crowded++;
      socket.destroy();
      return;
    }
    this.#all.add(socket);
    socket.once('close', () => this.#all.delete(socket));
    const address = plainAddress(socket.remoteAddress);
    if (isTrustedProxy(address)) this.#askProxy(socket, address);
    else this.#receive(socket, address);
  }

  /** Who came by the connection over which TLS is spoken now. */
  visitorOf(socket: TLSSocket | Socket): Visitor | undefined {
    return this.#visitors.get(nameOf(socket));
  }

  /** The handshake has ended: from now on a credential is waited for. */
  shook(visitor: Visitor): void {
    visitor.deadline = this.#options.clock.now() + this.#options.limits.credentialSeconds * 1000;
    this.#strangers.begin(visitor);
  }

  /** Nothing is expected of the connection until {@link shook} is called again: we are not ready to hear it. */
  park(visitor: Visitor): void {
    visitor.deadline = Number.POSITIVE_INFINITY;
    this.#strangers.park(visitor);
  }

  close(): void {
    this.#stopSweep();
    this.#pacer.close();
    this.#strangers.close();
    for (const socket of this.#all) socket.destroy();
  }

  identified(visitor: Visitor, owner: Owner): boolean {
    const { limits } = this.#options;
    const key = `${owner.kind}/${owner.name}`;
    const own = this.#owned.get(key) ?? new Set();
    if (owner.kind === 'user') {
      const held = this.#held.get(owner.name) ?? new Holdings(limits.connectionsPerUser);
      const give = held.take([visitor.origin]);
      if (give === undefined) {
        this.#closed.owner++;
        return false;
      }
      this.#held.set(owner.name, held);
      visitor.socket.once('close', () => {
        give();
        if (held.held === 0) this.#held.delete(owner.name);
      });
    }
    while (owner.kind === 'host' && own.size >= limits.connectionsPerHost) {
      const [oldest] = own;
      own.delete(oldest!);
      this.#closed.owner++;
      oldest!.socket.destroy();
    }
    this.#strangers.leave(visitor, 'known');
    this.#pacer.refund(visitor.origin);
    visitor.owner = owner;
    own.add(visitor);
    this.#owned.set(key, own);
    return true;
  }

  refused(visitor: Visitor, requests: number): void {
    visitor.refusals += requests;
    if (visitor.isSpent || visitor.refusals < this.#options.limits.unauthenticatedRequests) return;
    this.#closed.refused++;
    visitor.isSpent = true;
    // What was answered goes before: the answer says why. Who does not take it is not waited for.
    setImmediate(() => visitor.cutOff());
    const stop = this.#options.clock.after(FAREWELL_MS, () => visitor.socket.destroy());
    visitor.socket.once('close', stop);
  }

  gone(visitor: Visitor): void {
    this.#visitors.delete(visitor.name);
    this.#strangers.leave(visitor, 'gone');
    if (visitor.owner === undefined) return;
    const key = `${visitor.owner.kind}/${visitor.owner.name}`;
    const own = this.#owned.get(key);
    own?.delete(visitor);
    if (own?.size === 0) this.#owned.delete(key);
  }

  #askProxy(socket: Socket, address: string): void {
    const { clock, limits } = this.#options;
    const stop = clock.after(limits.handshakeSeconds * 1000, () => socket.destroy());
    socket.once('close', stop);
    readProxyHeader(socket, limits.proxyHeaderBytes, (header) => {
      stop();
      if (header === undefined) {
        this.#closed.proxy++;
        socket.destroy();
      } else this.#receive(socket, header.source === undefined ? address : plainAddress(header.source));
    });
  }

  #receive(socket: Socket, address: string): void {
    const { clock, limits, enter } = this.#options;
    if (socket.destroyed) return;
    const origin = originOf(address);
    if (!this.#strangers.makeRoom(origin, isLoopback(address))) {
      this.#closed.crowded++;
      socket.destroy();
      return;
    }
    const now = clock.now();
    const visitor = new Visitor(socket, { address, origin }, now, this);
    this.#visitors.set(visitor.name, visitor);
    this.#strangers.add(visitor);
    const begin = () => {
      if (socket.destroyed) return;
      visitor.deadline = clock.now() + limits.handshakeSeconds * 1000;
      this.#strangers.begin(visitor);
      enter(socket);
    };
    socket.once('close', this.#pacer.ask(origin, begin));
  }

  #sweepMs(): number {
    return (this.#options.limits.idleSeconds * 1000) / 10;
  }

  #sweepIdle(): void {
    const { clock, limits } = this.#options;
    const now = clock.now();
    for (const own of this.#owned.values())
      for (const visitor of own) {
        // A wall clock may be put back: the time without use begins anew.
        visitor.unusedSince = Math.min(visitor.unusedSince, now);
        if (visitor.used > 0 || now - visitor.unusedSince < limits.idleSeconds * 1000) continue;
        this.#closed.idle++;
        visitor.close();
      }
    this.#stopSweep = clock.after(this.#sweepMs(), () => this.#sweepIdle());
  }

  #publish(metrics: Metrics): void {
    const held = 'Open connections, by who has shown a credential on them.';
    const of = (kind: Owner['kind']) => () => {
      let count = 0;
      for (const [key, own] of this.#owned) if (key.startsWith(kind)) count += own.size;
      return count;
    };
    metrics.readGauge('plumb_connections', held, { of: 'nobody' }, () => this.#strangers.size);
    metrics.readGauge('plumb_connections', held, { of: 'users' }, of('user'));
    metrics.readGauge('plumb_connections', held, { of: 'hosts' }, of('host'));
    for (const why of CLOSED_WHY)
      metrics.readCounter(
        'plumb_connections_closed_total',
        'Connections that the server closed because of a limit.',
        { why },
        () => this.#closed[why],
      );
  }
}
