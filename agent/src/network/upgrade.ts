/** What bridges, taps and legs of an earlier version lack, mended where they are, while guests use them. Pure. */
import type { HostResource } from '@plumb/schemas';
import { filterGroups, uplinkOf } from './bridge.ts';
import type { PortCommands, SwitchedPort } from './bridge-port.ts';
import { filtersGroups, switchCommands, switchDrift } from './bridge-port.ts';
import type { FixedAddress, Link } from './ip.ts';
import type { Names } from './names.ts';
import { switchedTap } from './port.ts';
import { switchedLeg } from './subnet.ts';

export interface UpgradeInput {
  bridges: readonly HostResource<'bridge'>[];
  subnets: readonly HostResource<'subnet'>[];
  ports: readonly HostResource<'port'>[];
  links: ReadonlyMap<string, Link>;
  fixed: ReadonlyMap<string, FixedAddress[]>;
}

/** Commands for the ports that are on their bridge and switched otherwise than now; whatever else differs is drift. */
export function upgradeCommands({ bridges, subnets, ports, links, fixed }: UpgradeInput, names: Names): PortCommands {
  const all: PortCommands = { ip: [], fdb: [], after: [] };
  for (const bridge of bridges) {
    const uplink = links.get(uplinkOf(bridge, names) ?? '');
    if (uplink?.master === names.bridge(bridge.id) && !filtersGroups(uplink)) all.ip.push(filterGroups(uplink.name));
  }
  const declared: SwitchedPort[] = [
    ...ports.map((port) => switchedTap(port, names)),
    ...subnets.map((subnet) => switchedLeg(subnet, names)),
  ];
  for (const port of declared) {
    const link = links.get(port.name);
    if (link?.master !== port.bridge || names.readAlias(link.alias) === undefined) continue;
    const at = fixed.get(port.name) ?? [];
    if (switchDrift(port, link, at).length === 0) continue;
    const { ip, fdb, after } = switchCommands(port, { link, fixed: at }, []);
    all.ip.push(...ip);
    all.fdb.push(...fdb);
    all.after.push(...after);
  }
  return all;
}
