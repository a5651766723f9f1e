/** The leg of an L3 network: what has to be done to have it, and how it differs. Pure. */
import type { HostResource } from '@plumb/schemas';
import { linkDrift, mark, requireOurs } from './bridge.ts';
import type { PortCommands, SwitchedNow, SwitchedPort } from './bridge-port.ts';
import { switchCommands, switchDrift } from './bridge-port.ts';
import { LEG } from './dhcp.ts';
import type { FixedAddress, IpCommand, Link } from './ip.ts';
import { parseCidr, requireIpv4, requireMac } from './ipv4.ts';
import type { Names } from './names.ts';

/** Inside of the namespace, as `ip -j addr` shows the leg. */
export interface LegInside {
  /** The kernel's number of the interface: a new one each time that it is made. */
  index: number;
  mac: string;
  up: boolean;
  /** `address/prefix length` of every IPv4 address. */
  addresses: string[];
}

/** Commands in the host's own network: the pair, whose other end is put into the namespace. `NameTaken` (terminal). */
export function legCommands(resource: HostResource<'subnet'>, names: Names, now: SwitchedNow): PortCommands {
  const name = names.leg(resource.id);
  const link = requireOurs(now.link, resource, names);
  const settings = ['addrgenmode', 'none', 'mtu', String(resource.spec.mtuBytes)];
  const pair = ['link', 'add', name, 'type', 'veth', 'peer', 'name', LEG, 'netns', names.namespace(resource.id)];
  const commands = switchCommands(switchedLeg(resource, names), now, settings);
  return { ...commands, ip: [...(link === undefined ? [pair] : []), mark(name, resource, names), ...commands.ip] };
}

/** The leg as a port of its bridge. */
export function switchedLeg({ id, spec }: HostResource<'subnet'>, names: Names): SwitchedPort {
  return { name: names.leg(id), bridge: names.bridge(spec.bridge), macAddress: spec.serverMac, guest: false };
}

/** Commands inside of the namespace. */
export function insideCommands({ spec }: HostResource<'subnet'>, inside: LegInside): IpCommand[] {
  const address = legAddress(spec);
  const mac = requireMac(spec.serverMac);
  return [
    ['link', 'set', 'dev', 'lo', 'up'],
    ['link', 'set', 'dev', LEG, 'addrgenmode', 'none', 'address', mac, 'mtu', String(spec.mtuBytes), 'up'],
    ...inside.addresses.filter((old) => old !== address).map((old) => ['addr', 'del', old, 'dev', LEG]),
    ...(inside.addresses.includes(address) ? [] : [['addr', 'add', address, 'dev', LEG]]),
  ];
}

/** How the leg differs from its declaration, as sentences. `inside`: undefined when it is not in its namespace. */
export function subnetDrift(
  resource: HostResource<'subnet'>,
  names: Names,
  links: ReadonlyMap<string, Link>,
  fixed: readonly FixedAddress[],
  inside: LegInside | undefined,
): string[] {
  const name = names.leg(resource.id);
  const bridge = names.bridge(resource.spec.bridge);
  const leg = links.get(name);
  if (leg === undefined) return [`its leg ${name} is missing`];
  const drift = linkDrift(leg, resource, names);
  if (leg.master !== bridge) drift.push(`its leg ${name} is not on the bridge ${bridge}`);
  else drift.push(...switchDrift(switchedLeg(resource, names), leg, fixed));
  if (inside === undefined) return [...drift, 'its namespace lacks the other end of its leg'];
  if (inside.mac !== resource.spec.serverMac) drift.push(`its leg has the Ethernet address ${inside.mac}`);
  if (!inside.up) drift.push('its leg is down inside of its namespace');
  const addresses = inside.addresses.join(', ');
  if (addresses !== legAddress(resource.spec)) drift.push(`its leg has the address ${addresses || 'none'}`);
  return drift;
}

function legAddress(spec: HostResource<'subnet'>['spec']): string {
  return `${requireIpv4(spec.serverAddress)}/${parseCidr(spec.cidr).prefixLength}`;
}
