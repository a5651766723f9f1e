import { join } from 'node:path';
import type { Clock, LiveThing, Thing } from '@plumb/schemas';
import { retryable } from '@plumb/schemas';
import { Coalesced } from '../host/coalesced.ts';
import type { Run } from '../host/command.ts';
import { runInNetwork } from '../host/command.ts';
import { Locks } from '../host/locks.ts';
import { Records } from '../host/records.ts';
import type { BridgeView } from './bridge.ts';
import { bridgeCommands, bridgeDrift, bridgeRemoval } from './bridge.ts';
import { checkBridge, checkPort, checkSubnet } from './checked.ts';
import { Dnsmasq } from './dnsmasq.ts';
import { filterSets } from './filter.ts';
import type { LoadedFilter } from './filter-table.ts';
import { FilterTable } from './filter-table.ts';
import { foundlings } from './foundlings.ts';
import { hostUses } from './host-uses.ts';
import type { IpCommand, Link } from './ip.ts';
import { bridgeBatch, ipBatch, readLinks, readPeers } from './ip.ts';
import { Names } from './names.ts';
import { addNamespace, deleteNamespace, listNamespaces, namespacePath, readLegInside } from './namespaces.ts';
import { portCommands, portDrift } from './port.ts';
import { insideCommands, legCommands, subnetDrift } from './subnet.ts';

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
  readonly #filter: FilterTable;
  readonly #links = new Coalesced(() => readLinks(this.#options.run));
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
    this.#dnsmasq = new Dnsmasq(join(options.runDir, 'dhcp'), run, clock);
    this.#filter = new FilterTable(this.names.table(), run, () =>
      filterSets(
        { bridges: this.#bridges.list(), subnets: this.#subnets.list(), ports: this.#ports.list() },
        this.names,
      ),
    );
  }

  async open(): Promise<void> {
    await Promise.all([this.#bridges.open(), this.#subnets.open(), this.#ports.open()]);
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
    const { run } = this.#options;
    const before = this.#bridges.get(thing.id);
    await this.#locks.hold({ exclusive: [IP] }, async () => {
      const { ip, fdb } = bridgeCommands(
        thing,
        before,
        this.names,
        await this.#bridgeView(thing, await readLinks(run)),
      );
      await this.#recorded(thing.kind, thing.id, this.#bridges.put(thing), async () => {
        await this.#filter.apply();
        await ipBatch(run, ip);
        await bridgeBatch(run, fdb);
      });
    });
    return this.#lookAtBridge(thing, await this.#snapshots.run());
  }

  async ensureSubnet(thing: Thing<'subnet'>): Promise<LiveThing<'subnet'>> {
    checkSubnet(thing);
    const { run } = this.#options;
    const namespace = this.names.namespace(thing.id);
    await this.#locks.hold({ exclusive: [IP, thing.id] }, async () => {
      const commands = legCommands(thing, this.names, await readLinks(run));
      await this.#recorded(thing.kind, thing.id, this.#subnets.put(thing), async () => {
        await this.#filter.apply();
        await addNamespace(run, namespace);
        await ipBatch(run, await this.#withWholePair(thing, commands));
        const inside = await readLegInside(run, namespace);
        if (inside === undefined)
          throw retryable('NetworkFailed', `the leg of subnet ${thing.id} went while it was made`);
        await ipBatch(runInNetwork(namespacePath(namespace), run), insideCommands(thing, inside));
        await this.#dnsmasq.ensure(thing, this.#portsOf(thing.id), namespacePath(namespace), inside.index);
      });
    });
    return this.#lookAtSubnet(thing, await this.#snapshots.run());
  }

  async ensurePort(thing: Thing<'port'>): Promise<LiveThing<'port'>> {
    checkPort(thing);
    const { run } = this.#options;
    const before = this.#ports.get(thing.id);
    await this.#recorded(thing.kind, thing.id, this.#ports.put(thing), async () => {
      // The filter first: there is no moment in which the guest could send as someone else.
      await this.#filter.apply();
      await this.#locks.hold({ exclusive: [IP] }, async () =>
        ipBatch(run, portCommands(thing, this.names, await readLinks(run))),
      );
      for (const subnet of new Set([thing.spec.subnet, before?.spec.subnet])) await this.#refreshLeases(subnet);
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
    await this.#refreshLeases(subnet);
    await this.#filter.apply();
  }

  /** Those of the ports whose tap nobody holds open. */
  async cutOff(portIds: readonly string[]): Promise<string[]> {
    if (portIds.length === 0) return [];
    const links = await this.#links.run();
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
    const { run } = this.#options;
    const links = await readLinks(run);
    const physical = this.#bridges.get(id)?.spec.physicalInterface;
    const held = physical !== undefined && links.get(physical)?.master === this.names.bridge(id);
    const release: IpCommand[] = held ? [['link', 'set', 'dev', physical, 'nomaster']] : [];
    await ipBatch(run, [...release, ...bridgeRemoval(id, this.names, links)]);
    await this.#bridges.delete(id);
  }

  async #unmakeSubnet(id: string): Promise<void> {
    const { run } = this.#options;
    const namespace = this.names.namespace(id);
    await this.#dnsmasq.remove(id);
    await ipBatch(run, this.#deletion(this.names.leg(id), await readLinks(run)));
    await deleteNamespace(run, namespace);
    await this.#subnets.delete(id);
  }

  async #unmakePort(id: string): Promise<void> {
    const { run } = this.#options;
    await ipBatch(run, this.#deletion(this.names.tap(id), await readLinks(run)));
    await this.#ports.delete(id);
  }

  #deletion(name: string, links: ReadonlyMap<string, Link>): IpCommand[] {
    return this.names.readAlias(links.get(name)?.alias) === undefined ? [] : [['link', 'del', name]];
  }

  /** A pair whose inner end has left the namespace is of no use: it is made anew. */
  async #withWholePair(thing: Thing<'subnet'>, commands: IpCommand[]): Promise<IpCommand[]> {
    const isNew = commands[0]?.[1] === 'add';
    if (isNew || (await readLegInside(this.#options.run, this.names.namespace(thing.id))) !== undefined)
      return commands;
    return [['link', 'del', this.names.leg(thing.id)], ...legCommands(thing, this.names, new Map())];
  }

  #portsOf(subnetId: string): Thing<'port'>[] {
    return this.#ports.list().filter(({ spec }) => spec.subnet === subnetId);
  }

  async #refreshLeases(subnetId: string | undefined): Promise<void> {
    if (subnetId === undefined) return;
    await this.#locks.hold({ exclusive: [subnetId] }, async () => {
      const subnet = this.#subnets.get(subnetId);
      const namespace = this.names.namespace(subnetId);
      const inside = subnet && (await readLegInside(this.#options.run, namespace));
      // Without its leg the subnet itself is drifted: whoever repairs it writes the leases too.
      if (subnet === undefined || inside === undefined) return;
      await this.#dnsmasq.ensure(subnet, this.#portsOf(subnetId), namespacePath(namespace), inside.index);
    });
  }

  async #read(): Promise<Snapshot> {
    const [links, namespaces, filter] = await Promise.all([this.#links.run(), listNamespaces(), this.#filter.read()]);
    return { links, namespaces, filter };
  }

  async #bridgeView({ id, spec }: Thing<'bridge'>, links: Map<string, Link>): Promise<BridgeView> {
    const { run, tunnelAddress } = this.#options;
    const vxlan = this.names.vxlan(id);
    const physical = spec.type === 'flat' ? links.get(spec.physicalInterface ?? '') : undefined;
    return {
      links,
      peers: links.has(vxlan) ? await readPeers(run, vxlan) : [],
      hostUses: physical === undefined ? [] : await hostUses(run, physical.name),
      tunnelAddress,
    };
  }

  async #lookAtBridge(thing: Thing<'bridge'>, { links }: Snapshot): Promise<LiveThing<'bridge'>> {
    return { ...thing, drift: bridgeDrift(thing, this.names, await this.#bridgeView(thing, links)) };
  }

  async #lookAtSubnet(thing: Thing<'subnet'>, { links }: Snapshot): Promise<LiveThing<'subnet'>> {
    const inside = await readLegInside(this.#options.run, this.names.namespace(thing.id));
    const drift = subnetDrift(thing, this.names, links, inside);
    return { ...thing, drift: [...drift, ...(inside ? await this.#dnsmasq.drift(thing, inside.index) : [])] };
  }

  async #lookAtPort(thing: Thing<'port'>, { links, filter }: Snapshot): Promise<LiveThing<'port'>> {
    const leases = await this.#dnsmasq.leases(thing.spec.subnet);
    const sets = filter?.complete ? filter.sets : undefined;
    return { ...thing, drift: portDrift(thing, this.names, { links, filter: sets, leases }) };
  }
}
