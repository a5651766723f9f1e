/** The bridge of an L2 network: what has to be done to have it, and how it differs. Pure. */
import type { HostResource } from '@plumb/schemas';
import { retryable, terminal } from '@plumb/schemas';
import { FILTERED_GROUPS, filtersGroups } from './bridge-port.ts';
import type { IpCommand, Link } from './ip.ts';
import { EVERYONE } from './ip.ts';
import type { Names } from './names.ts';
import { usablePeers, VXLAN_PORT } from './tunnels.ts';

export interface BridgeView {
  links: ReadonlyMap<string, Link>;
  /** Peers of the bridge's VXLAN interface, sorted; empty when it has none. */
  peers: readonly string[];
  /** What of the host itself is on the physical interface: addresses and the default route, for people. */
  hostUses: readonly string[];
  /** Of this host, for its VXLAN interfaces. */
  tunnelAddress: string;
}

/** The interface by which the bridge reaches other hosts; none on a VXLAN without peers, which carries nothing. */
export function uplinkOf(resource: HostResource<'bridge'>, names: Names): string | undefined {
  if (resource.spec.type === 'flat') return resource.spec.physicalInterface;
  return usablePeers(resource).length > 0 ? names.vxlan(resource.id) : undefined;
}

/**
 * Commands that make the bridge as declared from what is there; `before` is how it was declared until now.
 * Throws `NameTaken`, `InterfaceNotFound`, `InterfaceInUse`, `InvalidResource` (terminal).
 */
export function bridgeCommands(
  resource: HostResource<'bridge'>,
  before: HostResource<'bridge'> | undefined,
  names: Names,
  view: BridgeView,
): { ip: IpCommand[]; fdb: IpCommand[] } {
  const { spec } = resource;
  const name = names.bridge(resource.id);
  const mtu = String(spec.mtuBytes);
  const ip: IpCommand[] = [];
  if (requireOurs(view.links.get(name), resource, names) === undefined)
    ip.push(['link', 'add', name, 'type', 'bridge', 'stp_state', '0', 'forward_delay', '0', 'mcast_snooping', '0']);
  ip.push(mark(name, resource, names), ['link', 'set', 'dev', name, 'addrgenmode', 'none', 'mtu', mtu, 'up']);
  const uplink = uplinkOf(resource, names);
  for (const old of new Set([names.vxlan(resource.id), before && uplinkOf(before, names)]))
    if (old !== undefined && old !== uplink) ip.push(...leave(view.links.get(old), name, names));
  if (spec.type === 'flat') {
    ip.push(...enslave(resource, name, view));
    ip.push(filterGroups(uplink as string));
    return { ip, fdb: [] };
  }
  if (uplink === undefined) return { ip, fdb: [] };
  const vxlan = requireOurs(view.links.get(uplink), resource, names);
  const asDeclared = vxlan !== undefined && vxlanDrift(resource, vxlan, view).length === 0;
  if (!asDeclared) {
    requireFreeVni(resource, uplink, names, view);
    if (vxlan !== undefined) ip.push(['link', 'del', uplink]);
    const where = ['local', view.tunnelAddress, 'dstport', String(VXLAN_PORT)];
    ip.push(['link', 'add', uplink, 'type', 'vxlan', 'id', String(spec.vni), ...where]);
  }
  ip.push(mark(uplink, resource, names));
  ip.push(
    ['link', 'set', 'dev', uplink, 'addrgenmode', 'none', 'mtu', mtu, 'master', name, 'up'],
    filterGroups(uplink),
  );
  const now = asDeclared ? view.peers : [];
  const wanted = usablePeers(resource, view.tunnelAddress);
  const peer = (verb: string, address: string) => ['fdb', verb, EVERYONE, 'dev', uplink, 'dst', address];
  return {
    ip,
    fdb: [
      ...wanted.filter((address) => !now.includes(address)).map((address) => peer('append', address)),
      ...now.filter((address) => !wanted.includes(address)).map((address) => peer('del', address)),
    ],
  };
}

/** What is said at the uplink to groups of bridges goes through the filter, and not to the host. */
export function filterGroups(uplink: string): IpCommand {
  return ['link', 'set', 'dev', uplink, 'type', 'bridge_slave', ...FILTERED_GROUPS];
}

/** Commands that remove the bridge; a physical interface stays as it is, only no longer a port. */
export function bridgeRemoval(id: string, names: Names, links: ReadonlyMap<string, Link>): IpCommand[] {
  return [names.vxlan(id), names.bridge(id)]
    .filter((name) => names.readAlias(links.get(name)?.alias) !== undefined)
    .map((name) => ['link', 'del', name]);
}

/** How the bridge differs from its declaration, as sentences. */
export function bridgeDrift(resource: HostResource<'bridge'>, names: Names, view: BridgeView): string[] {
  const name = names.bridge(resource.id);
  const bridge = view.links.get(name);
  if (bridge === undefined) return [`its bridge ${name} is missing`];
  const drift = linkDrift(bridge, resource, names);
  const uplink = uplinkOf(resource, names);
  if (uplink === undefined) return drift;
  const link = view.links.get(uplink);
  if (link === undefined) return [...drift, `its uplink ${uplink} is missing`];
  if (link.master !== name) drift.push(`its uplink ${uplink} is not on the bridge ${name}`);
  else if (!filtersGroups(link)) drift.push(`frames to groups of bridges pass its filter at ${uplink}`);
  if (!link.up) drift.push(`its uplink ${uplink} is down`);
  if (resource.spec.type === 'vxlan')
    drift.push(
      ...strangeDrift(link, resource, names),
      ...vxlanDrift(resource, link, view),
      ...peerDrift(usablePeers(resource, view.tunnelAddress), view.peers),
    );
  return drift;
}

/** What every interface of ours has in common: it is ours, it is up, and has its MTU. */
export function linkDrift(link: Link, resource: HostResource<'bridge' | 'subnet' | 'port'>, names: Names): string[] {
  const { mtuBytes } = resource.spec;
  const drift = strangeDrift(link, resource, names);
  if (!link.up) drift.push(`${link.name} is down`);
  if (link.mtuBytes !== mtuBytes)
    drift.push(`${link.name} has an MTU of ${link.mtuBytes} bytes, declared are ${mtuBytes}`);
  return drift;
}

/** Somebody put an interface of his own in the place of ours. */
function strangeDrift(link: Link, { id }: HostResource, names: Names): string[] {
  return isOf(link, id, names) ? [] : [`${link.name} was not made for it`];
}

function isOf(link: Link, id: string, names: Names): boolean {
  return names.readAlias(link.alias)?.id === id;
}

/** Says whose the interface is: first of all, so that whatever fails after it can be taken back. */
export function mark(interfaceName: string, resource: HostResource, names: Names): IpCommand {
  return ['link', 'set', 'dev', interfaceName, 'alias', names.alias(resource)];
}

/** Throws `NameTaken` (terminal) for an interface that is there without our mark. */
export function requireOurs(
  link: Link | undefined,
  resource: Pick<HostResource, 'kind' | 'id'>,
  names: Names,
): Link | undefined {
  if (link === undefined || isOf(link, resource.id, names)) return link;
  throw terminal(
    'NameTaken',
    `the interface ${link.name}, which ${resource.kind} ${resource.id} needs, is on this host and was not made for it: remove or rename it`,
  );
}

/**
 * Throws `NameTaken` (retry: the bridge is told by itself, and what is on it comes right after it) before something is put on a
 * bridge of somebody else, which leads anywhere.
 */
export function requireOwnBridge(links: ReadonlyMap<string, Link>, id: string, names: Names): void {
  const link = links.get(names.bridge(id));
  if (link !== undefined && !isOf(link, id, names))
    throw retryable(
      'NameTaken',
      `the interface ${link.name} has the name of the bridge that it is to be on, and was not made as that: remove or rename it`,
    );
}

function vxlanDrift({ spec }: HostResource<'bridge'>, link: Link, view: BridgeView): string[] {
  const { vni, local, port } = link.vxlan ?? {};
  if (vni === spec.vni && local === view.tunnelAddress && port === VXLAN_PORT) return [];
  return [
    `its uplink ${link.name} is VXLAN ${vni} from ${local} on port ${port}, declared is ${spec.vni} from ${view.tunnelAddress}`,
  ];
}

function peerDrift(declared: readonly string[], peers: readonly string[]): string[] {
  if (declared.join() === peers.join()) return [];
  return [`its VXLAN peers are ${peers.join(', ') || 'none'}, declared are ${declared.join(', ') || 'none'}`];
}

/** Takes over the physical interface, unless that would cut the host off. */
function enslave({ spec, id }: HostResource<'bridge'>, bridge: string, view: BridgeView): IpCommand[] {
  const name = spec.physicalInterface;
  if (name === undefined) throw terminal('InvalidResource', `The flat bridge ${id} names no physical interface`);
  const link = view.links.get(name);
  if (link === undefined)
    throw terminal(
      'InterfaceNotFound',
      `L2Network ${spec.name} needs the interface ${name}, which this host does not have`,
    );
  if (link.master !== undefined && link.master !== bridge)
    throw terminal(
      'NameTaken',
      `L2Network ${spec.name} needs the interface ${name}, which is a port of ${link.master}`,
    );
  if (link.master === undefined && view.hostUses.length > 0)
    throw terminal(
      'InterfaceInUse',
      `L2Network ${spec.name} needs the interface ${name}, by which this host itself is reached (${view.hostUses.join(', ')}): taking it would cut the host off. Declare another interface`,
    );
  return [['link', 'set', 'dev', name, 'master', bridge, 'up']];
}

/** The kernel has one VXLAN interface per VNI and port. */
function requireFreeVni({ spec }: HostResource<'bridge'>, uplink: string, names: Names, view: BridgeView): void {
  for (const { name, alias, vxlan } of view.links.values()) {
    if (name === uplink || vxlan?.vni !== spec.vni || vxlan?.port !== VXLAN_PORT) continue;
    const owner = names.readAlias(alias)?.owner;
    const needs = `L2Network ${spec.name} needs VXLAN ${spec.vni}`;
    if (owner !== undefined)
      throw retryable('NameTaken', `${needs}, which is still on this host for object ${owner}: it must go first`);
    throw terminal(
      'NameTaken',
      `${needs}, which the interface ${name} of this host has: remove it, or use another VNI`,
    );
  }
}

/** An uplink that is one no longer: ours goes, a physical interface is let go. */
function leave(link: Link | undefined, bridge: string, names: Names): IpCommand[] {
  if (link === undefined || link.master !== bridge) return [];
  if (names.readAlias(link.alias) !== undefined) return [['link', 'del', link.name]];
  return [['link', 'set', 'dev', link.name, 'nomaster']];
}
