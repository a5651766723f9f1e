/** The leases that a server has given, which dnsmasq keeps in a file and forgets when it is asked in their names. */
import { join } from 'node:path';
import type { Clock, HostResource } from '@plumb/schemas';
import type { Run } from '../host/command.ts';
import { readPlain } from '../host/plain-file.ts';
import { requireIpv4 } from './ipv4.ts';
import type { Lease } from './leases.ts';
import { overlap, readLeases, staleLeases, united } from './leases.ts';

/** The program that speaks in the name of guests that are gone. */
const RELEASE_LEASES = join(import.meta.dirname, 'release-leases.ts');
/** A datagram may be lost, or come while dnsmasq gives the lease once more. */
const ASKED = 5;
const FORGETS_WITHIN_MS = 300;
const LOOK_AGAIN_MS = 10;
const RELEASED_AT_ONCE = 200;

export class GivenLeases {
  readonly #path: string;
  readonly #clock: Clock;

  /** `path`: of dnsmasq's lease file. */
  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
  }

  /** Those that are declared no more. */
  async stale(ports: readonly HostResource<'port'>[]): Promise<Lease[]> {
    return staleLeases(readLeases((await readPlain(this.#path)) ?? ''), ports);
  }

  /**
   * Has the server forget leases that are declared no more, and `known` ones whatever its file says; no query fails
   * meanwhile. `run` runs programs in the subnet's namespace. False when the server does not forget them.
   */
  async release(
    { spec }: HostResource<'subnet'>,
    ports: readonly HostResource<'port'>[],
    run: Run,
    known: readonly Lease[],
  ): Promise<boolean> {
    let stale = united(known, await this.#staleForSure(ports));
    for (let asked = 0; asked < ASKED && stale.length > 0; asked++) {
      const some = stale.slice(0, RELEASED_AT_ONCE);
      const words = some.map(({ macAddress, address }) => `${macAddress}=${address}`);
      await run(process.execPath, [RELEASE_LEASES, requireIpv4(spec.serverAddress), ...words]);
      const deadline = this.#clock.now() + FORGETS_WITHIN_MS;
      while (this.#clock.now() < deadline && overlap(some, await this.stale(ports))) await this.#pause();
      stale = united(stale.slice(RELEASED_AT_ONCE), await this.#staleForSure(ports));
    }
    return stale.length === 0;
  }

  /** Reads twice: dnsmasq empties its file before it writes it, and may be seen between the two. */
  async #staleForSure(ports: readonly HostResource<'port'>[]): Promise<Lease[]> {
    const first = await this.stale(ports);
    await this.#pause();
    return united(first, await this.stale(ports));
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#clock.after(LOOK_AGAIN_MS, resolve));
  }
}
