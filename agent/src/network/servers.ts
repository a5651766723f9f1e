/** The DHCP and DNS servers of all subnets of a driver, kept as their ports are declared. */
import type { HostResource } from '@plumb/schemas';
import { Coalesced } from '../host/coalesced.ts';
import type { Run } from '../host/command.ts';
import type { Locks } from '../host/locks.ts';
import type { Dnsmasq } from './dnsmasq.ts';
import type { Names } from './names.ts';
import { listNamespaces, namespacePath, readLegInside } from './namespaces.ts';

export interface ServersOptions {
  dnsmasq: Dnsmasq;
  names: Names;
  run: Run;
  /** Whoever changes a subnet's server holds the subnet's id. */
  locks: Locks;
  subnets: () => readonly HostResource<'subnet'>[];
  ports: () => readonly HostResource<'port'>[];
}

export class Servers {
  readonly #options: ServersOptions;
  /** Ports come and go in bursts: those that ask while one refreshing runs share the next. */
  readonly #refreshing = new Map<string, Coalesced<void>>();

  #gone: ReadonlySet<string> = new Set();

  constructor(options: ServersOptions) {
    this.#options = options;
  }

  portsOf(subnetId: string): HostResource<'port'>[] {
    return this.#options.ports().filter(({ spec }) => spec.subnet === subnetId);
  }

  /** Has the server of a subnet know its ports as they are declared now. */
  async refresh(subnetId: string | undefined): Promise<void> {
    if (subnetId === undefined) return;
    const refreshing = this.#refreshing.get(subnetId) ?? new Coalesced(() => this.#refresh(subnetId));
    this.#refreshing.set(subnetId, refreshing);
    await refreshing.run();
  }

  forget(subnetId: string): void {
    this.#refreshing.delete(subnetId);
  }

  /**
   * Looks at every server and does what it needs from time to time. True when one of them, or its namespace, went since
   * the last look: that is drift, of which nothing else tells.
   */
  async tend(): Promise<boolean> {
    const { dnsmasq, names, subnets } = this.#options;
    const namespaces = await listNamespaces();
    const gone = new Set<string>();
    for (const subnet of subnets()) {
      const runs = await dnsmasq.tend(subnet);
      if (!runs || !namespaces.has(names.namespace(subnet.id))) gone.add(subnet.id);
      if (runs && (await dnsmasq.stale(subnet.id, this.portsOf(subnet.id))).length > 0) await this.refresh(subnet.id);
    }
    const isNews = !gone.isSubsetOf(this.#gone);
    this.#gone = gone;
    return isNews;
  }

  async #refresh(subnetId: string): Promise<void> {
    const { dnsmasq, names, run, locks } = this.#options;
    await locks.hold({ exclusive: [subnetId] }, async () => {
      const subnet = this.#options.subnets().find(({ id }) => id === subnetId);
      const namespace = names.namespace(subnetId);
      const inside = subnet && (await readLegInside(run, namespace));
      // Without its leg the subnet itself is drifted: whoever repairs it writes the leases too.
      if (subnet === undefined || inside === undefined) return;
      await dnsmasq.ensure(subnet, this.portsOf(subnetId), namespacePath(namespace), inside.index);
    });
  }
}
