/** Requests to the API that are repeated while the server is out of reach, until a deadline. */
import { type Ambient, PlumbError, terminal } from '@plumb/schemas';
import { type Deadline, deadline, pause } from './deadline.ts';
import { Busy } from './status.ts';
import type { Request, Transport } from './transport.ts';

/** How long a server that has not answered yet is waited for. After its first answer, deadlines say so. Milliseconds. */
const FIRST_CONTACT_MS = 30_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

export class Client {
  readonly transport: Transport;
  readonly ambient: Ambient;
  readonly #stop: AbortSignal;
  #contact: Promise<void> | undefined;

  /** `stop` ends every wait. */
  constructor(transport: Transport, ambient: Ambient, stop: AbortSignal) {
    this.transport = transport;
    this.ambient = ambient;
    this.#stop = stop;
  }

  /** A deadline from now on, which also ends when Terraform says stop. */
  deadline(ms: number): Deadline {
    return deadline(this.ambient.clock, ms, this.#stop);
  }

  /** A deadline for what must be known even after Terraform says stop: keep it short. */
  deadlineDespiteStop(ms: number): Deadline {
    return deadline(this.ambient.clock, ms, new AbortController().signal);
  }

  /** The parsed answer to a request that may safely be made twice. */
  async json(request: Request, { signal }: Deadline): Promise<unknown> {
    await this.contact();
    return this.persist(() => this.transport.json(request, signal), signal);
  }

  /**
   * The first contact, once: is it there, is it Plumb, do we have access? A server that cannot be reached is a mistake
   * in the configuration as long as it has never answered, so this gives up sooner than other requests.
   */
  contact(): Promise<void> {
    this.#contact ??= this.#makeContact().catch((error: unknown) => {
      this.#contact = undefined;
      throw error;
    });
    return this.#contact;
  }

  async #makeContact(): Promise<void> {
    const limit = this.deadline(FIRST_CONTACT_MS);
    try {
      const discovery: Request = { method: 'GET', path: '/apis/plumb.dev/v1' };
      await this.persist(() => this.transport.json(discovery, limit.signal), limit.signal);
    } catch (thrown) {
      const error = PlumbError.from(thrown, this.transport.endpoint);
      if (error.reason === 'NotFound') {
        throw terminal('NotPlumb', `${this.transport.endpoint} answers, but knows no plumb.dev/v1: is it Plumb?`);
      }
      if (error.reason === 'Unauthorized') {
        throw terminal(
          'Unauthorized',
          `${this.transport.endpoint} does not accept the credential: check token, PLUMB_TOKEN or the kubeconfig`,
        );
      }
      throw error;
    } finally {
      limit.end();
    }
  }

  /**
   * Runs `attempt` until it succeeds or fails for good. When the deadline ends first, the error also says what the last
   * attempt met.
   */
  async persist<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (let before = 0; ; before++) {
      let met: PlumbError;
      try {
        return await attempt();
      } catch (thrown) {
        met = PlumbError.from(thrown, this.transport.endpoint);
        if (met.retry === 'terminal') throw met;
      }
      try {
        await this.pauseAfter(before, signal, met);
      } catch (reason) {
        const ended = PlumbError.from(reason, this.transport.endpoint);
        throw terminal(ended.reason, `${ended.message}; the last attempt met ${met.reason}: ${met.message}`);
      }
    }
  }

  /**
   * Waits before the next attempt: longer after each, never the same for two clients, and as long as a server that is
   * busy asks for.
   */
  pauseAfter(before: number, signal: AbortSignal, met: PlumbError): Promise<void> {
    const most = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** before);
    const asked = met instanceof Busy ? met.afterMs : 0;
    return pause(this.ambient.clock, asked + most * (0.5 + this.ambient.random.next() / 2), signal);
  }
}
