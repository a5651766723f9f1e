import type { Clock } from '@plumb/schemas';
import type { AgentMessage, ServerMessage } from '@plumb/schemas/wire/messages.ts';
import { Outbox } from '@plumb/schemas/wire/outbox.ts';
import type { FrameCall } from './fleet-endpoint.ts';

/** An agent beats every 10 s; three beats missed, and it counts as gone. */
export const SILENCE_MS = 30_000;

/** A timer that is this much late says more of this process than of those it waits for. */
const LATE_MS = 1_000;

/** Far more than one stream carries well; bounds what a stranger can make us remember. */
const MOST_HOSTS = 100_000;

export interface StreamHandlers {
  frame(stream: AgentStream, messages: AgentMessage[]): void;
  /** Called once. */
  ended(stream: AgentStream, why: string): void;
}

/** One agent's stream, which speaks for one host or for many. */
export class AgentStream {
  readonly #call: FrameCall;
  readonly #handlers: StreamHandlers;
  readonly #clock: Clock;
  readonly #outbox: Outbox<ServerMessage>;
  readonly #deaf = new Set<string>();
  #heardAt: number;
  #stopWatch: () => void = () => {};
  #over = false;

  constructor(call: FrameCall, clock: Clock, handlers: StreamHandlers) {
    this.#call = call;
    this.#handlers = handlers;
    this.#clock = clock;
    this.#outbox = new Outbox(call);
    this.#heardAt = clock.now();
    call.on('data', ({ messages }) => {
      this.#heardAt = clock.now();
      if (!this.#over) handlers.frame(this, messages);
    });
    call.on('end', () => this.end('the agent took its leave'));
    call.on('error', (error: Error) => this.#finish(error.message));
    call.on('cancelled', () => this.#finish('the connection was lost'));
    call.on('close', () => this.#finish('the connection was lost'));
    this.#watch(SILENCE_MS);
  }

  get over(): boolean {
    return this.#over;
  }

  /** The address that it comes from; empty when that is not known. */
  get address(): string {
    return addressOf(this.#call.getPeer?.() ?? '');
  }

  push(message: ServerMessage): void {
    this.#outbox.push(message);
  }

  /**
   * Tells the agent why it is not heard for the host. Once, however much it says, until it attaches again: it learns
   * nothing from being told twice.
   */
  refuse(host: string, reason: string, message: string, retryAfterMs = 0): void {
    if (this.#deaf.has(host)) return;
    this.#deaf.add(host);
    if (this.#deaf.size > MOST_HOSTS) this.end('it spoke for too many hosts');
    else this.push({ host, body: 'refused', refused: { reason, message, terminal: false, retryAfterMs } });
  }

  /** The host asked to be heard: it may be refused again. */
  listen(host: string): void {
    this.#deaf.delete(host);
  }

  /** Sends what is ready and ends the stream. */
  end(why: string): void {
    if (this.#over) return;
    this.#outbox.close();
    this.#call.end();
    this.#finish(why);
  }

  #watch(ms: number): void {
    const due = this.#clock.now() + ms;
    this.#stopWatch = this.#clock.after(ms, () => {
      const now = this.#clock.now();
      // A wall clock may be put back: nobody is taken for alive until it has caught up.
      this.#heardAt = Math.min(this.#heardAt, now);
      const left = this.#heardAt + SILENCE_MS - now;
      if (left > 0) this.#watch(left);
      // We were busy and heard nobody: what was said meanwhile is heard first.
      else if (now - due > LATE_MS) this.#watch(LATE_MS);
      else this.end(`it was silent for ${SILENCE_MS / 1000} s`);
    });
  }

  #finish(why: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopWatch();
    this.#outbox.drop();
    this.#handlers.ended(this, why);
  }
}

/** The address of `address:port`, as gRPC names a peer; an IPv4 address that IPv6 carries, as itself. */
export function addressOf(peer: string): string {
  const address = peer.slice(0, Math.max(0, peer.lastIndexOf(':'))).replace(/^\[|\]$/g, '');
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}
