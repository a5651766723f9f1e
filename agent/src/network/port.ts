/** A tap: what has to be done to have it, and how it differs. Pure. */
import type { HostResource } from '@plumb/schemas';
import { linkDrift, mark, requireOurs, requireOwnBridge } from './bridge.ts';
import type { PortCommands, SwitchedPort } from './bridge-port.ts';
import { switchCommands, switchDrift } from './bridge-port.ts';
import { leaseLine } from './dhcp.ts';
import type { FilterSets } from './filter.ts';
import { portElements } from './filter.ts';
import type { FixedAddress, Link } from './ip.ts';
import type { Names } from './names.ts';

export interface PortView {
  links: ReadonlyMap<string, Link>;
  /** The addresses that the bridge was told to find at the tap. */
  fixed: readonly FixedAddress[];
  /** What the packet filter lets through; undefined when it is missing or lacks rules. */
  filter: FilterSets | undefined;
  /** Lines of the lease file of the port's subnet. */
  leases: ReadonlySet<string>;
}

/** Commands that make the tap as declared from what is there. Throws `NameTaken` (terminal). */
export function portCommands(
  resource: HostResource<'port'>,
  names: Names,
  { links, fixed }: Pick<PortView, 'links' | 'fixed'>,
): PortCommands {
  const name = names.tap(resource.id);
  const link = requireOurs(links.get(name), resource, names);
  requireOwnBridge(links, resource.spec.bridge, names);
  const settings = ['addrgenmode', 'none', 'mtu', String(resource.spec.mtuBytes)];
  const commands = switchCommands(switchedTap(resource, names), { link, fixed }, settings);
  const add = link === undefined ? [['tuntap', 'add', 'dev', name, 'mode', 'tap', 'vnet_hdr']] : [];
  return { ...commands, ip: [...add, mark(name, resource, names), ...commands.ip] };
}

/** The tap as a port of its bridge. */
export function switchedTap({ id, spec }: HostResource<'port'>, names: Names): SwitchedPort {
  return { name: names.tap(id), bridge: names.bridge(spec.bridge), macAddress: spec.macAddress, guest: true };
}

/** How the port differs from its declaration, as sentences. */
export function portDrift(resource: HostResource<'port'>, names: Names, view: PortView): string[] {
  const name = names.tap(resource.id);
  const drift: string[] = [];
  const tap = view.links.get(name);
  const bridge = names.bridge(resource.spec.bridge);
  if (tap === undefined) drift.push(`its tap ${name} is missing`);
  else {
    if (tap.master !== bridge) drift.push(`its tap ${name} is not on the bridge ${bridge}`);
    else drift.push(...switchDrift(switchedTap(resource, names), tap, view.fixed));
    drift.push(...linkDrift(tap, resource, names));
  }
  const lease = leaseLine(resource);
  if (lease !== undefined && !view.leases.has(lease)) drift.push('its DHCP lease is missing');
  const { filter } = view;
  if (filter === undefined || portElements(resource, names).some(([set, element]) => !filter[set].has(element)))
    drift.push('its filter against spoofed addresses is missing or incomplete');
  else if (filter.addresses.size > 0 && extraElements(resource, names, filter).length > 0)
    drift.push('its filter lets other addresses through than those declared');
  return drift;
}

/** Elements by which the tap may send from addresses that are not declared. */
function extraElements(resource: HostResource<'port'>, names: Names, filter: FilterSets): string[] {
  const declared = new Set(portElements(resource, names).map(([, element]) => element));
  const tap = `${names.tap(resource.id)} `;
  return [...filter.macs, ...filter.addresses].filter((element) => element.startsWith(tap) && !declared.has(element));
}
