import type { Ambient } from '@plumb/schemas';
import { PlumbError, retryable } from '@plumb/schemas';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import type { Attach } from '@plumb/schemas/wire/messages.ts';
import type { Log } from '../log.ts';
import { Bucket } from '../runtime/bucket.ts';
import { notePutBack } from '../store/put-back.ts';
import type { Store } from '../store/store.ts';
import type { AgentStream } from './agent-stream.ts';
import { ANY_ZONE, type Credential, findCredential, identify, isLive, watchCredentials } from './credentials.ts';
import { factsFrom } from './heard.ts';
import { type LiveHost, lackingOf } from './live-host.ts';
import type { LiveState } from './live-state.ts';
import type { Registration } from './registration.ts';
import type { SnapshotParts } from './snapshot-parts.ts';
import { isOfLostTime, issuedTerms, termAbove } from './term.ts';

/** A host that is heard on a stream. */
export interface Session {
  /** Random, so that a command of an earlier session is never taken for one of this. */
  id: string;
  host: LiveHost;
  stream: AgentStream;
  /** SHA-256 of the credential under which it was opened. */
  credentialSha256: string;
  /** Parts of a snapshot of which more follow. */
  parts: SnapshotParts | undefined;
  /** Whether it told of something that cannot be understood, and the log says so. */
  puzzled: boolean;
}

export interface SessionsOptions {
  store: Store;
  ambient: Ambient;
  /** The term of this start, made durable before; raised when a host has obeyed a higher one. */
  term: number;
  live: LiveState;
  registration: Registration;
  log: Log;
  limits: ServerLimits;
  /** Called after a session ended; `host.connected` is false by then. */
  onEnded(host: LiveHost, why: string): void;
  /** Called when a host that proved who it is was refused for another reason than before. */
  onRefused(host: string): void;
  /** Called when the credential of an Attach was its host's, or was not. */
  onIdentified(stream: AgentStream, known: boolean): void;
}

/** Who is heard, and on which stream: at most one session per host. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #sessions = new Map<string, Session>();
  readonly #onStream = new Map<AgentStream, Set<Session>>();
  readonly #closing = new AbortController();
  /** Terms of this store's starts, once somebody has told of another one. */
  #issued: number[] | undefined;
  /** Host → why it was refused the last time, although its credential is its own. */
  readonly #refused = new Map<string, PlumbError>();
  /** Hosts that broke a bound: why, and until when they are not attached. */
  readonly #bars = new Map<string, { error: PlumbError; until: number }>();
  /** How often each host has attached of late. */
  readonly #attaches = new Map<string, Bucket>();
  #term: number;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#term = options.term;
    const { store, ambient } = options;
    void watchCredentials(
      store,
      ambient.clock,
      this.#closing.signal,
      (host) => this.#revoke(host),
      () => void this.#revokeUnknown(),
    );
  }

  get term(): number {
    return this.#term;
  }

  get size(): number {
    return this.#sessions.size;
  }

  all(): Iterable<Session> {
    return this.#sessions.values();
  }

  refusalOf(host: string): PlumbError | undefined {
    return this.#refused.get(host);
  }

  get(host: string): Session | undefined {
    return this.#sessions.get(host);
  }

  /** Opens a session, when the credential is the host's own; else tells the agent why not. Never rejects. */
  async attach(stream: AgentStream, name: string, attach: Attach): Promise<void> {
    const { store, ambient, live, registration, log, limits } = this.#options;
    stream.listen(name);
    let credential: Credential | undefined;
    try {
      credential = await identify(store, name, attach.credential);
    } catch (thrown) {
      const { reason, message } = PlumbError.from(thrown, `host ${name} could not attach`);
      return stream.refuse(name, reason, message);
    }
    if (stream.over) return;
    this.#options.onIdentified(stream, credential !== undefined);
    if (credential === undefined)
      return stream.refuse(name, 'UnknownCredential', `the credential is not that of a host named ${name}: join first`);
    const wait = this.#waitOf(name);
    if (wait > 0) return stream.refuse(name, 'Busy', `host ${name} attached too often: try again later`, wait);
    const bar = this.barOf(name);
    if (bar) return stream.refuse(name, bar.error.reason, bar.error.message, bar.until - ambient.clock.now());
    // After the look at how often it comes: a term is written, and told in the log.
    try {
      if (attach.highestTerm !== this.#term) await this.#hearTerm(name, attach.highestTerm);
    } catch (thrown) {
      return this.#refuse(stream, name, PlumbError.from(thrown, `host ${name} could not attach`));
    }
    if (stream.over) return;
    if (this.hostsOn(stream) >= limits.hostsPerStream) return this.#refuse(stream, name, tooManyHosts(limits));
    this.#refused.delete(name);
    const before = this.#sessions.get(name);
    if (before && before.stream !== stream)
      before.stream.refuse(name, 'SessionReplaced', `another agent attached for host ${name}; run one agent per host`);
    if (before) this.end(before, 'the host attached anew');
    const session: Session = {
      id: ambient.ids.uid(),
      host: live.meet(name, factsFrom(attach.facts, stream.address, limits)),
      stream,
      credentialSha256: credential.sha256,
      parts: undefined,
      puzzled: false,
    };
    session.host.lacks = lackingOf(stream.types);
    this.#sessions.set(name, session);
    this.#onStream.set(stream, (this.#onStream.get(stream) ?? new Set()).add(session));
    const liveDigest = session.host.reported ? live.digestOf(session.host) : '';
    stream.push({ host: name, body: 'attached', attached: { session: session.id, term: this.#term, liveDigest } });
    log('info', `host ${name} attached, driver ${session.host.facts.driver}`);
    void registration.attend(
      name,
      zoneFor(credential, attach.registerZone),
      () => this.#sessions.get(name) === session,
    );
  }

  end(session: Session, why: string): void {
    const { host } = session;
    if (this.#sessions.get(host.name) !== session) return;
    this.#sessions.delete(host.name);
    this.#onStream.get(session.stream)?.delete(session);
    host.connected = false;
    this.#options.onEnded(host, why);
  }

  /** The host broke a bound: it is not heard for a while, and its Host says why. */
  break({ host: { name }, stream }: Session, error: PlumbError): void {
    this.bar(stream, name, error);
  }

  /** As {@link break}, of a host that may not be attached; `stream`: on which it is told. */
  bar(stream: AgentStream, name: string, error: PlumbError): void {
    const { clock } = this.#options.ambient;
    const ms = this.#options.limits.brokenBoundSeconds * 1000;
    this.#bars.set(name, { error, until: clock.now() + ms });
    this.#refuse(stream, name, error, ms);
    const session = this.#sessions.get(name);
    if (session) this.end(session, 'it broke a bound');
  }

  /** Why the host is not attached for now, and until when. */
  barOf(name: string): { error: PlumbError; until: number } | undefined {
    const bar = this.#bars.get(name);
    if (bar === undefined || bar.until > this.#options.ambient.clock.now()) return bar;
    this.#bars.delete(name);
    return undefined;
  }

  /** How many hosts are heard on the stream. */
  hostsOn(stream: AgentStream): number {
    return this.#onStream.get(stream)?.size ?? 0;
  }

  endAll(stream: AgentStream, why: string): void {
    for (const session of [...(this.#onStream.get(stream) ?? [])]) this.end(session, why);
    this.#onStream.delete(stream);
  }

  close(): void {
    this.#closing.abort();
  }

  /** What a host has obeyed that this store does not know of, it has heard in a later life of the store. */
  async #hearTerm(host: string, heard: number): Promise<void> {
    const { store, ambient, log } = this.#options;
    if (heard > this.#term) {
      await this.#raiseTerm(host, heard);
      this.#issued = undefined;
      return;
    }
    this.#issued ??= await issuedTerms(store);
    if (!isOfLostTime(this.#issued, heard)) return;
    await notePutBack(store, heard, { term: this.#term, at: ambient.clock.now() });
    log(
      'warn',
      `host ${host} has obeyed term ${heard}, which this store does not know: it was put back to an earlier time, and states of Terraform wait for plumb state acknowledge`,
    );
  }

  /** The store was put back to an earlier time: it counts terms and fences once more that are used up. */
  async #raiseTerm(host: string, heard: number): Promise<void> {
    const { store, ambient, limits, log } = this.#options;
    const term = await termAbove(store, heard, ambient.clock.now(), limits);
    if (term <= this.#term) return;
    log('warn', `host ${host} has obeyed term ${heard}, this store knew ${this.#term}: going on as ${term}`);
    this.#term = term;
  }

  /** Milliseconds until the host may attach again, when it does so too often. */
  #waitOf(name: string): number {
    const { ambient, limits } = this.#options;
    const now = ambient.clock.now();
    const perMs = limits.attachesPerHostPerMinute / 60_000;
    let attaches = this.#attaches.get(name);
    if (attaches === undefined) {
      attaches = new Bucket(ATTACHES_AT_ONCE, now);
      this.#attaches.set(name, attaches);
    }
    const wait = attaches.wait(1, now, perMs, ATTACHES_AT_ONCE);
    if (wait === 0) attaches.take(1, now, perMs, ATTACHES_AT_ONCE);
    return Math.ceil(wait);
  }

  #refuse(stream: AgentStream, name: string, error: PlumbError, retryAfterMs = 0): void {
    const before = this.#refused.get(name);
    this.#refused.set(name, error);
    stream.refuse(name, error.reason, error.message, retryAfterMs);
    if (before?.message === error.message) return;
    this.#options.log('warn', `host ${name} is not heard: ${error.message}`);
    this.#options.onRefused(name);
  }

  /** The name was freed: who bears it must join again, and what it said is forgotten. */
  #revoke(name: string): void {
    const session = this.#sessions.get(name);
    if (session) {
      session.stream.refuse(
        name,
        'UnknownCredential',
        `the name ${name} was freed, or has another credential now: join again`,
      );
      this.end(session, 'its credential was withdrawn');
    }
    this.#refused.delete(name);
    this.#bars.delete(name);
    this.#attaches.delete(name);
    this.#options.live.forget(name);
  }

  async #revokeUnknown(): Promise<void> {
    const { store, log } = this.#options;
    try {
      for (const { host, credentialSha256 } of [...this.#sessions.values()]) {
        const { record } = await findCredential(store, host.name);
        if (!isLive(record) || record.sha256 !== credentialSha256) this.#revoke(host.name);
      }
    } catch (error) {
      log('warn', `credentials could not be checked: ${(error as Error).message}`);
    }
  }
}

/** A host that comes back after a while of quiet may attach so often at once: its agent is being restarted, or its network is bad. */
const ATTACHES_AT_ONCE = 20;

function tooManyHosts({ hostsPerStream }: ServerLimits): PlumbError {
  return retryable(
    'LimitExceeded',
    `one agent speaks for more than ${hostsPerStream} hosts on one stream, the limit hostsPerStream: run another agent, or one with more streams`,
  );
}

/** The zone in which the host is declared when it is not yet: as its agent asks, where its join token allows it. */
function zoneFor({ registers }: Credential, asked: string): string {
  return registers === ANY_ZONE || registers === asked ? asked : '';
}
