/** HTTPS without a proxy: HTTP/2 on one connection that is kept, with many requests on it at once, else HTTP/1.1. */
import http2 from 'node:http2';
import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import type { Clock } from '@plumb/schemas';
import { type Incoming, type Outgoing, type Trust, Unsent, unlessAborted, type Wire } from './wire.ts';

/** What a server may send before we have taken it, in bytes: with the 64 KiB of HTTP/2 a far server is waited for all the time. */
const STREAM_WINDOW = 1 << 20;
const CONNECTION_WINDOW = 8 << 20;

export class TlsWire implements Wire {
  readonly #endpoint: string;
  readonly #trust: Trust;
  readonly #clock: Clock;
  readonly #connectMs: number;
  /** A connection that takes requests, or is about to. */
  #current: Promise<http2.ClientHttp2Session | Wire> | undefined;
  readonly #open = new Set<TLSSocket | http2.ClientHttp2Session | Wire>();
  #closed = false;

  constructor(endpoint: string, trust: Trust, clock: Clock, connectMs: number) {
    this.#endpoint = endpoint;
    this.#trust = trust;
    this.#clock = clock;
    this.#connectMs = connectMs;
  }

  async send(request: Outgoing): Promise<Incoming> {
    const connection = await this.#connected(request.signal);
    if ('send' in connection) return connection.send(request);
    return this.#sendOn(connection, request);
  }

  close(): void {
    this.#closed = true;
    for (const one of this.#open)
      if ('send' in one) one.close();
      else one.destroy();
    this.#open.clear();
    this.#current = undefined;
  }

  async #connected(signal: AbortSignal): Promise<http2.ClientHttp2Session | Wire> {
    for (;;) {
      this.#current ??= this.#connect();
      const wanted = this.#current;
      let found: http2.ClientHttp2Session | Wire;
      try {
        found = await unlessAborted(wanted, signal);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (this.#current === wanted) this.#current = undefined;
        throw new Unsent(error);
      }
      if ('send' in found || !(found.closed || found.destroyed)) return found;
      if (this.#current === wanted) this.#current = undefined;
    }
  }

  async #connect(): Promise<http2.ClientHttp2Session | Wire> {
    const socket = await this.#dial();
    if (socket.alpnProtocol === 'h2') return this.#session(socket);
    // It speaks HTTP/1.1, which has connections of its own.
    socket.destroy();
    const { Http1Wire } = await import('./wire-http1.ts');
    const wire = new Http1Wire(this.#endpoint, this.#trust, {});
    this.#open.add(wire);
    return wire;
  }

  #dial(): Promise<TLSSocket> {
    const { hostname, port } = new URL(this.#endpoint);
    const host = hostname.replace(/^\[|\]$/g, '');
    const { servername = isIP(host) ? undefined : host, ...trust } = this.#trust;
    return new Promise((resolve, reject) => {
      const socket = connect({
        host,
        port: Number(port || 443),
        ALPNProtocols: ['h2', 'http/1.1'],
        ...(servername === undefined ? {} : { servername }),
        ...trust,
      });
      this.#open.add(socket);
      const stop = this.#clock.after(this.#connectMs, () =>
        socket.destroy(new Error(`no connection came about within ${this.#connectMs / 1000} s`)),
      );
      socket.once('secureConnect', () => {
        stop();
        if (this.#closed) socket.destroy();
        resolve(socket);
      });
      socket.on('error', reject);
      socket.once('close', () => {
        stop();
        this.#open.delete(socket);
        reject(new Error('the connection was closed'));
      });
    });
  }

  #session(socket: TLSSocket): http2.ClientHttp2Session {
    const session = http2.connect(this.#endpoint, {
      createConnection: () => socket,
      settings: { initialWindowSize: STREAM_WINDOW },
    });
    session.once('connect', () => session.setLocalWindowSize(CONNECTION_WINDOW));
    this.#open.add(session);
    // A request that cannot be answered reports why; the session needs no report of its own.
    session.on('error', () => {});
    session.on('goaway', () => session.close());
    session.on('close', () => this.#open.delete(session));
    return session;
  }

  async #sendOn(
    session: http2.ClientHttp2Session,
    { method, path, headers, payload, signal }: Outgoing,
  ): Promise<Incoming> {
    let stream: http2.ClientHttp2Stream;
    try {
      stream = session.request({ ':method': method, ':path': path, ...headers }, { endStream: false });
    } catch (error) {
      throw new Unsent(error); // The connection has just ended.
    }
    const leave = () => {
      signal.removeEventListener('abort', onAbort);
      if (!stream.readableEnded) stream.close(http2.constants.NGHTTP2_CANCEL);
    };
    const onAbort = () => {
      // Whoever gave up because no answer came gets a new connection for the next request: this one may be dead.
      if (!heard) session.close();
      stream.destroy();
    };
    let heard = false;
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const answered = headOf(stream);
      stream.end(payload);
      const head = await unlessAborted(answered, signal);
      heard = true;
      const { ':status': status = 0, ...rest } = head;
      return { status, headers: rest, body: stream, leave };
    } catch (error) {
      leave();
      throw stream.rstCode === http2.constants.NGHTTP2_REFUSED_STREAM ? new Unsent(error) : error;
    }
  }
}

function headOf(stream: http2.ClientHttp2Stream): Promise<http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader> {
  return new Promise((resolve, reject) => {
    stream.once('response', resolve);
    stream.on('error', reject);
    stream.once('close', () => reject(new Error('the connection was closed')));
  });
}
