/**
 * How the ports of a bridge to which guests and servers are connected are switched. Their Ethernet addresses are
 * declared, so the bridge is told where each is and learns nothing: a frame with a neighbour's address moves nothing,
 * and a frame to an address that nobody has reaches nobody. Pure.
 */
import type { FixedAddress, IpCommand, Link } from './ip.ts';

/**
 * Frames to the groups 01:80:c2:00:00:00 to 0f are treated as any others, by one bit each: else the kernel hands some
 * of them to the host's own network before a filter sees them. Without pause frames (01), which it always drops.
 */
const ALL_GROUPS = 0xfffd;

/** Words of `ip link set` by which the groups pass the filter. */
export const FILTERED_GROUPS = ['group_fwd_mask', `0x${ALL_GROUPS.toString(16)}`] as const;

export function filtersGroups({ switched }: Link): boolean {
  return switched !== undefined && (switched.groups & ALL_GROUPS) === ALL_GROUPS;
}

/** A port that has to be, and whether it is a guest's. */
export interface SwitchedPort {
  name: string;
  bridge: string;
  macAddress: string;
  guest: boolean;
}

/** What is there of it: nothing when it is only about to be made. */
export interface SwitchedNow {
  link?: Link | undefined;
  /** The addresses that its bridge was told to find there. */
  fixed: readonly FixedAddress[];
}

/** Commands in the order in which they have to be given: `ip`, then `bridge`, then `ip` again. */
export interface PortCommands {
  ip: IpCommand[];
  fdb: IpCommand[];
  after: IpCommand[];
}

/**
 * Puts the interface on its bridge and switches it. One that carries traffic goes on to: its address is fixed before
 * frames to unknown addresses end and before what was learned is forgotten. `settings`: words of `ip link set` besides.
 */
export function switchCommands(port: SwitchedPort, now: SwitchedNow, settings: readonly string[]): PortCommands {
  const { name, bridge, macAddress } = port;
  const set = (...words: string[]): IpCommand => ['link', 'set', 'dev', name, ...words];
  const slave = (...words: string[]) => set('type', 'bridge_slave', ...words);
  const inUse = now.link?.master === bridge;
  const closed = ['flood', 'off', 'fdb_flush'];
  const groups = port.guest ? FILTERED_GROUPS : [];
  return {
    ip: [
      // What comes to a bridge while it is up may send before it is switched.
      ...(now.link === undefined || inUse ? [] : [set('down')]),
      set(...settings, 'master', bridge),
      slave('learning', 'off', ...groups, ...(inUse ? [] : closed)),
      set('up'),
    ],
    fdb: [
      ...(inUse ? now.fixed.filter(({ mac }) => mac !== macAddress) : []).map(({ mac }) => fix('del', mac, name)),
      [...fix('replace', macAddress, name), 'static', 'sticky'],
    ],
    after: inUse ? [slave(...closed)] : [],
  };
}

/** How it differs, as sentences. For a port that is on its bridge. */
export function switchDrift({ macAddress, guest }: SwitchedPort, link: Link, fixed: readonly FixedAddress[]): string[] {
  const drift: string[] = [];
  if (link.switched?.learning !== false) drift.push('its bridge learns addresses from it');
  if (guest && !filtersGroups(link)) drift.push('frames to groups of bridges pass its filter');
  if (link.switched?.flood === true) drift.push('its bridge sends it frames for unknown addresses');
  if (!fixed.some(({ mac, sticky }) => mac === macAddress && sticky) || fixed.length > 1)
    drift.push(`its bridge does not have the Ethernet address ${macAddress}, and no other, fixed to it`);
  return drift;
}

function fix(verb: string, mac: string, name: string): string[] {
  return ['fdb', verb, mac, 'dev', name, 'master'];
}
