/** What there is of bridges, subnets and ports, and how it differs from what is declared. Changes nothing. */
import type { HostResource, LiveResource } from '@plumb/schemas';
import { Coalesced } from '../host/coalesced.ts';
import type { Run } from '../host/command.ts';
import { bridgeDrift } from './bridge.ts';
import type { Dnsmasq } from './dnsmasq.ts';
import type { FixedAddress, Link } from './ip.ts';
import type { Kernel } from './kernel.ts';
import type { Names } from './names.ts';
import { listNamespaces, namespacePath, readLegInside } from './namespaces.ts';
import { portDrift } from './port.ts';
import { subnetDrift } from './subnet.ts';
import type { LoadedTables, Tables } from './tables.ts';
import { tunnelDrift } from './tunnels.ts';

/** Everything that is looked at, read at one moment. */
export interface Snapshot extends LoadedTables {
  links: Map<string, Link>;
  fixed: Map<string, FixedAddress[]>;
  namespaces: Set<string>;
}

export interface SurveyOptions {
  names: Names;
  run: Run;
  kernel: Kernel;
  tables: Tables;
  dnsmasq: Dnsmasq;
}

export class Survey {
  readonly #options: SurveyOptions;
  readonly #snapshots = new Coalesced(() => this.#read());

  constructor(options: SurveyOptions) {
    this.#options = options;
  }

  /** Those who ask while one reading runs share the next. */
  read(): Promise<Snapshot> {
    return this.#snapshots.run();
  }

  async bridge(resource: HostResource<'bridge'>, { links, tunnels }: Snapshot): Promise<LiveResource<'bridge'>> {
    const { names, kernel } = this.#options;
    const view = await kernel.bridgeView(resource, links);
    const loaded = tunnels?.complete ? tunnels.sets : undefined;
    return {
      ...resource,
      drift: [...bridgeDrift(resource, names, view), ...tunnelDrift(resource, view.tunnelAddress, loaded)],
    };
  }

  async subnet(resource: HostResource<'subnet'>, { links, fixed }: Snapshot): Promise<LiveResource<'subnet'>> {
    const { names, run, dnsmasq } = this.#options;
    const namespace = names.namespace(resource.id);
    const inside = await readLegInside(run, namespace);
    const drift = subnetDrift(resource, names, links, fixed.get(names.leg(resource.id)) ?? [], inside);
    if (inside !== undefined) drift.push(...(await dnsmasq.drift(resource, namespacePath(namespace), inside.index)));
    return { ...resource, drift };
  }

  async port(resource: HostResource<'port'>, { links, fixed, filter }: Snapshot): Promise<LiveResource<'port'>> {
    const { names, dnsmasq } = this.#options;
    const leases = await dnsmasq.leases(resource.spec.subnet);
    const at = fixed.get(names.tap(resource.id)) ?? [];
    const sets = filter?.complete ? filter.sets : undefined;
    return { ...resource, drift: portDrift(resource, names, { links, fixed: at, filter: sets, leases }) };
  }

  async #read(): Promise<Snapshot> {
    const { kernel, tables } = this.#options;
    const [links, fixed, namespaces, loaded] = await Promise.all([
      kernel.look(),
      kernel.fixed(),
      listNamespaces(),
      tables.read(),
    ]);
    tables.saw({ links, ...loaded });
    return { links, fixed, namespaces, ...loaded };
  }
}
