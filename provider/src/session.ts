/** What one gRPC connection knows. Terraform opens one for each configured provider, so aliases never meet. */
import { type Ambient, PlumbError, terminal } from '@plumb/schemas';
import { Client } from './client/client.ts';
import { connectionFrom, type ProviderAttributes, type Surroundings } from './client/settings.ts';
import { Transport } from './client/transport.ts';
import type { Log } from './log.ts';

export class Session {
  readonly ambient: Ambient;
  readonly log: Log;
  readonly #surroundings: Surroundings;
  readonly #stop = new AbortController();
  #client: Client | undefined;
  #unconfigured = 'Terraform has not configured the provider';

  constructor(ambient: Ambient, surroundings: Surroundings, log: Log) {
    this.ambient = ambient;
    this.#surroundings = surroundings;
    this.log = log;
  }

  /** Takes the provider block. Throws a terminal `NotConfigured` or `BadKubeconfig`. Asks the server nothing yet. */
  configure(attributes: ProviderAttributes): void {
    this.#client?.transport.close();
    const transport = new Transport(
      connectionFrom(attributes, this.#surroundings),
      this.ambient.clock,
      this.log,
      this.#surroundings,
    );
    this.#client = new Client(transport, this.ambient, this.#stop.signal);
  }

  /** The provider block depends on what is known only after apply: the server is not asked in this session. */
  configureLater(names: readonly string[]): void {
    this.#unconfigured = `${names.join(' and ')} of the provider block will be known only after apply`;
  }

  /** The client of the configured server. Throws a terminal `NotConfigured` before that. */
  get client(): Client {
    if (this.#client) return this.#client;
    throw terminal('NotConfigured', `The server cannot be asked: ${this.#unconfigured}.`);
  }

  /** Ends every wait, now and later: Terraform was interrupted. What is being sent is still sent. */
  stop(): void {
    this.#stop.abort(new PlumbError({ reason: 'Interrupted', message: 'stopped', retry: 'terminal' }));
  }

  /** The connection is gone: nobody waits for an answer any more. */
  close(): void {
    this.stop();
    this.#client?.transport.close();
  }
}
