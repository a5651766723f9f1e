import type { Duplex } from 'node:stream';
import type { Ambient, LiveThing, PlumbError } from '@plumb/schemas';
import { retryable, terminal } from '@plumb/schemas';
import { defaultServerLimits, type ServerLimits } from '@plumb/schemas/limits/server.ts';
import type {
  AgentMessage,
  Attach,
  Changes,
  HostReport,
  JoinRequest,
  Snapshot,
  WireLiveThing,
} from '@plumb/schemas/wire/messages.ts';
import { VERB } from '@plumb/schemas/wire/messages.ts';
import { liveThingFromWire, thingToWire } from '@plumb/schemas/wire/thing-codec.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { Store } from '../store/store.ts';
import { Admission } from './admission.ts';
import { AgentStream } from './agent-stream.ts';
import { admitHost } from './credentials.ts';
import type { Fleet, FleetCommand, HostFacts, HostLive, LiveChange, OwnedLive, StepOutcome } from './fleet.ts';
import { type EndpointHandlers, FleetEndpoint } from './fleet-endpoint.ts';
import { countFleet } from './fleet-metrics.ts';
import type { Likeness } from './likeness.ts';
import { NO_TROUBLES } from './live-host.ts';
import { LiveState } from './live-state.ts';
import { PendingCommands } from './pending-commands.ts';
import { Registration } from './registration.ts';
import { type Session, Sessions } from './sessions.ts';
import { troublesFrom } from './troubles.ts';

export interface FleetServerOptions {
  store: Store;
  ambient: Ambient;
  /** From `nextTerm`. */
  term: number;
  /** Whether an agent that presents this may join. Takes the same time whatever is nearly right. */
  mayJoin(presented: string): boolean;
  /** Makes the Host object of a host that asks for it; without it such hosts wait like others. */
  register?(host: string, zone: string): Promise<void>;
  /** Called when a host attached that is not declared, and waits. */
  onPending?(host: string): void;
  /** Makes what agents dial in to; gRPC, if absent. */
  endpoint?: (handlers: EndpointHandlers) => Endpoint;
  /** Bounds on what agents say; defaults, if absent. */
  limits?: ServerLimits | undefined;
  log: Log;
  metrics?: Metrics;
}

/** Where agents dial in. */
export type Endpoint = Pick<FleetEndpoint, 'traffic' | 'take' | 'close'>;

export interface PendingHost {
  name: string;
  facts: HostFacts;
}

/** The agents' streams, what they say lives on their hosts, and the way to command them. */
export class FleetServer implements Fleet {
  readonly #options: FleetServerOptions;
  readonly #live = new LiveState();
  readonly #pending: PendingCommands;
  readonly #registration: Registration;
  readonly #sessions: Sessions;
  readonly #admission: Admission;
  readonly #endpoint: Endpoint;
  readonly #streams = new Set<AgentStream>();
  readonly #listeners = new Set<(change: LiveChange) => void>();

  constructor(options: FleetServerOptions) {
    const { store, ambient, term, log, metrics } = options;
    const limits = options.limits ?? defaultServerLimits;
    this.#options = options;
    this.#pending = new PendingCommands(limits);
    this.#admission = new Admission({ clock: ambient.clock });
    this.#registration = new Registration({ ...options, clock: ambient.clock });
    this.#sessions = new Sessions({
      ...{ store, ambient, term, log, limits },
      live: this.#live,
      registration: this.#registration,
      onEnded: (host, why) => {
        log('info', `host ${host.name} detached: ${why}`);
        this.#pending.lose(host.name, why);
        host.troubles = NO_TROUBLES;
        this.#notify([{ type: 'host', host: host.name }]);
      },
      onRefused: (host) => this.#notify([{ type: 'host', host }]),
    });
    const endpoint = options.endpoint ?? ((handlers) => new FleetEndpoint(handlers));
    this.#endpoint = endpoint({
      join: (request) => this.#join(request),
      connect: (call) => {
        const stream = new AgentStream(call, ambient.clock, {
          frame: (from, messages) => this.#frame(from, messages),
          ended: (gone, why) => {
            this.#streams.delete(gone);
            this.#admission.leave(gone);
            this.#sessions.endAll(gone, why);
          },
        });
        this.#streams.add(stream);
      },
    });
    if (metrics)
      countFleet(metrics, {
        traffic: this.#endpoint.traffic,
        streams: () => this.#streams.size,
        hosts: () => this.#sessions.size,
        pendingCommands: () => this.#pending.size,
        admission: this.#admission,
      });
  }

  /** The term under which hosts are commanded now. */
  get term(): number {
    return this.#sessions.term;
  }

  /** Takes over an agent's connection: a TLS socket on which HTTP/2 is about to begin (ALPN h2). */
  attachConnection(socket: Duplex): void {
    this.#endpoint.take(socket);
  }

  hosts(): Iterable<HostLive> {
    return this.#live.hosts();
  }

  host(name: string): HostLive | undefined {
    return this.#live.host(name);
  }

  ownedBy(uid: string): Iterable<{ host: string; thing: LiveThing }> {
    return this.#live.ownedBy(uid);
  }

  get crowded(): boolean {
    return this.#admission.crowded;
  }

  isTelling(host: string): boolean {
    const session = this.#sessions.get(host);
    return session !== undefined && !session.host.connected;
  }

  refusalOf(host: string): PlumbError | undefined {
    return this.#sessions.refusalOf(host);
  }

  isExactly(uid: string, host: string, things: readonly LiveThing[]): boolean {
    return this.#live.isExactly(uid, host, things);
  }

  likeness(owner: string, things: readonly LiveThing[]): Likeness {
    return this.#live.likeness(owner, things);
  }

  isLike(likeness: Likeness, uid: string, host: string, words: readonly string[]): boolean {
    return this.#live.isLike(likeness, uid, host, words);
  }

  owned(uid: string): OwnedLive | undefined {
    return this.#live.owned(uid);
  }

  /** Hosts that are attached and that nobody has declared, by name. */
  async pendingHosts(): Promise<PendingHost[]> {
    const pending: PendingHost[] = [];
    for (const { host } of [...this.#sessions.all()])
      if (!(await this.#registration.isDeclared(host.name))) pending.push({ name: host.name, facts: host.facts });
    return pending.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  send(host: string, command: FleetCommand): Promise<StepOutcome[]> {
    const session = this.#sessions.get(host);
    if (!session?.host.connected)
      return Promise.reject(retryable('HostNotConnected', `host ${host} is not connected: start its agent`));
    const id = this.#options.ambient.ids.uid();
    const answer = this.#pending.wait(
      host,
      id,
      command.steps.map((step) => step.id),
    );
    session.stream.push({
      host,
      body: 'command',
      command: {
        id,
        owner: command.owner,
        session: session.id,
        term: this.#sessions.term,
        fence: command.fence,
        steps: command.steps.map((step) => ({ id: step.id, verb: VERB[step.verb], thing: thingToWire(step.thing) })),
      },
    });
    return answer;
  }

  onChange(listener: (change: LiveChange) => void): () => void {
    const own = (change: LiveChange) => listener(change);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** Ends all streams. Agents come back when there is a server again. */
  close(): void {
    this.#sessions.close();
    this.#admission.close();
    for (const stream of [...this.#streams]) stream.end('the server is stopping');
    this.#endpoint.close();
  }

  async #join({ token, host, credentialSha256 }: JoinRequest): Promise<void> {
    const { store, mayJoin, log } = this.#options;
    if (!mayJoin(token)) {
      log('warn', `an agent that calls itself ${JSON.stringify(host.slice(0, 63))} presented a wrong join token`);
      throw terminal(
        'WrongJoinToken',
        'the join token is not that of this server: copy the file join-token from its data folder',
      );
    }
    try {
      await admitHost(store, host, credentialSha256);
    } catch (error) {
      log('warn', `host ${JSON.stringify(host.slice(0, 63))} may not join: ${(error as Error).message}`);
      throw error;
    }
    log('info', `host ${host} joined`);
  }

  /** Applies the messages in order; then tells what changed; then answers the commands that had a result. */
  #frame(stream: AgentStream, messages: AgentMessage[]): void {
    const changes: LiveChange[] = [];
    const answers: (() => void)[] = [];
    for (const message of messages) {
      if (message.body === 'heartbeat' || message.body === undefined) continue;
      if (message.body === 'attach') {
        this.#attach(stream, message.host, message.attach);
        continue;
      }
      const session = this.#sessions.get(message.host);
      if (session?.stream !== stream) {
        if (message.body !== 'detach')
          stream.refuse(message.host, 'NotAttached', `host ${message.host} is not attached on this stream`);
      } else if (message.body === 'snapshot') {
        changes.push(...this.#applySnapshot(session, message.snapshot));
      } else if (message.body === 'changes') {
        if (session.host.connected) changes.push(...this.#applyChanges(session, message.changes));
      } else if (message.body === 'report') {
        changes.push(this.#applyReport(session, message.report));
      } else if (message.body === 'result') {
        const { result } = message;
        answers.push(() => this.#pending.settle(message.host, result));
      } else {
        this.#sessions.end(session, 'its agent took its leave');
      }
    }
    this.#notify(changes);
    for (const answer of answers) answer();
  }

  #attach(stream: AgentStream, host: string, attach: Attach): void {
    const retryAfterMs = this.#admission.ask(stream, host, () => void this.#sessions.attach(stream, host, attach));
    if (retryAfterMs === undefined) return;
    const seconds = Math.ceil(retryAfterMs / 1000);
    stream.listen(host);
    stream.refuse(
      host,
      'Busy',
      `many hosts attach at once; host ${host} is to try again in ${seconds} s`,
      retryAfterMs,
    );
  }

  #applySnapshot(session: Session, { things, more, unchanged }: Snapshot): LiveChange[] {
    const parts = [...(session.parts ?? []), ...this.#understand(session, things)];
    session.parts = more ? parts : undefined;
    if (more) return [];
    const { host } = session;
    host.connected = true;
    host.reported = true;
    return [unchanged ? { type: 'host', host: host.name } : this.#live.replace(host, parts)];
  }

  #applyChanges(session: Session, { changed, removed }: Changes): LiveChange[] {
    const put = this.#live.putAll(session.host, this.#understand(session, changed));
    const gone = removed.map((ref) => this.#live.remove(session.host, ref));
    return [...put, ...gone.filter((change) => change !== undefined)];
  }

  #applyReport({ host }: Session, { troubles }: HostReport): LiveChange {
    host.troubles = troublesFrom(troubles, this.#options.limits ?? defaultServerLimits);
    return { type: 'troubles', host: host.name };
  }

  /** What cannot be understood was made by a newer agent: it is left out, and left alone. */
  #understand({ host }: Session, wires: readonly WireLiveThing[]): LiveThing[] {
    const things: LiveThing[] = [];
    for (const wire of wires) {
      try {
        things.push(liveThingFromWire(wire));
      } catch (error) {
        this.#options.log('warn', `host ${host.name}: ${(error as Error).message}`);
      }
    }
    return things;
  }

  #notify(changes: readonly LiveChange[]): void {
    for (const change of changes)
      for (const listener of this.#listeners) {
        try {
          listener(change);
        } catch (error) {
          this.#options.log('error', `a listener to live state failed: ${(error as Error).stack}`);
        }
      }
  }
}
