import { join } from 'node:path';
import type { Clock, HostResource, LiveResource } from '@plumb/schemas';
import { retryable } from '@plumb/schemas';
import type { Run } from '../host/command.ts';
import { runInNetwork } from '../host/command.ts';
import { Locks } from '../host/locks.ts';
import { lookedAt } from '../host/looked-at.ts';
import { Records } from '../host/records.ts';
import { bridgeCommands, bridgeRemoval, requireOwnBridge } from './bridge.ts';
import type { PortCommands } from './bridge-port.ts';
import { checkBridge, checkPort, checkSubnet } from './checked.ts';
import { Dnsmasq } from './dnsmasq.ts';
import type { FilterInput } from './filter.ts';
import { FilterWatch } from './filter-watch.ts';
import { foundlings } from './foundlings.ts';
import { ipBatch, type Link } from './ip.ts';
import { Kernel } from './kernel.ts';
import { Names } from './names.ts';
import { addNamespace, deleteNamespace, namespacePath, readLegInside } from './namespaces.ts';
import { portCommands } from './port.ts';
import { Servers } from './servers.ts';
import { insideCommands, legCommands } from './subnet.ts';
import { Survey } from './survey.ts';
import { Tables } from './tables.ts';
import { upgradeCommands } from './upgrade.ts';

export interface NetworkOptions {
  dataDir: string;
  /** Folder of this driver under /run. */
  runDir: string;
  key: string;
  tunnelAddress: string;
  /** Runs programs in the network namespace in which bridges and taps are. */
  run: Run;
  clock: Clock;
}

export type NetworkResource = LiveResource<'bridge' | 'subnet' | 'port'>;

const IP = 'ip';

/** Bridges, subnets and ports of one driver, as the kernel has them. */
export class Network {
  readonly names: Names;
  readonly #options: NetworkOptions;
  readonly #bridges: Records<'bridge'>;
  readonly #subnets: Records<'subnet'>;
  readonly #ports: Records<'port'>;
  readonly #dnsmasq: Dnsmasq;
  readonly #servers: Servers;
  readonly #tables: Tables;
  readonly #kernel: Kernel;
  readonly #survey: Survey;
  readonly #filterWatch: FilterWatch;
  #onFilterLost = () => {};
  /** Changes of interfaces go one after another; so do changes of one subnet's DHCP. */
  readonly #locks = new Locks();

  constructor(options: NetworkOptions) {
    const { dataDir, key, run, clock } = options;
    this.#options = options;
    this.names = new Names(key);
    this.#bridges = new Records<'bridge'>(dataDir, 'bridge', checkBridge);
    this.#subnets = new Records<'subnet'>(dataDir, 'subnet', checkSubnet);
    this.#ports = new Records<'port'>(dataDir, 'port', checkPort);
    this.#kernel = new Kernel(run, this.names, options.tunnelAddress);
    this.#dnsmasq = new Dnsmasq(join(options.runDir, 'dhcp'), run, clock);
    this.#servers = new Servers({
      dnsmasq: this.#dnsmasq,
      names: this.names,
      run,
      locks: this.#locks,
      subnets: () => this.#subnets.list(),
      ports: () => this.#ports.list(),
    });
    this.#tables = new Tables({
      ...{ names: this.names, run, tunnelAddress: options.tunnelAddress },
      declared: () => this.declared(),
      links: () => this.#kernel.look(),
      loads: (family) => this.expectLoad(`${family} ${this.names.table()}`),
    });
    this.#filterWatch = new FilterWatch({
      table: this.names.table(),
      clock,
      foreign: () => this.#onFilterLost(),
    });
    this.#survey = new Survey({
      ...{ names: this.names, run, kernel: this.#kernel, tables: this.#tables, dnsmasq: this.#dnsmasq },
    });
  }

  /** As FilterWatch.expect: of who loads tables beside those of this. */
  expectLoad(table: string): (tookAway: boolean) => void {
    return this.#filterWatch.expect(table);
  }

  /** All interfaces, read now. */
  links(): Promise<Map<string, Link>> {
    return this.#kernel.look();
  }

  /** Has a bridge hand its packets to connection tracking. */
  async track(bridge: string): Promise<void> {
    await this.#locks.hold({ exclusive: [IP] }, () =>
      this.#kernel.apply({ ip: [['link', 'set', 'dev', bridge, 'type', 'bridge', 'nf_call_iptables', '1']], fdb: [] }),
    );
  }

  /** What is declared of networks. */
  declared(): FilterInput {
    return { bridges: this.#bridges.list(), subnets: this.#subnets.list(), ports: this.#ports.list() };
  }

  async open(): Promise<void> {
    await Promise.all([this.#bridges.open(), this.#subnets.open(), this.#ports.open()]);
    // What this leaves undone is drift.
    await this.#locks.hold({ exclusive: [IP] }, () => this.#upgrade()).catch(() => {});
    await Promise.all(this.#subnets.list().map(({ id }) => this.#servers.refresh(id).catch(() => {})));
  }

  /** What an earlier version made is kept as this one makes it, also where drift is only reported. */
  async #upgrade(): Promise<void> {
    const snapshot = await this.#survey.read();
    await this.#tables.upgrade(snapshot);
    const { links, fixed } = snapshot;
    await this.#kernel.apply(upgradeCommands({ ...this.declared(), links, fixed }, this.names));
  }

  async observe(): Promise<NetworkResource[]> {
    const snapshot = await this.#survey.read();
    const recorded = await Promise.all([
      ...this.#bridges.list().map((resource) => lookedAt(resource, this.#survey.bridge(resource, snapshot))),
      ...this.#subnets.list().map((resource) => lookedAt(resource, this.#survey.subnet(resource, snapshot))),
      ...this.#ports.list().map((resource) => lookedAt(resource, this.#survey.port(resource, snapshot))),
    ]);
    const known = new Set(recorded.map(({ kind, id }) => `${kind}/${id}`));
    return [...recorded, ...foundlings(this.names, snapshot, known)];
  }

  async ensureBridge(resource: HostResource<'bridge'>): Promise<LiveResource<'bridge'>> {
    checkBridge(resource);
    const before = this.#bridges.get(resource.id);
    await this.#locks.hold({ exclusive: [IP] }, async () => {
      const view = await this.#kernel.bridgeView(resource, await this.#kernel.links());
      const commands = bridgeCommands(resource, before, this.names, view);
      await this.#recorded(resource.kind, resource.id, this.#bridges.put(resource), async () => {
        await this.#tables.apply();
        await this.#kernel.apply(commands);
      });
    });
    return this.#survey.bridge(resource, await this.#survey.read());
  }

  async ensureSubnet(resource: HostResource<'subnet'>): Promise<LiveResource<'subnet'>> {
    checkSubnet(resource);
    const { run } = this.#options;
    const namespace = this.names.namespace(resource.id);
    await this.#locks.hold({ exclusive: [IP, resource.id] }, async () => {
      const links = await this.#kernel.links();
      const link = links.get(this.names.leg(resource.id));
      requireOwnBridge(links, resource.spec.bridge, this.names);
      const commands = legCommands(resource, this.names, { link, fixed: await this.#kernel.fixedAt(link) });
      await this.#recorded(resource.kind, resource.id, this.#subnets.put(resource), async () => {
        await this.#tables.applyFilter();
        await addNamespace(run, namespace);
        await this.#kernel.apply(await this.#withWholePair(resource, commands));
        const inside = await readLegInside(run, namespace);
        if (inside === undefined)
          throw retryable('NetworkFailed', `the leg of subnet ${resource.id} went while it was made`);
        await ipBatch(runInNetwork(namespacePath(namespace), run), insideCommands(resource, inside));
        await this.#dnsmasq.ensure(
          resource,
          this.#servers.portsOf(resource.id),
          namespacePath(namespace),
          inside.index,
        );
      });
    });
    return this.#survey.subnet(resource, await this.#survey.read());
  }

  async ensurePort(resource: HostResource<'port'>): Promise<LiveResource<'port'>> {
    checkPort(resource);
    const before = this.#ports.get(resource.id);
    await this.#recorded(resource.kind, resource.id, this.#ports.put(resource), async () => {
      // The filter first: there is no moment in which the guest could send as someone else.
      await this.#tables.applyFilter();
      await this.#locks.hold({ exclusive: [IP] }, async () => {
        const links = await this.#kernel.links();
        const fixed = await this.#kernel.fixedAt(links.get(this.names.tap(resource.id)));
        await this.#kernel.apply(portCommands(resource, this.names, { links, fixed }));
      });
      for (const subnet of new Set([resource.spec.subnet, before?.spec.subnet])) await this.#servers.refresh(subnet);
    });
    return this.#survey.port(resource, await this.#survey.read());
  }

  async removeBridge(id: string): Promise<void> {
    await this.#locks.hold({ exclusive: [IP] }, () => this.#unmakeBridge(id));
    await this.#tables.apply();
  }

  async removeSubnet(id: string): Promise<void> {
    await this.#locks.hold({ exclusive: [IP, id] }, () => this.#unmakeSubnet(id));
    await this.#tables.applyFilter();
  }

  async removePort(id: string): Promise<void> {
    const subnet = this.#ports.get(id)?.spec.subnet;
    await this.#locks.hold({ exclusive: [IP] }, () => this.#unmakePort(id));
    await this.#servers.refresh(subnet);
    await this.#tables.applyFilter();
  }

  /**
   * Calls `lost` when somebody takes rules of ours out of the packet filter. Returns a function that ends that. `networkNamespace`: in
   * which bridges and taps are.
   */
  watchFilter(networkNamespace: string | undefined, lost: () => void): () => void {
    this.#onFilterLost = lost;
    return this.#filterWatch.follow(networkNamespace);
  }

  /** Has the packet filter be as declared. */
  mendFilter(): Promise<void> {
    return this.#tables.apply();
  }

  /** Paths of records that say nothing of ours. */
  get unreadable(): string[] {
    return [this.#bridges, this.#subnets, this.#ports].flatMap((records) => records.unreadable);
  }

  /** Does what servers need from time to time. True when something is gone that nothing else tells of. */
  tend(): Promise<boolean> {
    return this.#servers.tend();
  }

  /** The object that a port was made for. */
  ownerOf(portId: string): string | undefined {
    return this.#ports.get(portId)?.owner;
  }

  /** Those of the ports whose tap nobody holds open. */
  async cutOff(portIds: readonly string[]): Promise<string[]> {
    if (portIds.length === 0) return [];
    const links = await this.#kernel.look();
    return portIds.filter((id) => links.get(this.names.tap(id))?.carrier !== true);
  }

  /** Whether an interface, as `ip monitor` names it, is one whose change matters here. */
  watches(interfaceName: string): boolean {
    const physical = this.#bridges.list().some(({ spec }) => spec.physicalInterface === interfaceName);
    return physical || this.#ours().has(interfaceName);
  }

  #ours(): Set<string> {
    const { names } = this;
    return new Set([
      ...this.#bridges.list().flatMap(({ id }) => [names.bridge(id), names.vxlan(id)]),
      ...this.#subnets.list().map(({ id }) => names.leg(id)),
      ...this.#ports.list().map(({ id }) => names.tap(id)),
    ]);
  }

  /** Has the record be there while `make` works; when that fails and the resource is new, it goes again. */
  async #recorded(
    kind: NetworkResource['kind'],
    id: string,
    put: Promise<boolean>,
    make: () => Promise<void>,
  ): Promise<void> {
    const isNew = await put;
    try {
      await make();
    } catch (thrown) {
      if (isNew) await this.#forget(kind, id);
      throw thrown;
    }
  }

  /** Takes back what a failed making left, as far as that goes; the failure itself is what is told. */
  async #forget(kind: NetworkResource['kind'], id: string): Promise<void> {
    const removal = {
      bridge: () => this.#unmakeBridge(id),
      subnet: () => this.#unmakeSubnet(id),
      port: () => this.removePort(id),
    };
    await removal[kind]().catch(() => {});
    await this.#tables.apply().catch(() => {});
  }

  async #unmakeBridge(id: string): Promise<void> {
    const physical = this.#bridges.get(id)?.spec.physicalInterface;
    await this.#kernel.removeBridge(this.names.bridge(id), (links) => bridgeRemoval(id, this.names, links), physical);
    await this.#bridges.delete(id);
  }

  async #unmakeSubnet(id: string): Promise<void> {
    const { run } = this.#options;
    const namespace = this.names.namespace(id);
    await this.#dnsmasq.remove(id);
    this.#servers.forget(id);
    await this.#kernel.remove(this.names.leg(id));
    await deleteNamespace(run, namespace);
    await this.#subnets.delete(id);
  }

  async #unmakePort(id: string): Promise<void> {
    await this.#kernel.remove(this.names.tap(id));
    await this.#ports.delete(id);
  }

  /** A pair whose inner end has left the namespace is of no use: it is made anew. */
  async #withWholePair(resource: HostResource<'subnet'>, commands: PortCommands): Promise<PortCommands> {
    const isNew = commands.ip[0]?.[1] === 'add';
    if (isNew || (await readLegInside(this.#options.run, this.names.namespace(resource.id))) !== undefined)
      return commands;
    const anew = legCommands(resource, this.names, { fixed: [] });
    return { ...anew, ip: [['link', 'del', this.names.leg(resource.id)], ...anew.ip] };
  }
}
