import type { Ambient, LiveThing } from '@plumb/schemas';
import { PlumbError } from '@plumb/schemas';
import type { Attach, WireHostFacts } from '@plumb/schemas/wire/messages.ts';
import type { Log } from '../log.ts';
import type { Store } from '../store/store.ts';
import type { AgentStream } from './agent-stream.ts';
import { hasCredential, isCredentialOf, watchCredentials } from './credentials.ts';
import type { HostFacts } from './fleet.ts';
import type { LiveHost } from './live-host.ts';
import type { LiveState } from './live-state.ts';
import type { Registration } from './registration.ts';
import { termAbove } from './term.ts';

/** A host that is heard on a stream. */
export interface Session {
  /** Random, so that a command of an earlier session is never taken for one of this. */
  id: string;
  host: LiveHost;
  stream: AgentStream;
  /** Parts of a snapshot of which more follow. */
  parts: LiveThing[] | undefined;
}

export interface SessionsOptions {
  store: Store;
  ambient: Ambient;
  /** The term of this start, made durable before; raised when a host has obeyed a higher one. */
  term: number;
  live: LiveState;
  registration: Registration;
  log: Log;
  /** Called after a session ended; `host.connected` is false by then. */
  onEnded(host: LiveHost, why: string): void;
}

/** Who is heard, and on which stream: at most one session per host. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #sessions = new Map<string, Session>();
  readonly #onStream = new Map<AgentStream, Set<Session>>();
  readonly #closing = new AbortController();
  /** Host → the highest term that this process told it. */
  readonly #told = new Map<string, number>();
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

  get(host: string): Session | undefined {
    return this.#sessions.get(host);
  }

  /** Opens a session, when the credential is the host's own; else tells the agent why not. Never rejects. */
  async attach(stream: AgentStream, name: string, attach: Attach): Promise<void> {
    const { store, ambient, live, registration, log } = this.#options;
    stream.listen(name);
    try {
      if (!(await isCredentialOf(store, name, attach.credential)))
        return stream.refuse(
          name,
          'UnknownCredential',
          `the credential is not that of a host named ${name}: join first`,
        );
      if (this.#isForeign(name, attach.highestTerm)) await this.#raiseTerm(name, attach.highestTerm);
    } catch (thrown) {
      const { reason, message } = PlumbError.from(thrown, `host ${name} could not attach`);
      return stream.refuse(name, reason, message);
    }
    if (stream.over) return;
    const before = this.#sessions.get(name);
    if (before && before.stream !== stream)
      before.stream.refuse(name, 'SessionReplaced', `another agent attached for host ${name}; run one agent per host`);
    if (before) this.end(before, 'the host attached anew');
    const session: Session = {
      id: ambient.ids.uid(),
      host: live.meet(name, factsOf(attach.facts)),
      stream,
      parts: undefined,
    };
    this.#sessions.set(name, session);
    this.#onStream.set(stream, (this.#onStream.get(stream) ?? new Set()).add(session));
    this.#told.set(name, this.#term);
    const liveDigest = session.host.reported ? live.digestOf(session.host) : '';
    stream.push({ host: name, body: 'attached', attached: { session: session.id, term: this.#term, liveDigest } });
    log('info', `host ${name} attached, driver ${session.host.facts.driver}`);
    void registration.attend(name, attach.registerZone, () => this.#sessions.get(name) === session);
  }

  end(session: Session, why: string): void {
    const { host } = session;
    if (this.#sessions.get(host.name) !== session) return;
    this.#sessions.delete(host.name);
    this.#onStream.get(session.stream)?.delete(session);
    host.connected = false;
    this.#options.onEnded(host, why);
  }

  endAll(stream: AgentStream, why: string): void {
    for (const session of [...(this.#onStream.get(stream) ?? [])]) this.end(session, why);
    this.#onStream.delete(stream);
  }

  close(): void {
    this.#closing.abort();
  }

  /**
   * Whether the host has obeyed a term of ours, or a later one, that it does not have from us: the store was put back to
   * an earlier time, and counts terms and fences once more that are used up.
   */
  #isForeign(host: string, heard: number): boolean {
    // guard: a restored store does not use a term again that hosts have obeyed
    if (heard === this.#term && this.#told.get(host) !== heard) return true;
    return heard > this.#term;
  }

  async #raiseTerm(host: string, heard: number): Promise<void> {
    const term = await termAbove(this.#options.store, heard);
    if (term <= this.#term) return;
    this.#options.log(
      'warn',
      `host ${host} has obeyed term ${heard}, this store knew ${this.#term}: going on as ${term}`,
    );
    this.#term = term;
  }

  /** The name was freed: who bears it must join again, and what it said is forgotten. */
  #revoke(name: string): void {
    const session = this.#sessions.get(name);
    if (session) {
      session.stream.refuse(name, 'UnknownCredential', `the name ${name} was freed: join again`);
      this.end(session, 'its credential was withdrawn');
    }
    this.#options.live.forget(name);
  }

  async #revokeUnknown(): Promise<void> {
    const { store, log } = this.#options;
    try {
      for (const { host } of [...this.#sessions.values()])
        if (!(await hasCredential(store, host.name))) this.#revoke(host.name);
    } catch (error) {
      log('warn', `credentials could not be checked: ${(error as Error).message}`);
    }
  }
}

function factsOf(facts: WireHostFacts | null): HostFacts {
  const { driver = '', agentVersion = '', cpus = 0, memoryMib = 0, tunnelAddress = '' } = facts ?? {};
  return { driver, agentVersion, cpus, memoryMiB: memoryMib, tunnelAddress };
}
