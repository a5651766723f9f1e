import { isDeepStrictEqual } from 'node:util';
import type { Clock, Random } from '@plumb/schemas';
import { retryable } from '@plumb/schemas';
import { type AgentLimits, defaultAgentLimits } from '@plumb/schemas/limits/agent.ts';
import type { AgentMessage, Command, HostTrouble } from '@plumb/schemas/wire/messages.ts';
import { liveResourceToWire } from '@plumb/schemas/wire/resource-codec.ts';
import type { Driver, DriverChange } from '../drivers/driver.ts';
import type { Identity } from '../identity/identity.ts';
import { backoffMs } from './backoff.ts';
import { Commands } from './commands.ts';
import { type Fences, MemoryFences } from './fences.ts';
import { Pace } from './pace.ts';
import { snapshotMessages } from './snapshot.ts';
import { termProblem } from './terms.ts';

/** Where a host's messages go while its stream lasts. */
export interface HostLink {
  push(message: AgentMessage): void;
}

export interface HostSessionOptions {
  identity: Identity;
  driver: Driver;
  agentVersion: string;
  /** Address of the host's end of VXLAN tunnels. */
  tunnelAddress: string;
  /** Zone in which the host is to be declared by itself; empty: a person declares it. */
  registerZone: string;
  /** Bounds on what comes from outside; defaults, if absent. */
  limits?: AgentLimits;
  clock: Clock;
  random: Random;
  log: (line: string) => void;
  fences?: Fences;
}

/**
 * One host's side of the conversation. It outlives streams: commands go on while there is none, and what they changed is
 * in the snapshot with which the next session begins.
 */
export class HostSession {
  readonly identity: Identity;
  readonly #options: HostSessionOptions;
  readonly #limits: AgentLimits;
  readonly #commands: Commands;
  readonly #unlisten: () => void;
  #link: HostLink | undefined;
  #session: string | undefined;
  /** What is ready while the host is being observed; it goes after the snapshot. */
  #held: AgentMessage[] | undefined;
  #lostAgain = false;
  #stopRetry: () => void = () => {};
  /** Observes the host again at once, while that waits for its time. */
  #retry: (() => void) | undefined;
  /** Why there is no snapshot. */
  #notSeen: HostTrouble[] = [];
  readonly #surveys: Pace;
  /** What the control plane was told last in this session. */
  #reported: readonly HostTrouble[] = [];

  constructor(options: HostSessionOptions) {
    this.#options = options;
    this.identity = options.identity;
    this.#limits = options.limits ?? defaultAgentLimits;
    this.#surveys = new Pace(options.clock, this.#limits.surveysPerMinute);
    this.#commands = new Commands({
      driver: options.driver,
      identity: options.identity,
      fences: options.fences ?? new MemoryFences(),
      limits: this.#limits,
      report: (result) => this.#send({ host: this.name, body: 'result', result }),
      // A word on the way: not kept for a time at which it is out of date.
      progress: (progress) => this.#link?.push({ host: this.name, body: 'progress', progress }),
      clock: options.clock,
    });
    this.#unlisten = options.driver.onChange((change) => this.#changed(change));
  }

  get name(): string {
    return this.identity.host;
  }

  /** The message that asks the control plane to listen to this host. Rejects with what the driver says. */
  async attachMessage(): Promise<AgentMessage> {
    const { driver, agentVersion, tunnelAddress, registerZone, identity } = this.#options;
    const { cpus, memoryMiB } = await driver.facts();
    return {
      host: this.name,
      body: 'attach',
      attach: {
        credential: identity.credential,
        facts: { driver: driver.name, agentVersion, cpus, memoryMib: memoryMiB, tunnelAddress },
        highestTerm: identity.highestTerm,
        runningCommands: this.#commands.running,
        registerZone,
      },
    };
  }

  /**
   * The control plane listens: sends everything that lives on the host, then every change. Where that has the digest
   * `known` it is only said to be so. Throws `LowerTerm` (retry) when it is a control plane whose time is over.
   */
  async begin(link: HostLink, session: string, term: number, known = ''): Promise<void> {
    const { identity } = this.#options;
    const problem = termProblem(term, this.#options.clock, this.#limits);
    if (problem) throw problem;
    if (term < identity.highestTerm)
      throw retryable('LowerTerm', `the server is of term ${term}, and this host obeys term ${identity.highestTerm}`);
    this.end();
    this.#link = link;
    this.#session = session;
    this.#reported = [];
    this.#notSeen = [];
    this.#report();
    await Promise.all([identity.raiseTerm(term), this.#observe(link, known)]);
  }

  command(command: Command): void {
    this.#commands.accept(command, this.#session);
  }

  /** Nobody waits for the command any more. */
  cancel(command: string): void {
    this.#commands.cancel(command);
  }

  /** The stream is lost or given up. Commands go on. */
  end(): void {
    this.#stopRetry();
    this.#retry = undefined;
    this.#link = undefined;
    this.#session = undefined;
    this.#held = undefined;
  }

  /** Resolves when every command that was begun has ended. */
  idle(): Promise<void> {
    return this.#commands.idle();
  }

  async close(): Promise<void> {
    this.end();
    this.#unlisten();
    await this.identity.settled();
    await this.#options.driver.close();
  }

  #changed(change: DriverChange): void {
    const link = this.#link;
    if (link === undefined) return;
    if (change.type === 'troubles') {
      this.#report();
      return;
    }
    if (change.type === 'lost') {
      // What it waited for may be there: it is looked at once more, now.
      if (this.#retry) this.#retry();
      else if (this.#held) this.#lostAgain = true;
      else void this.#observe(link);
      return;
    }
    const changes =
      change.type === 'changed'
        ? { changed: [liveResourceToWire(change.resource)], removed: [] }
        : { changed: [], removed: [{ kind: change.kind, id: change.id }] };
    this.#send({ host: this.name, body: 'changes', changes });
  }

  /** At once, since it may say why the snapshot does not come. */
  #report(): void {
    const known = this.#options.driver.troubles();
    const troubles = known.some(({ blocking }) => blocking) ? known : [...known, ...this.#notSeen];
    if (isDeepStrictEqual(troubles, this.#reported)) return;
    this.#reported = troubles;
    this.#link?.push({ host: this.name, body: 'report', report: { troubles: [...troubles] } });
  }

  #noteSeen(...why: HostTrouble[]): void {
    this.#notSeen = why;
    this.#report();
  }

  #send(message: AgentMessage): void {
    if (this.#held && this.#held.length >= this.#limits.changesHeld && message.body === 'changes') {
      // The host is looked at once more: then they are seen.
      this.#held = this.#held.filter(({ body }) => body !== 'changes');
      this.#lostAgain = true;
    } else if (this.#held) this.#held.push(message);
    else this.#link?.push(message);
  }

  /**
   * Sends a whole snapshot. What the driver tells meanwhile is held back and sent after it: it may be in the snapshot
   * already, and applying it again in its order ends at the same state.
   */
  async #observe(link: HostLink, known = '', failures = 0): Promise<void> {
    this.#held ??= [];
    const wait = this.#surveys.take();
    if (wait > 0) {
      this.#later(wait, link, known, failures);
      return;
    }
    this.#lostAgain = false;
    try {
      const live = await this.#options.driver.observe();
      if (this.#link !== link) return;
      if (this.#lostAgain) return await this.#observe(link, known);
      for (const message of snapshotMessages(this.name, live, known)) link.push(message);
    } catch (error) {
      if (this.#link !== link) return;
      const { random, log } = this.#options;
      const message = `what lives on the host cannot be seen: ${(error as Error).message}`;
      log(`${this.name}: ${message}; trying again`);
      this.#noteSeen({ reason: 'HostNotSeen', message, blocking: true });
      this.#retry = this.#later(backoffMs(failures, random), link, known, failures + 1);
      return;
    }
    this.#noteSeen();
    const held = this.#held;
    this.#held = undefined;
    for (const message of held) link.push(message);
  }

  /** Observes the host after some milliseconds. Returns what does so at once. */
  #later(ms: number, link: HostLink, known: string, failures: number): () => void {
    const again = () => {
      this.#stopRetry();
      this.#retry = undefined;
      if (this.#link === link) void this.#observe(link, known, failures);
    };
    this.#stopRetry();
    this.#stopRetry = this.#options.clock.after(ms, again);
    return again;
  }
}
