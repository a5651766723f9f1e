/** What one gRPC connection knows. Terraform opens one for each configured provider, so aliases never meet. */
import { Client } from '@plumb/client/client.ts';
import type { Surroundings } from '@plumb/client/connection.ts';
import { Contacts } from '@plumb/client/contact.ts';
import { proxyFor } from '@plumb/client/proxy.ts';
import type { SharedWires } from '@plumb/client/shared-wires.ts';
import { type Ambient, type PlumbObject, terminal } from '@plumb/schemas';
import { Creates } from './apply/creates.ts';
import type { Log } from './log.ts';
import { Reads } from './reads.ts';
import { Reviews } from './review/reviews.ts';
import { connectionFrom, type ProviderAttributes } from './settings.ts';
import { type Stack, stackOf } from './stack.ts';

/** The run of Terraform that a session belongs to. */
export interface Run extends Surroundings {
  /** Terraform's workspace in the folder `cwd`. */
  workspace: string;
}

export class Session {
  readonly ambient: Ambient;
  readonly log: Log;
  readonly run: Run;
  /** Uids of objects of which a person was told in this run that they are not as declared: once is enough. */
  readonly told = new Set<string>();
  /** Objects as they were read in this run and that others own fields of, by uid: until they are planned. */
  readonly shared = new Map<string, PlumbObject>();
  /** Objects as a refresh reads them. */
  readonly reads = new Reads();
  /** The server's word on what this session plans. */
  readonly reviews = new Reviews();
  /** What this session makes, until Terraform has it. */
  readonly creates: Creates;
  /** Creates that are under way. */
  readonly #making = new Set<Promise<unknown>>();
  readonly #stop = new AbortController();
  readonly #contacts: Contacts;
  readonly #wires: SharedWires | undefined;
  /** Errors that stand for all of a run, and that this session has told. */
  readonly #told = new WeakSet<Error>();
  #client: Client | undefined;
  #later = false;
  #stack: Stack | undefined;
  #unconfigured = 'Terraform has not configured the provider';

  /** `contacts` and `wires`: of all sessions of the process. Without `wires` the session has connections of its own. */
  constructor(ambient: Ambient, run: Run, log: Log, contacts = new Contacts(ambient.clock), wires?: SharedWires) {
    this.ambient = ambient;
    this.run = run;
    this.log = log;
    this.creates = new Creates(ambient, log);
    this.#contacts = contacts;
    this.#wires = wires;
  }

  /** Takes the provider block. Throws a terminal `NotConfigured` or `BadKubeconfig`. Asks the server nothing yet. */
  configure(attributes: ProviderAttributes): void {
    this.#client?.close();
    const { env, cwd, workspace } = this.run;
    this.#stack = stackOf(attributes.stack ?? env.PLUMB_STACK, cwd, workspace, attributes.forceConflicts ?? true);
    const connection = connectionFrom(attributes, this.run);
    const proxies = connection.endpoints.map((endpoint) => proxyFor(endpoint, connection.proxy, this.run.env));
    this.#client = new Client({
      connection,
      contact: this.#contacts.of([connection, proxies]),
      ...(this.#wires ? { wires: this.#wires } : {}),
      ambient: this.ambient,
      surroundings: this.run,
      stop: this.#stop.signal,
      userAgent: 'terraform-provider-plumb',
      untrusted: (server, why) =>
        `the certificate of ${server} is not trusted (${why}): give its authority in ca_certificate or in a kubeconfig`,
      log: (what, fields) => this.log('debug', what, fields),
    });
  }

  /** The provider block depends on what is known only after apply: the server is not asked in this session. */
  configureLater(names: readonly string[]): void {
    this.#later = true;
    this.#unconfigured = `${names.join(' and ')} of the provider block will be known only after apply`;
  }

  /** Whether there is a server that can be asked. */
  get isConfigured(): boolean {
    return this.#client !== undefined;
  }

  /**
   * Whether what needs the server is to be put off: the provider block is not known yet, and the client can plan the rest without it.
   */
  putsOff(capabilities: { deferralAllowed: boolean } | null | undefined): boolean {
    return this.#client === undefined && this.#later && capabilities?.deferralAllowed === true;
  }

  /** The client of the configured server. Throws a terminal `NotConfigured` before that. */
  get client(): Client {
    if (this.#client) return this.#client;
    throw terminal('NotConfigured', `The server cannot be asked: ${this.#unconfigured}.`);
  }

  /** Which configuration declares in this session. Throws as {@link client}. */
  get stack(): Stack {
    if (this.#stack) return this.#stack;
    throw terminal('NotConfigured', `The server cannot be asked: ${this.#unconfigured}.`);
  }

  /** Whether a person was told in this run already. Only an error that is the same for all counts: that the server is away. */
  isTold(error: Error): boolean {
    const told = this.#told.has(error);
    this.#told.add(error);
    return told;
  }

  /** Ends every wait, now and later: Terraform was interrupted. What is being sent is still sent. */
  stop(): void {
    this.#stop.abort(terminal('Interrupted', 'Terraform was told to stop before the end of it was seen'));
  }

  /** The create, which is brought to an end also when nobody waits for it any more. */
  async during<T>(create: Promise<T>): Promise<T> {
    this.#making.add(create);
    try {
      return await create;
    } finally {
      this.#making.delete(create);
    }
  }

  /** Terraform ends the plugin: it has all answers. */
  end(): void {
    this.creates.end();
    this.stop();
  }

  /**
   * The connection is gone: nobody waits for an answer any more. Resolves when what nobody knows of is taken back. Until then the process
   * has to live.
   */
  async close(): Promise<void> {
    const client = this.#client;
    const closed = this.creates.close(() => Promise.allSettled([...this.#making]));
    this.#stop.abort(terminal('Vanished', 'Terraform, or the program between it and the provider, is gone'));
    await closed;
    client?.close();
  }
}
