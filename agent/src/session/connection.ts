import type { Clock, Random } from '@plumb/schemas';
import { type AgentLimits, defaultAgentLimits } from '@plumb/schemas/limits/agent.ts';
import type { Trust } from '../identity/trust.ts';
import { backoffMs } from './backoff.ts';
import { Dial, type Dialled } from './dial.ts';
import type { HostSession } from './host-session.ts';
import { bearerOf } from './join.ts';
import { AgentStream } from './stream.ts';

export interface ConnectionOptions {
  server: string;
  trust: Pick<Trust, 'authority' | 'pins' | 'verified' | 'joinSecret'>;
  /** How the control plane is reached; gRPC over TLS, if absent. */
  dial?: (server: string, authority: string) => Dialled;
  /** Bounds on what the server says; defaults, if absent. */
  limits?: AgentLimits;
  hosts: readonly HostSession[];
  registerZone: string;
  clock: Clock;
  random: Random;
  log: (line: string) => void;
}

/** A stream that lasted so long was a good one. */
const STEADY_MS = 10_000;
/** Failures in a row that shorter ones count as: some seconds are waited. */
const FEW = 4;

/** Keeps one stream open to the control plane for as long as it is not closed. */
export class Connection {
  readonly #options: ConnectionOptions;
  #stream: AgentStream | undefined;
  /** With the credential of which host the next stream is opened. */
  #first = 0;
  readonly #closing = new AbortController();
  #wake: () => void = () => {};
  readonly #loop: Promise<void>;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#loop = this.#run();
  }

  /** Takes leave of the control plane. Resolves when the stream has ended. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake();
    await this.#stream?.close();
    await this.#loop;
  }

  /** Gives up the stream that is open, as a lost connection does; another follows. */
  interrupt(): void {
    this.#stream?.abort();
  }

  async #run(): Promise<void> {
    const { server, clock, random, log } = this.#options;
    let failures = 0;
    while (!this.#closing.signal.aborted) {
      let why: string;
      const begunAt = clock.now();
      let isGood = false;
      try {
        why = await this.#once(failures > 0, () => {
          isGood = true;
        });
      } catch (error) {
        why = (error as Error).message;
      }
      if (this.#closing.signal.aborted) return;
      // A server that lets hosts in and ends the stream at once is not asked as often as one that is well.
      if (isGood) failures = clock.now() - begunAt < STEADY_MS ? Math.min(failures, FEW) : 0;
      const ms = backoffMs(failures++, random);
      log(`not connected to ${server}: ${why}; trying again in ${(ms / 1000).toFixed(1)} s`);
      await new Promise<void>((resolve) => {
        const stop = clock.after(ms, resolve);
        this.#wake = () => {
          stop();
          resolve();
        };
      });
    }
  }

  /** One attempt, from asking whom to trust to the end of the stream. Resolves with why it ended. */
  async #once(failedBefore: boolean, onGood: () => void): Promise<string> {
    const { server, trust, hosts, registerZone, clock, random, log, limits = defaultAgentLimits } = this.#options;
    const authority = await trust.authority(failedBefore, this.#closing.signal);
    if (this.#closing.signal.aborted) return 'closed';
    const pins = await trust.pins(authority);
    for (const { identity } of hosts) identity.serve(pins);
    const dial = this.#options.dial?.(server, authority) ?? new Dial(server, authority, limits);
    let kept: Promise<void> | undefined;
    try {
      const joining = { dial, registerZone, log, joinSecret: () => trust.joinSecret() };
      const onAttached = () => {
        if (kept) return;
        onGood();
        log(`connected to ${server}`);
        kept = trust.verified(authority);
        kept.catch((error) => log(`the certificate of ${server} was not kept: ${error.message}`));
      };
      for (let attempt = 1; ; attempt++) {
        const bearer = await bearerOf(hosts, this.#first, joining);
        if (this.#closing.signal.aborted) return 'closed';
        this.#stream = new AgentStream({ ...joining, ...{ hosts, bearer, limits, clock, random, onAttached } });
        const { why, refused } = await this.#stream.ended;
        if (!refused) return why;
        if (bearer.identity.joined) log(`${bearer.name}: the server does not know this host: joining again`);
        bearer.identity.unknown();
        // Another host may be known still, and must not wait for this one.
        this.#first = hosts.indexOf(bearer) + (attempt === 1 ? 0 : 1);
        if (attempt > 1) return why;
      }
    } finally {
      await kept?.catch(() => {});
      this.#stream = undefined;
      dial.close();
    }
  }
}
