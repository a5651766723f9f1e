import { join } from 'node:path';
import type { Clock, LiveThing, Thing } from '@plumb/schemas';
import { retryable } from '@plumb/schemas';
import { Coalesced } from '../host/coalesced.ts';
import type { Run } from '../host/command.ts';
import { runInNetwork } from '../host/command.ts';
import { Locks } from '../host/locks.ts';
import { Records } from '../host/records.ts';
import { bridgeCommands, bridgeDrift, bridgeRemoval } from './bridge.ts';
import type { PortCommands } from './bridge-port.ts';
import { checkBridge, checkPort, checkSubnet } from './checked.ts';
import { Dnsmasq } from './dnsmasq.ts';
import { filterSets } from './filter.ts';
import type { LoadedFilter } from './filter-table.ts';
import { FilterTable } from './filter-table.ts';
import { foundlings } from './foundlings.ts';
import type { FixedAddress, Link } from './ip.ts';
import { ipBatch } from './ip.ts';
import { Kernel } from './kernel.ts';
import { Names } from './names.ts';
import { addNamespace, deleteNamespace, listNamespaces, namespacePath, readLegInside } from './namespaces.ts';
import { portCommands, portDrift } from './port.ts';
import { Servers } from './servers.ts';
import { insideCommands, legCommands, subnetDrift } from './subnet.ts';
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

export type NetworkThing = LiveThing<'bridge' | 'subnet' | 'port'>;

/** Everything that the parts look at, read at one moment. */
interface Snapshot {
  links: Map<string, Link>;
  fixed: Map<string, FixedAddress[]>;
  namespaces: Set<string>;
  filter: LoadedFilter | undefined;
}

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
  readonly #filter: FilterTable;
  readonly #kernel: Kernel;
  readonly #snapshots = new Coalesced(() => this.#read());
  /** Changes of interfaces go one after another; so do changes of one subnet's DHCP. */
  readonly #locks = new Locks();

  constructor(options: NetworkOptions) {
    const { dataDir, key, run, clock } = options;
    this.#options = options;
    this.names = new Names(key);
    this.#bridges = new Records(dataDir, 'bridge');
    this.#subnets = new Records(dataDir, 'subnet');
    this.#ports = new Records(dataDir, 'port');
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
    this.#filter = new FilterTable(this.names.table(), run, () =>
      filterSets(
        { bridges: this.#bridges.list(), subnets: this.#subnets.list(), ports: this.#ports.list() },
        this.names,
      ),
    );
  }

  async open(): Promise<void> {
    await Promise.all([this.#bridges.open(), this.#subnets.open(), this.#ports.open()]);
    // What this leaves undone is drift.
    await this.#locks.hold({ exclusive: [IP] }, () => this.#upgrade()).catch(() => {});
  }

  /** What an earlier version made is kept as this one makes it, also where drift is only reported. */
  async #upgrade(): Promise<void> {
    const { links, fixed, filter } = await this.#read();
    if (filter !== undefined && !filter.complete) await this.#filter.apply();
    const input = {
      bridges: this.#bridges.list(),
      subnets: this.#subnets.list(),
      ports: this.#ports.list(),
      links,
      fixed,
    };
    await this.#kernel.apply(upgradeCommands(input, this.names));
  }

  async observe(): Promise<NetworkThing[]> {
    const snapshot = await this.#snapshots.run();
    const recorded = await Promise.all([
      ...this.#bridges.list().map((thing) => this.#lookAtBridge(thing, snapshot)),
      ...this.#subnets.list().map((thing) => this.#lookAtSubnet(thing, snapshot)),
      ...this.#ports.list().map((thing) => this.#lookAtPort(thing, snapshot)),
    ]);
    const known = new Set(recorded.map(({ kind, id }) => `${kind}/${id}`));
    return [...recorded, ...foundlings(this.names, snapshot, known)];
  }

  async ensureBridge(thing: Thing<'bridge'>): Promise<LiveThing<'bridge'>> {
    checkBridge(thing);
    const before = this.#bridges.get(thing.id);
    await this.#locks.hold({ exclusive: [IP] }, async () => {
      const view = await this.#kernel.bridgeView(thing, await this.#kernel.links());
      const commands = bridgeCommands(thing, before, this.names, view);
      await this.#recorded(thing.kind, thing.id, this.#bridges.put(thing), async () => {
        await this.#filter.apply();
        await this.#kernel.apply(commands);
      });
    });
    return this.#lookAtBridge(thing, await this.#snapshots.run());
  }

  async ensureSubnet(thing: Thing<'subnet'>): Promise<LiveThing<'subnet'>> {
    checkSubnet(thing);
    const { run } = this.#options;
    const namespace = this.names.namespace(thing.id);
    await this.#locks.hold({ exclusive: [IP, thing.id] }, async () => {
      const link = (await this.#kernel.links()).get(this.names.leg(thing.id));
      const commands = legCommands(thing, this.names, { link, fixed: await this.#kernel.fixedAt(link) });
      await this.#recorded(thing.kind, thing.id, this.#subnets.put(thing), async () => {
        await this.#filter.apply();
        await addNamespace(run, namespace);
        await this.#kernel.apply(await this.#withWholePair(thing, commands));
        const inside = await readLegInside(run, namespace);
        if (inside === undefined)
          throw retryable('NetworkFailed', `the leg of subnet ${thing.id} went while it was made`);
        await ipBatch(runInNetwork(namespacePath(namespace), run), insideCommands(thing, inside));
        await this.#dnsmasq.ensure(thing, this.#servers.portsOf(thing.id), namespacePath(namespace), inside.index);
      });
    });
    return this.#lookAtSubnet(thing, await this.#snapshots.run());
  }

  async ensurePort(thing: Thing<'port'>): Promise<LiveThing<'port'>> {
    checkPort(thing);
    const before = this.#ports.get(thing.id);
    await this.#recorded(thing.kind, thing.id, this.#ports.put(thing), async () => {
      // The filter first: there is no moment in which the guest could send as someone else.
      await this.#filter.apply();
      await this.#locks.hold({ exclusive: [IP] }, async () => {
        const links = await this.#kernel.links();
        const fixed = await this.#kernel.fixedAt(links.get(this.names.tap(thing.id)));
        await this.#kernel.apply(portCommands(thing, this.names, { links, fixed }));
      });
      for (const subnet of new Set([thing.spec.subnet, before?.spec.subnet])) await this.#servers.refresh(subnet);
    });
    return this.#lookAtPort(thing, await this.#snapshots.run());
  }

  async removeBridge(id: string): Promise<void> {
    await this.#locks.hold({ exclusive: [IP] }, () => this.#unmakeBridge(id));
    await this.#filter.apply();
  }

  async removeSubnet(id: string): Promise<void> {
    await this.#locks.hold({ exclusive: [IP, id] }, () => this.#unmakeSubnet(id));
    await this.#filter.apply();
  }

  async removePort(id: string): Promise<void> {
    const subnet = this.#ports.get(id)?.spec.subnet;
    await this.#locks.hold({ exclusive: [IP] }, () => this.#unmakePort(id));
    await this.#servers.refresh(subnet);
    await this.#filter.apply();
  }

  /** Does what servers need from time to time. True when something is gone that nothing else tells of. */
  tend(): Promise<boolean> {
    return this.#servers.tend();
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

  /** Has the record be there while `make` works; when that fails and the thing is new, it goes again. */
  async #recorded(
    kind: NetworkThing['kind'],
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
  async #forget(kind: NetworkThing['kind'], id: string): Promise<void> {
    const removal = {
      bridge: () => this.#unmakeBridge(id),
      subnet: () => this.#unmakeSubnet(id),
      port: () => this.removePort(id),
    };
    await removal[kind]().catch(() => {});
    await this.#filter.apply().catch(() => {});
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
  async #withWholePair(thing: Thing<'subnet'>, commands: PortCommands): Promise<PortCommands> {
    const isNew = commands.ip[0]?.[1] === 'add';
    if (isNew || (await readLegInside(this.#options.run, this.names.namespace(thing.id))) !== undefined)
      return commands;
    const anew = legCommands(thing, this.names, { fixed: [] });
    return { ...anew, ip: [['link', 'del', this.names.leg(thing.id)], ...anew.ip] };
  }

  async #read(): Promise<Snapshot> {
    const [links, fixed, namespaces, filter] = await Promise.all([
      this.#kernel.look(),
      this.#kernel.fixed(),
      listNamespaces(),
      this.#filter.read(),
    ]);
    return { links, fixed, namespaces, filter };
  }

  async #lookAtBridge(thing: Thing<'bridge'>, { links }: Snapshot): Promise<LiveThing<'bridge'>> {
    return { ...thing, drift: bridgeDrift(thing, this.names, await this.#kernel.bridgeView(thing, links)) };
  }

  async #lookAtSubnet(thing: Thing<'subnet'>, { links, fixed }: Snapshot): Promise<LiveThing<'subnet'>> {
    const namespace = this.names.namespace(thing.id);
    const inside = await readLegInside(this.#options.run, namespace);
    const drift = subnetDrift(thing, this.names, links, fixed.get(this.names.leg(thing.id)) ?? [], inside);
    if (inside !== undefined) drift.push(...(await this.#dnsmasq.drift(thing, namespacePath(namespace), inside.index)));
    return { ...thing, drift };
  }

  async #lookAtPort(thing: Thing<'port'>, { links, fixed, filter }: Snapshot): Promise<LiveThing<'port'>> {
    const leases = await this.#dnsmasq.leases(thing.spec.subnet);
    const at = fixed.get(this.names.tap(thing.id)) ?? [];
    const sets = filter?.complete ? filter.sets : undefined;
    return { ...thing, drift: portDrift(thing, this.names, { links, fixed: at, filter: sets, leases }) };
  }
}
