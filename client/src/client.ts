/** A client of the API: requests that are repeated where that is safe and may help. */
import type { Ambient } from '@plumb/schemas/meta/ambient.ts';
import { PlumbError, retryable, terminal } from '@plumb/schemas/meta/error.ts';
import { Contact } from './contact.ts';
import { type Deadline, deadline, pause, showDuration } from './deadline.ts';
import { ApiError, errorOfEvent } from './errors.ts';
import { type Answer, type Body, type Request, Transport, type TransportOptions } from './transport.ts';

export type { Answer, Body } from './transport.ts';

export interface ClientOptions extends Omit<TransportOptions, 'clock'> {
  ambient: Pick<Ambient, 'clock' | 'random' | 'ids'>;
  /** Ends every wait, with its reason. */
  stop?: AbortSignal;
  /** Shared with others who ask the same servers as the same; its own, if absent. */
  contact?: Contact;
}

export type Sending = Pick<Request, 'body' | 'type' | 'accept'> & { signal?: AbortSignal };

export interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  object: Body;
}

/** How long a server that says that it is busy is asked again. Milliseconds. */
const PATIENCE_MS = 5 * 60_000;
/** How long a busy server is left alone that does not say how long. Milliseconds. */
const BUSY_MS = 1_000;
/** How long a server that has not answered yet is waited for. After its first answer, deadlines say so. Milliseconds. */
const FIRST_CONTACT_MS = 30_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

const never = new AbortController().signal;

export class Client {
  readonly transport: Transport;
  readonly ambient: ClientOptions['ambient'];
  readonly #stop: AbortSignal;
  readonly #contact: Contact;
  readonly #since: number;
  #first: Promise<void> | undefined;

  constructor({ ambient, stop = never, contact, ...options }: ClientOptions) {
    this.transport = new Transport({ ...options, clock: ambient.clock });
    this.ambient = ambient;
    this.#stop = stop;
    this.#contact = contact ?? new Contact(ambient.clock);
    this.#since = ambient.clock.now();
  }

  close(): void {
    this.transport.close();
  }

  /**
   * Any answer. A server that is busy (429) is asked again after the time that it wants to be left alone, which is safe: it has
   * done nothing. What only reads is asked of the next server when one is away or still loads. Throws PlumbError `Unreachable` (retry) when there is no answer in time.
   */
  async ask(method: string, path: string, { signal = this.#stop, ...sending }: Sending = {}): Promise<Answer> {
    const until = this.ambient.clock.now() + PATIENCE_MS;
    for (;;) {
      const answer = await this.#answer({ method, path, ...sending }, signal);
      const asked = answer.retryAfterMs ?? BUSY_MS;
      if (answer.status !== 429 || this.ambient.clock.now() + asked > until) return answer;
      await pause(this.ambient.clock, asked, signal);
    }
  }

  async #answer(request: Request, signal: AbortSignal): Promise<Answer> {
    const { transport } = this;
    if (request.method !== 'GET') return transport.answer(request, signal);
    // Each of the others at most once.
    for (let left = transport.servers - 1; ; left--) {
      try {
        const answer = await transport.answer(request, signal);
        if (answer.status !== 503 || left <= 0) return answer;
      } catch (error) {
        if (left <= 0 || PlumbError.from(error, transport.endpoint).reason !== 'Unreachable') throw error;
      }
      transport.moveOn();
    }
  }

  /** The body of a success. Throws {@link ApiError} for any other answer. */
  async send(method: string, path: string, sending: Sending = {}): Promise<Body> {
    return success(await this.ask(method, path, sending), `${method} ${path}`);
  }

  /** The body, or undefined when the object is not there. */
  async find(path: string): Promise<Body | undefined> {
    const answer = await this.ask('GET', path);
    if (answer.status === 404 && answer.body?.details?.name) return undefined;
    return success(answer, `GET ${path}`);
  }

  /**
   * The events of one watch until the server ends it or `signal` aborts, which throws its reason. Throws {@link ApiError} when it
   * is refused or broken off with an error.
   */
  async *watch(path: string, signal: AbortSignal, accept?: string): AsyncGenerator<WatchEvent> {
    for await (const line of this.transport.lines({ method: 'GET', path, accept }, signal)) {
      const event = eventIn(line, this.transport.endpoint);
      if (event.type === 'ERROR') throw errorOfEvent(event.object, `the watch of ${path}`);
      yield event as WatchEvent;
    }
  }

  /** A deadline from now on, which also ends when everything is to stop. */
  deadline(ms: number): Deadline {
    return deadline(this.ambient.clock, ms, this.#stop);
  }

  /** A deadline for what must be known even when everything is to stop: keep it short. */
  deadlineDespiteStop(ms: number): Deadline {
    return deadline(this.ambient.clock, ms, never);
  }

  /** The signal, which also aborts after `ms` milliseconds, with a retryable `Unreachable`: whatever is quiet for so long is dead. */
  silence(ms: number, signal: AbortSignal): { signal: AbortSignal; [Symbol.dispose](): void } {
    return this.transport.limited(ms, signal);
  }

  /** The parsed answer to a request that may safely be made twice, and is until the deadline. */
  async json(request: Request, { signal }: Deadline): Promise<Body> {
    await this.contact();
    return this.persist(() => this.transport.json(request, signal), signal);
  }

  /**
   * The first contact, once: is it there, is it Plumb, do we have access? A server that cannot be reached is a mistake
   * in the configuration as long as it has never answered, so this gives up sooner than other requests. Where somebody waited in vain
   * already, this waits no more: all get the same error, until the server is back.
   */
  async contact(): Promise<void> {
    const lost = this.#contact.lostFor(this.#since);
    if (lost) {
      if (this.#contact.mayAsk()) this.#attempt(this.#stop).catch(() => {});
      throw lost;
    }
    await this.firstContact();
  }

  /** As {@link contact}, for what must be tried although others waited in vain: to take back what was made. */
  async firstContact(): Promise<void> {
    this.#first ??= this.#makeContact().catch((error: unknown) => {
      this.#first = undefined;
      throw error;
    });
    await this.#first;
  }

  async #attempt(signal: AbortSignal): Promise<void> {
    await this.transport.json({ method: 'GET', path: '/apis/plumb.dev/v1' }, signal);
    this.#contact.answered();
  }

  async #makeContact(): Promise<void> {
    const limit = this.deadline(FIRST_CONTACT_MS);
    try {
      await this.persist(() => this.#attempt(limit.signal), limit.signal);
    } catch (thrown) {
      const { endpoint } = this.transport;
      const error = PlumbError.from(thrown, endpoint);
      if (error.reason === 'NotFound')
        throw terminal('NotPlumb', `${endpoint} answers, but knows no plumb.dev/v1: is it Plumb?`);
      if (error.reason === 'Unauthorized') {
        throw terminal(
          'Unauthorized',
          `${endpoint} does not accept the credential: check token, PLUMB_TOKEN or the kubeconfig`,
        );
      }
      throw error;
    } finally {
      limit.end();
    }
  }

  /**
   * Runs `attempt` until it succeeds or fails for good; where one server fails, the others are asked. When the deadline ends
   * first, the error also says what the last attempt met; where that was silence, it is `Unreachable`, names the servers, and is what
   * others get who ask from then on, until somebody is answered.
   */
  async persist<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const since = this.ambient.clock.now();
    let last: PlumbError | undefined;
    for (let before = 0; ; before++) {
      let met: PlumbError;
      try {
        const found = await attempt();
        this.#contact.answered();
        return found;
      } catch (thrown) {
        met = PlumbError.from(thrown, this.transport.endpoint);
        if (met.reason !== 'Unreachable' && met !== signal.reason) this.#contact.answered();
        // The deadline ended in the middle of an attempt.
        if (met === signal.reason) throw this.#ended(met, last, since);
        if (met.retry === 'terminal') throw met;
      }
      last = met;
      try {
        await this.pauseAfter(before, signal, met);
      } catch (reason) {
        throw this.#ended(PlumbError.from(reason, this.transport.endpoint), met, since);
      }
    }
  }

  /** What to say when the deadline ended first. `met`: what the last attempt that came to an end met. */
  #ended(ended: PlumbError, met: PlumbError | undefined, since: number): PlumbError {
    const silent = met === undefined || met.reason === 'Unreachable';
    if (ended.reason !== 'Timeout' || !silent) {
      if (!met) return ended;
      return terminal(ended.reason, `${ended.message}; the last attempt met ${met.reason}: ${met.message}`);
    }
    const seconds = Math.max(1, Math.round((this.ambient.clock.now() - since) / 1000));
    const waited = showDuration(seconds * 1000);
    const error = terminal('Unreachable', noAnswer(this.transport.all, waited, met));
    return this.#contact.lose(error, since);
  }

  /**
   * Lets time go by before the next attempt: longer after each, never the same for two clients, and as long as a server asks
   * for. Where another server has its turn, none goes by.
   */
  async pauseAfter(before: number, signal: AbortSignal, met: PlumbError): Promise<void> {
    const { retryAfterMs: asked = 0, busy = false } = met instanceof ApiError ? met : {};
    // A busy server has us in its queue of those who come back; it is no worse than the others.
    if (!busy && !this.transport.moveOn()) {
      signal.throwIfAborted();
      return;
    }
    const wait = busy && asked === 0 ? BUSY_MS : asked;
    const most = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** before);
    await pause(this.ambient.clock, wait + most * (0.5 + this.ambient.random.next() / 2), signal);
  }
}

const EVENTS: readonly string[] = ['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR'] satisfies EventType[];
type EventType = WatchEvent['type'] | 'ERROR';

/** A line of a watch as an event with an object. Throws retryable `BadAnswer` for what is none. */
export function eventIn(line: unknown, server: string): { type: EventType; object: Body } {
  const { type, object } = (line ?? {}) as { type?: unknown; object?: unknown };
  if (typeof type === 'string' && EVENTS.includes(type) && typeof object === 'object' && object !== null)
    return { type: type as EventType, object };
  throw retryable('BadAnswer', `${server} sent something in a watch that is no event: is it a Plumb server?`);
}

/** Who was asked, for how long, what came of it, and what to look at. */
function noAnswer(servers: string, waited: string, met: PlumbError | undefined): string {
  const why = met ? ` (${met.message})` : '';
  return `${servers} did not answer within ${waited}${why}: is the address right, is it http or https, does the server run, and does anything on the way hold packets back?`;
}

function success({ status, body, retryAfterMs }: Answer, what: string): Body {
  if (status >= 300) throw new ApiError(status, body, what, retryAfterMs);
  return body;
}
