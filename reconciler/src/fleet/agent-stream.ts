import type { Clock } from '@plumb/schemas';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import type { ServerMessage } from '@plumb/schemas/wire/messages.ts';
import { Outbox } from '@plumb/schemas/wire/outbox.ts';
import { Bucket } from '../runtime/bucket.ts';
import type { FrameCall, Heard } from './frame-call.ts';
import { CallFailure, STATUS } from './grpc/call-failure.ts';

/** An agent beats every 10 s; three beats missed, and it counts as gone. */
export const SILENCE_MS = 30_000;

/** A timer that is this much late says more of this process than of those it waits for. */
const LATE_MS = 1_000;

/** A stream that said too much is not read for so long at most: its heartbeats are heard before it counts as silent. */
const LONGEST_HOLD_MS = 5_000;
/** A stream may say at once what it may say in so much time. A host tells everything that lives on it when it attaches. */
const BURST_MS = 10_000;

export interface StreamOptions {
  clock: Clock;
  limits: ServerLimits;
  /** Handles what was said; returns how much work that was, in bytes that were read and rewritten. */
  frame(stream: AgentStream, heard: Heard): number;
  /** How many hosts are attached on it. */
  hosts(stream: AgentStream): number;
  /** Called once. */
  ended(stream: AgentStream, why: string): void;
}

/** One agent's stream, which speaks for one host or for many. */
export class AgentStream {
  readonly #call: FrameCall;
  readonly #options: StreamOptions;
  readonly #outbox: Outbox<ServerMessage>;
  readonly #work: Bucket;
  readonly #deaf = new Set<string>();
  /** Hosts that were told that they are not attached here. */
  #unattached = 0;
  #heardAt: number;
  #stopWatch: () => void = () => {};
  #stopHold: () => void = () => {};
  #over = false;

  constructor(call: FrameCall, options: StreamOptions) {
    const { clock, limits } = options;
    this.#call = call;
    this.#options = options;
    this.#outbox = new Outbox(call, {
      mostBytes: limits.outboxBytes,
      onFull: () => this.fail(new CallFailure(STATUS.resourceExhausted, 'the agent does not take what is said to it')),
    });
    this.#heardAt = clock.now();
    this.#work = new Bucket(this.#burst(), clock.now());
    this.#watch(SILENCE_MS);
  }

  /** Begins to listen; `first` was said already. */
  open(first: Heard): void {
    this.#call.onEnd((why) => this.#finish(why));
    if (first.length > 0) this.#hear(first);
    this.#call.open((heard) => this.#hear(heard));
  }

  get over(): boolean {
    return this.#over;
  }

  /** The address that it comes from; empty when that is not known. */
  get address(): string {
    return this.#call.peer.address;
  }

  /** Types of resources that the agent handles. */
  get types(): readonly string[] {
    return this.#call.facts.types;
  }

  push(message: ServerMessage): void {
    this.#outbox.push(message);
  }

  /**
   * Tells the agent why it is not heard for the host. Once, however much it says, until it attaches again: it learns
   * nothing from being told twice.
   */
  refuse(host: string, reason: string, message: string, retryAfterMs = 0): void {
    if (this.#deaf.has(host) || this.#deaf.size >= this.#options.limits.hostsPerStream) return;
    this.#deaf.add(host);
    this.push({ host, body: 'refused', refused: { reason, message, terminal: false, retryAfterMs } });
  }

  /** As {@link refuse} of a host that never attached here. There is no end to such names: only a few are answered. */
  refuseUnattached(host: string): void {
    if (this.#deaf.has(host) || this.#unattached >= this.#options.limits.refusalsPerStream) return;
    this.#unattached++;
    this.refuse(host, 'NotAttached', `host ${host} is not attached on this stream`);
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

  /** Ends the stream, and says why. */
  fail(failure: CallFailure): void {
    if (this.#over) return;
    this.#call.fail(failure);
    this.#finish(failure.message);
  }

  #hear(heard: Heard): void {
    if (this.#over) return;
    const { clock } = this.#options;
    const now = clock.now();
    this.#heardAt = now;
    this.#work.take(this.#options.frame(this, heard), now, this.#bytesPerMs(), this.#burst());
    const wait = this.#work.wait(0, now, this.#bytesPerMs(), this.#burst());
    if (wait === 0 || this.#over) return;
    const resume = this.#call.hold();
    this.#stopHold = clock.after(Math.min(wait, LONGEST_HOLD_MS), () => {
      // What it said meanwhile waits to be heard.
      this.#heardAt = clock.now();
      resume();
    });
  }

  #bytesPerMs(): number {
    const { limits, hosts } = this.#options;
    return (limits.streamBytesPerSecond + hosts(this) * limits.streamHostBytesPerSecond) / 1000;
  }

  #burst(): number {
    return this.#bytesPerMs() * BURST_MS;
  }

  #watch(ms: number): void {
    const { clock } = this.#options;
    const due = clock.now() + ms;
    this.#stopWatch = clock.after(ms, () => {
      const now = clock.now();
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
    this.#stopHold();
    this.#outbox.drop();
    this.#options.ended(this, why);
  }
}
