import type { Clock } from '@plumb/schemas';
import { retryable } from '@plumb/schemas';
import type { Procedure } from './connection.ts';
import { RpcConnection } from './connection.ts';
import type { DomainEvent } from './procedures.ts';
import { domainEvent, greet, Procedures } from './procedures.ts';
import type { XdrReader } from './xdr.ts';

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 2_000;
/** How long a call waits for libvirtd to come back before it fails. */
const PATIENCE_MS = 10_000;

export interface LinkListener {
  /** Something happened to this domain. */
  happened(event: DomainEvent): void;
  /** The connection broke, and is tried again; `why` is a sentence. */
  away(why: string): void;
  /** The connection is back after a break: events were missed. */
  restored(): void;
}

export interface LinkOptions {
  socket: string;
  clock: Clock;
  listener: LinkListener;
  log: (line: string) => void;
}

/** Libvirt, as if it never went away: reconnects by itself, and calls wait a while for it. */
export class LibvirtLink {
  readonly procedures: Procedures;
  readonly #options: LinkOptions;
  #connection: Promise<RpcConnection>;
  #stopRetry = () => {};
  #closed = false;

  /** Connects for the first time. Rejects with `LibvirtUnavailable` (retry) when that fails. */
  static async open(options: LinkOptions): Promise<LibvirtLink> {
    const link = new LibvirtLink(options);
    await link.#connection;
    return link;
  }

  private constructor(options: LinkOptions) {
    this.#options = options;
    this.#connection = this.#connect();
    this.procedures = new Procedures((procedure, args) => this.#call(procedure, args));
  }

  close(): void {
    this.#closed = true;
    this.#stopRetry();
    this.#connection.then(
      (connection) => connection.close(),
      () => {},
    );
  }

  async #call(procedure: Procedure, args?: Buffer): Promise<XdrReader> {
    const connection = await this.#withPatience(procedure);
    return connection.call(procedure, args);
  }

  #withPatience(procedure: Procedure): Promise<RpcConnection> {
    const { promise, resolve, reject } = Promise.withResolvers<RpcConnection>();
    const giveUp = this.#options.clock.after(PATIENCE_MS, () =>
      reject(
        retryable(
          'LibvirtUnavailable',
          `${procedure.name} waited ${PATIENCE_MS / 1000} s for libvirt at ${this.#options.socket}. Is libvirtd running?`,
        ),
      ),
    );
    this.#connection.then(resolve, reject).finally(giveUp);
    return promise;
  }

  async #connect(): Promise<RpcConnection> {
    const connection = await RpcConnection.open(
      this.#options.socket,
      {
        event: (procedure, content) => this.#options.listener.happened(domainEvent(procedure, content)),
        closed: (why) => this.#reconnect(why),
      },
      this.#options.clock,
    );
    try {
      await greet((procedure, args) => connection.call(procedure, args));
    } catch (thrown) {
      connection.close();
      throw thrown;
    }
    return connection;
  }

  #reconnecting = false;

  #reconnect(why: string): void {
    if (this.#closed || this.#reconnecting) return;
    this.#reconnecting = true;
    this.#options.log(`libvirt: ${why}; connecting again`);
    this.#options.listener.away(why);
    const { promise, resolve, reject } = Promise.withResolvers<RpcConnection>();
    promise.catch(() => {}); // Calls that wait for it tell; without one there is nobody to tell.
    this.#connection = promise;
    const attempt = (delayMs: number) => {
      this.#stopRetry = this.#options.clock.after(delayMs, () => {
        this.#connect().then(
          (connection) => {
            this.#reconnecting = false;
            resolve(connection);
            if (this.#closed) return connection.close();
            this.#options.log('libvirt: connected again');
            this.#options.listener.restored();
          },
          () => {
            if (this.#closed) reject(retryable('LibvirtUnavailable', 'the driver was closed'));
            else attempt(Math.min(delayMs * 2, LAST_RETRY_MS));
          },
        );
      });
    };
    attempt(FIRST_RETRY_MS);
  }
}
