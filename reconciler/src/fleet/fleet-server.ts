import type { Duplex } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import type { Ambient, HostResource, LiveResource } from '@plumb/schemas';
import { PlumbError } from '@plumb/schemas';
import { defaultServerLimits, type ServerLimits } from '@plumb/schemas/limits/server.ts';
import type { Attach, HostReport, JoinRequest } from '@plumb/schemas/wire/messages.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { Store } from '../store/store.ts';
import { Admission } from './admission.ts';
import { AgentStream } from './agent-stream.ts';
import { fingerprint, isCredentialOf } from './credentials.ts';
import type {
  CommandAttention,
  Fleet,
  FleetCommand,
  HostFacts,
  HostLive,
  LiveChange,
  OwnedLive,
  StepOutcome,
} from './fleet.ts';
import { type EndpointHandlers, FleetEndpoint } from './fleet-endpoint.ts';
import { countFleet } from './fleet-metrics.ts';
import type { FrameCall, Heard, Peer } from './frame-call.ts';
import { CallFailure, STATUS } from './grpc/call-failure.ts';
import { slimAttach } from './heard.ts';
import { HostCommands } from './host-commands.ts';
import { type Applied, beyond, HostMessages } from './host-messages.ts';
import { JoinTokens } from './join-tokens.ts';
import { Joining } from './joining.ts';
import type { Likeness } from './likeness.ts';
import { NO_TROUBLES } from './live-host.ts';
import { LiveState } from './live-state.ts';
import { Newcomers, type NotedNewcomer, readmit } from './newcomers.ts';
import { RefusalLog } from './refusal-log.ts';
import { Registration } from './registration.ts';
import { type Session, Sessions } from './sessions.ts';
import { Silences } from './silences.ts';
import { passGate } from './stream-gate.ts';
import { troublesFrom } from './troubles.ts';
import { WrongAttaches } from './wrong-attaches.ts';

export interface FleetServerOptions {
  store: Store;
  ambient: Ambient;
  /** From `nextTerm`. */
  term: number;
  /** Whether an agent that presents this may join as any host. Takes the same time whatever is nearly right. */
  mayJoin(presented: string): boolean;
  /** Makes the Host object of a host that asks for it; without it such hosts wait like others. */
  register?(host: string, zone: string): Promise<void>;
  /** Puts into a resource what only its host may have, when the host is commanded to make it. Throws PlumbErrors. */
  join?: <R extends HostResource>(resource: R) => R;
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
  /** Fingerprint of the credential with which it has joined. */
  fingerprint: string;
  facts: HostFacts;
}

/** The agents' streams, what they say lives on their hosts, and the way to command them. */
export class FleetServer implements Fleet {
  readonly #options: FleetServerOptions;
  readonly #limits: ServerLimits;
  readonly #live: LiveState;
  readonly #messages: HostMessages;
  readonly #commands: HostCommands;
  readonly #registration: Registration;
  readonly #sessions: Sessions;
  readonly #admission: Admission;
  readonly #endpoint: Endpoint;
  /** With the host whose credential opened each. */
  readonly #streams = new Map<AgentStream, string>();
  readonly #wrongAttaches: WrongAttaches;
  readonly #listeners = new Set<(change: LiveChange) => void>();
  #closed = false;
  /** What lets agents join. */
  readonly joinTokens: JoinTokens;
  readonly #joining: Joining;
  readonly #newcomers: Newcomers;
  readonly #refusedJoins: RefusalLog;
  readonly #silences: Silences;

  constructor(options: FleetServerOptions) {
    const { store, ambient, term, log, metrics } = options;
    const limits = options.limits ?? defaultServerLimits;
    this.#options = options;
    this.#limits = limits;
    this.#live = new LiveState(limits.wordsPerHost);
    this.#messages = new HostMessages({ live: this.#live, limits, log });
    this.#admission = new Admission({
      clock: ambient.clock,
      perSecond: limits.attachesPerSecond,
      burst: limits.attachBurst,
      waiting: limits.attachesWaiting,
    });
    this.joinTokens = new JoinTokens({ store, ambient, limits });
    this.#newcomers = new Newcomers(ambient.clock, (host) => this.#notify([{ type: 'host', host }]));
    this.#silences = new Silences(ambient.clock, limits, (host) => this.#notify([{ type: 'host', host }]));
    this.#commands = new HostCommands({
      ...{ ambient, limits, silences: this.#silences, live: this.#live },
      join: options.join ?? ((resource) => resource),
    });
    this.#refusedJoins = new RefusalLog(log, ambient.clock, limits.joinRefusalsPerMinute);
    this.#joining = new Joining({
      ...{ store, clock: ambient.clock, tokens: this.joinTokens, newcomers: this.#newcomers },
      mayJoinAsAny: options.mayJoin,
    });
    this.#registration = new Registration({ ...options, clock: ambient.clock });
    this.#sessions = new Sessions({
      ...{ store, ambient, term, log, limits },
      live: this.#live,
      registration: this.#registration,
      onEnded: (host, why) => {
        log('info', `host ${host.name} detached: ${why}`);
        this.#commands.lose(host.name, why);
        host.troubles = NO_TROUBLES;
        this.#notify([{ type: 'host', host: host.name }]);
        void this.#forgetUndeclared(host.name);
      },
      onRefused: (host) => this.#notify([{ type: 'host', host }]),
      onIdentified: (stream, known) => (known ? this.#admission.noteKnown() : this.#noteWrong(stream)),
    });
    this.#wrongAttaches = new WrongAttaches(ambient.clock, limits);
    const endpoint = options.endpoint ?? ((handlers) => new FleetEndpoint(handlers, { clock: ambient.clock, limits }));
    this.#endpoint = endpoint({
      join: (request, address) => this.#join(request, address),
      connect: (call) => void this.#connect(call),
    });
    if (metrics)
      countFleet(metrics, {
        traffic: this.#endpoint.traffic,
        streams: () => this.#streams.size,
        hosts: () => this.#sessions.size,
        pendingCommands: () => this.#commands.size,
        admission: this.#admission,
      });
  }

  /** The term under which hosts are commanded now. */
  get term(): number {
    return this.#sessions.term;
  }

  /** Takes over an agent's connection: a TLS socket on which HTTP/2 is about to begin (ALPN h2). */
  attachConnection(socket: Duplex, peer?: Peer): void {
    this.#endpoint.take(socket, peer);
  }

  hosts(): Iterable<HostLive> {
    return this.#live.hosts();
  }

  host(name: string): HostLive | undefined {
    return this.#live.host(name);
  }

  ownedBy(uid: string): Iterable<{ host: string; resource: LiveResource }> {
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
    return this.#newcomers.problemOf(host) ?? this.#sessions.refusalOf(host);
  }

  silenceOf(host: string): PlumbError | undefined {
    return this.#silences.of(host);
  }

  isSlow(host: string): boolean {
    return this.#silences.isSlow(host);
  }

  forgive(host: string): void {
    this.#silences.forgive(host);
  }

  /** Hosts that ask to be let in under a name that has another credential, or was deleted. */
  newcomers(): NotedNewcomer[] {
    return this.#newcomers.all();
  }

  /** As `readmit` of newcomers.ts. */
  async readmit(host: string, credential?: string): Promise<NotedNewcomer> {
    const { store, ambient, log } = this.#options;
    const newcomer = await readmit(store, this.#newcomers, ambient.clock.now(), host, credential);
    const { sha256, address } = newcomer;
    log(
      'info',
      `host ${host} was let in with the credential ${fingerprint(sha256)} at ${address || 'an unknown address'}, as a person asked`,
    );
    return newcomer;
  }

  isExactly(uid: string, host: string, resources: readonly LiveResource[]): boolean {
    return this.#live.isExactly(uid, host, resources);
  }

  likeness(owner: string, resources: readonly LiveResource[]): Likeness {
    return this.#live.likeness(owner, resources);
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
    for (const { host, credentialSha256 } of [...this.#sessions.all()])
      if (!(await this.#registration.isDeclared(host.name)))
        pending.push({ name: host.name, fingerprint: fingerprint(credentialSha256), facts: host.facts });
    return pending.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  send(host: string, command: FleetCommand, attention: CommandAttention = {}): Promise<StepOutcome[]> {
    return this.#commands.send(host, this.#sessions.get(host), this.#sessions.term, command, attention);
  }

  onChange(listener: (change: LiveChange) => void): () => void {
    const own = (change: LiveChange) => listener(change);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** Ends all streams. Agents come back when there is a server again. */
  close(): void {
    this.#closed = true;
    this.#sessions.close();
    this.#refusedJoins.close();
    this.#silences.close();
    this.#admission.close();
    for (const stream of [...this.#streams.keys()]) stream.end('the server is stopping');
    this.#endpoint.close();
  }

  async #join(request: JoinRequest, address: string): Promise<void> {
    try {
      await this.#joining.join(request, address);
    } catch (thrown) {
      const { reason } = PlumbError.from(thrown, 'join');
      const name = JSON.stringify(request.host.slice(0, 63));
      this.#refusedJoins.warn(`host ${name} at ${address || 'an unknown address'} may not join: ${reason}`);
      throw thrown;
    }
    this.#options.log('info', `host ${request.host} joined`);
  }

  /** Lets a stream in when a host of it has shown its credential. */
  async #connect(call: FrameCall): Promise<void> {
    const { store, ambient } = this.#options;
    const first = await passGate(call, {
      clock: ambient.clock,
      limits: this.#limits,
      isCredentialOf: async (host, credential) => {
        const isOwn = await isCredentialOf(store, host, credential);
        const bar = isOwn && this.#wrongAttaches.isBarred(host) ? this.#sessions.barOf(host) : undefined;
        if (bar) throw bar.error;
        return isOwn;
      },
    });
    if (first === undefined) return;
    if (this.#closed) return call.fail(new CallFailure(STATUS.unavailable, 'the server is stopping'));
    const stream = new AgentStream(call, {
      clock: ambient.clock,
      limits: this.#limits,
      frame: (from, heard) => this.#frame(from, heard),
      hosts: (of) => this.#sessions.hostsOn(of),
      ended: (gone, why) => {
        this.#streams.delete(gone);
        this.#admission.leave(gone);
        this.#sessions.endAll(gone, why);
      },
    });
    this.#streams.set(stream, call.facts.bearer?.host ?? first[0]?.host ?? '');
    stream.open(first);
  }

  /** Of a host that nobody has declared nothing is remembered once it has gone. */
  async #forgetUndeclared(host: string): Promise<void> {
    try {
      const declared = await this.#registration.isDeclared(host);
      if (!declared && !this.#sessions.get(host)) this.#live.forget(host);
    } catch {
      // The store is closing, and with it everything that is remembered.
    }
  }

  /**
   * Applies the messages in order; then tells what changed; then answers the commands that had a result. Returns how much
   * work that was, in bytes.
   */
  #frame(stream: AgentStream, heard: Heard): number {
    const changes: LiveChange[] = [];
    const answers: (() => void)[] = [];
    let work = heard.length * MESSAGE_BYTES;
    const apply = (session: Session, { changes: told, broken, work: cost }: Applied) => {
      changes.push(...told);
      work += cost;
      if (broken) this.#sessions.break(session, broken);
    };
    for (const message of heard) {
      if (message.body === 'heartbeat' || message.body === undefined) continue;
      if (message.body === 'attach') {
        this.#attach(stream, message.host, message.attach);
        continue;
      }
      const session = this.#sessions.get(message.host);
      if (session?.stream !== stream) {
        if (message.body !== 'detach') stream.refuseUnattached(message.host);
      } else if (message.body === 'broken') {
        this.#sessions.break(session, beyond(message.host, `a message in which ${message.problem}`));
      } else if (message.body === 'snapshot') {
        apply(session, this.#messages.snapshot(session, message.snapshot));
      } else if (message.body === 'changes') {
        if (session.host.connected) apply(session, this.#messages.changes(session, message.changes));
      } else if (message.body === 'report') {
        const change = this.#applyReport(session, message.report);
        if (change === undefined) continue;
        changes.push(change);
        work += REPORT_BYTES;
      } else if (message.body === 'progress') {
        this.#commands.progress(message.host, message.progress);
      } else if (message.body === 'result') {
        const { result } = message;
        answers.push(() => this.#commands.settle(message.host, result));
      } else {
        this.#sessions.end(session, 'its agent took its leave');
      }
    }
    this.#notify(changes);
    for (const answer of answers) answer();
    return work;
  }

  /** Somebody attached on the stream with a credential that is not its host's. Who opened the stream answers for it. */
  #noteWrong(stream: AgentStream): void {
    const bearer = this.#streams.get(stream);
    if (bearer === undefined || !this.#wrongAttaches.note(bearer)) return;
    const { wrongAttachesPerMinute: most } = this.#limits;
    this.#sessions.bar(
      stream,
      bearer,
      beyond(bearer, `more than ${most} credentials that are not of their hosts (wrongAttachesPerMinute)`),
    );
    // Whatever it asked for goes with its streams, and holds up nobody else.
    for (const [each, opener] of [...this.#streams])
      if (opener === bearer) {
        this.#admission.expel(each);
        each.fail(new CallFailure(STATUS.resourceExhausted, 'too many credentials that are not of their hosts'));
      }
  }

  #attach(stream: AgentStream, host: string, attach: Attach): void {
    const slim = slimAttach(attach, this.#limits);
    const retryAfterMs = this.#admission.ask(stream, host, () => void this.#sessions.attach(stream, host, slim));
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

  /** Undefined when it says what was known. */
  #applyReport({ host }: Session, { troubles }: HostReport): LiveChange | undefined {
    const found = troublesFrom(troubles, this.#limits);
    if (isDeepStrictEqual(found, host.troubles)) return undefined;
    host.troubles = found;
    return { type: 'troubles', host: host.name };
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

/** What a message costs at least, as {@link Applied.work} counts. */
const MESSAGE_BYTES = 256;

/** What it costs, in the same measure, that a host says otherwise than before what is wrong with it: its Host is written. */
const REPORT_BYTES = 64 << 10;
