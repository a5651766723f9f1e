import { type ServiceError, status } from '@grpc/grpc-js';
import type { Clock, Random } from '@plumb/schemas';
import { PlumbError } from '@plumb/schemas';
import type { AgentLimits } from '@plumb/schemas/limits/agent.ts';
import { callMetadata } from '@plumb/schemas/wire/call-metadata.ts';
import type { AgentMessage, Attached, Broken, Refused, ServerMessage } from '@plumb/schemas/wire/messages.ts';
import { Outbox } from '@plumb/schemas/wire/outbox.ts';
import { backoffMs, LONGEST_MS } from './backoff.ts';
import type { Dialled, FrameCall } from './dial.ts';
import { callError } from './dial.ts';
import type { HostLink, HostSession } from './host-session.ts';
import { joinHost } from './join.ts';

export const HEARTBEAT_MS = 10_000;
const FAREWELL_MS = 2_000;
const SPREAD_MS = 500;
/** A server that is to be asked again at once says so again and again. */
const SOONEST_MS = 100;

/** So many hosts are observed at the same time, and their snapshots kept until the stream takes them. */
const OBSERVED_AT_ONCE = 16;

/** Why a stream has ended. */
export interface StreamEnd {
  why: string;
  /** The server does not know the credential with which it was opened. */
  refused: boolean;
}

/** A host for which the stream speaks. */
interface SpokenFor {
  session: HostSession;
  failures: number;
  /** Whether it may join at once when it is not known; else it waits a while first. */
  asks: boolean;
  /** What the server may say of it: that it is let in only when it asked, and that it is not when it asked or was. */
  state: 'silent' | 'asked' | 'attached';
  stopRetry: () => void;
}

export interface AgentStreamOptions {
  dial: Dialled;
  hosts: readonly HostSession[];
  /** The host whose credential opens the stream. It has one. */
  bearer: HostSession;
  limits: AgentLimits;
  registerZone: string;
  /** Called at each attempt to join. */
  joinSecret(): Promise<string>;
  /** Called when the control plane has taken a host in: the connection is good. */
  onAttached(): void;
  clock: Clock;
  random: Random;
  log: (line: string) => void;
}

/**
 * One stream to the control plane, for all of its hosts. Each host joins if it must, attaches, and is tried again by
 * itself when it is refused.
 */
export class AgentStream {
  readonly #options: AgentStreamOptions;
  readonly #call: FrameCall;
  readonly #outbox: Outbox<AgentMessage>;
  readonly #hosts = new Map<string, SpokenFor>();
  /** Hosts that are listened to and have not begun to tell what lives on them. */
  readonly #toBegin = new Map<string, Attached>();
  #beginning = 0;
  #stopHeartbeat: () => void = () => {};
  #stopAwaiting: () => void = () => {};
  #over = false;
  readonly #giveUp: (why: string) => void;
  /** Resolves with the reason when the stream has ended. Never rejects. */
  readonly ended: Promise<StreamEnd>;

  constructor(options: AgentStreamOptions) {
    this.#options = options;
    const { identity } = options.bearer;
    this.#call = options.dial.connect(callMetadata(identity.host, identity.credential));
    const { promise, resolve } = Promise.withResolvers<StreamEnd>();
    this.ended = promise;
    const end = (why: string, code?: status) => {
      this.#leave();
      resolve({ why, refused: code === status.UNAUTHENTICATED });
    };
    this.#giveUp = (why) => {
      end(why);
      this.#call.cancel();
    };
    this.#outbox = new Outbox(this.#call, {
      mostBytes: options.limits.outboxBytes,
      onFull: () => this.#giveUp('the server does not take what is said to it'),
    });
    this.#call.on('data', ({ messages }) => {
      for (const message of messages) this.#heard(message);
    });
    this.#call.on('error', (error: Error & Partial<ServiceError>) => end(callError(error), error.code));
    this.#call.on('end', () => end('the server ended the stream'));
    for (const session of options.hosts) {
      this.#hosts.set(session.name, { session, failures: 0, asks: true, state: 'silent', stopRetry: () => {} });
      void this.#attach(session.name);
    }
    const { answerSeconds } = options.limits;
    this.#stopAwaiting = options.clock.after(answerSeconds * 1000, () =>
      this.#giveUp(`the server has said nothing of any host for ${answerSeconds} s`),
    );
    this.#beat(1);
  }

  /** Takes leave for all hosts and ends the stream. What runs on them goes on. */
  async close(): Promise<void> {
    for (const name of this.#hosts.keys()) this.#outbox.push({ host: name, body: 'detach', detach: {} });
    this.#outbox.close();
    this.#call.end();
    const giveUp = this.#options.clock.after(FAREWELL_MS, () => this.#call.cancel());
    await this.ended;
    giveUp();
  }

  /** Gives the stream up at once, as if the connection were lost. */
  abort(): void {
    this.#call.cancel();
  }

  #beat(sequence: number): void {
    this.#stopHeartbeat = this.#options.clock.after(HEARTBEAT_MS, () => {
      this.#outbox.push({ host: '', body: 'heartbeat', heartbeat: { sequence } });
      this.#beat(sequence + 1);
    });
  }

  #leave(): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopHeartbeat();
    this.#stopAwaiting();
    this.#outbox.drop();
    this.#toBegin.clear();
    for (const { session, stopRetry } of this.#hosts.values()) {
      stopRetry();
      session.end();
    }
  }

  async #attach(name: string): Promise<void> {
    const { session } = this.#hosts.get(name)!;
    try {
      if (!session.identity.mayBeKnown) await joinHost(session, this.#options);
      const message = await session.attachMessage();
      if (this.#over) return;
      this.#hosts.get(name)!.state = 'asked';
      this.#outbox.push(message);
    } catch (error) {
      this.#retry(name, PlumbError.from(error, 'the host could not attach').message);
    }
  }

  #heard(message: ServerMessage | Broken): void {
    if (message.body === 'broken') {
      this.#giveUp(`the server says more of ${message.host} than it may: ${message.problem}`);
      return;
    }
    const host = this.#hosts.get(message.host);
    if (host === undefined) return;
    if (message.body === 'attached') {
      // It was not asked for: to look at the host for each would be endless.
      if (host.state !== 'asked') {
        this.#giveUp(`the server lets ${message.host} in, which has not asked`);
        return;
      }
      host.state = 'attached';
      this.#stopAwaiting();
      this.#toBegin.set(message.host, message.attached);
      if (this.#beginning < OBSERVED_AT_ONCE) void this.#beginAll();
    } else if (message.body === 'command') host.session.command(message.command);
    // guard: fetch that nobody waits for any more blocks a delete
    else if (message.body === 'cancel') host.session.cancel(message.cancel.command);
    else if (message.body === 'refused' && host.state !== 'silent') {
      host.state = 'silent';
      this.#stopAwaiting();
      void this.#refused(message.host, message.refused);
    }
  }

  /**
   * Thousands of hosts may be listened to at once: each is observed when the stream has room for what lives on it, so that
   * it need not be kept, and heartbeats and commands have their turns between them.
   */
  async #beginAll(): Promise<void> {
    this.#beginning++;
    for (const [name, attached] of this.#toBegin) {
      this.#toBegin.delete(name);
      await this.#begin(name, attached);
      await this.#outbox.room();
    }
    this.#beginning--;
  }

  async #begin(name: string, { session, term, liveDigest }: Attached): Promise<void> {
    const host = this.#hosts.get(name)!;
    // A link of its own for each session: what was begun for an earlier one must not speak in this one.
    const link: HostLink = { push: (message) => this.#outbox.push(message) };
    try {
      await host.session.begin(link, session, term, liveDigest);
      if (this.#over) return;
      host.failures = 0;
      host.asks = true;
      await host.session.identity.afterJoin();
      this.#options.onAttached();
    } catch (error) {
      host.session.end();
      host.state = 'silent';
      this.#outbox.push({ host: name, body: 'detach', detach: {} });
      this.#retry(name, (error as Error).message);
    }
  }

  async #refused(name: string, { reason, message, retryAfterMs = 0 }: Refused): Promise<void> {
    const host = this.#hosts.get(name)!;
    this.#toBegin.delete(name);
    host.session.end();
    // Others are told times that follow on this one: a little later, but not so much that it is somebody else's.
    const toldMs = Math.min(retryAfterMs, this.#options.limits.retryAfterSeconds * 1000);
    if (toldMs > 0)
      return this.#again(name, message, Math.max(SOONEST_MS, toldMs) + SPREAD_MS * this.#options.random.next());
    const { identity } = host.session;
    if (reason === 'UnknownCredential' && identity.mayBeKnown) {
      if (identity.joined) this.#options.log(`${name}: the server does not know this host: joining again`);
      identity.unknown();
      if (host.asks) {
        host.asks = false;
        return this.#attach(name);
      }
    }
    // Another agent speaks for the host: taking turns at throwing each other out would help neither.
    this.#retry(name, message, reason === 'SessionReplaced' ? LONGEST_MS : 0);
  }

  #retry(name: string, why: string, leastMs = 0): void {
    const host = this.#hosts.get(name)!;
    const ms = Math.max(leastMs, backoffMs(host.failures, this.#options.random));
    host.failures += 1;
    this.#again(name, why, ms);
  }

  #again(name: string, why: string, ms: number): void {
    if (this.#over) return;
    const { clock, log } = this.#options;
    const host = this.#hosts.get(name)!;
    host.stopRetry();
    log(`${name}: not attached: ${why}; trying again in ${(ms / 1000).toFixed(1)} s`);
    host.stopRetry = clock.after(ms, () => {
      host.asks = true;
      void this.#attach(name);
    });
  }
}
