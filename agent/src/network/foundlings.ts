/** Resources that bear this driver's mark but of whose declaration nothing is left: told, so that someone can remove them. */
import { basename } from 'node:path';
import type { LiveResource } from '@plumb/schemas';
import type { Link } from './ip.ts';
import type { Names } from './names.ts';

const DRIFT = ['its declaration is not on this host'];

/** The kernel's objects that are marked as ours and are none of the `known` resources (`kind/id`). */
export function foundlings(
  names: Names,
  found: { links: ReadonlyMap<string, Link>; namespaces: ReadonlySet<string> },
  known: ReadonlySet<string>,
): LiveResource<'bridge' | 'subnet' | 'port'>[] {
  const resources = new Map<string, LiveResource<'bridge' | 'subnet' | 'port'>>();
  const add = (resource: LiveResource<'bridge' | 'subnet' | 'port'>) => {
    const key = `${resource.kind}/${resource.id}`;
    if (!known.has(key) && !resources.has(key)) resources.set(key, resource);
  };
  for (const link of found.links.values()) {
    const mark = names.readAlias(link.alias);
    if (mark === undefined) continue;
    const on = names.readAlias(link.master === undefined ? undefined : found.links.get(link.master)?.alias)?.id ?? '';
    if (mark.kind === 'bridge') add(bridge(mark.id, mark.owner, link, found.links, names));
    if (mark.kind === 'subnet') add(subnet(mark.id, mark.owner, on, link.mtuBytes));
    if (mark.kind === 'port') add(port(mark.id, mark.owner, on, link.mtuBytes));
  }
  for (const name of found.namespaces) {
    const id = names.subnetOf(basename(name));
    if (id !== undefined) add(subnet(id, id, '', 0));
  }
  return [...resources.values()];
}

function bridge(
  id: string,
  owner: string,
  { mtuBytes }: Link,
  links: ReadonlyMap<string, Link>,
  names: Names,
): LiveResource<'bridge'> {
  const vni = links.get(names.vxlan(id))?.vxlan?.vni;
  const spec = { name: '', type: 'vxlan', mtuBytes, peers: [], ...(vni === undefined ? {} : { vni }) } as const;
  return { kind: 'bridge', id, owner, spec: { ...spec, peers: [] }, drift: DRIFT };
}

function subnet(id: string, owner: string, bridgeId: string, mtuBytes: number): LiveResource<'subnet'> {
  const unknown = { name: '', cidr: '', serverAddress: '', serverMac: '', dnsServers: [] };
  return { kind: 'subnet', id, owner, spec: { ...unknown, bridge: bridgeId, mtuBytes }, drift: DRIFT };
}

function port(id: string, owner: string, bridgeId: string, mtuBytes: number): LiveResource<'port'> {
  const unknown = { subnet: '', macAddress: '', addresses: [], hostname: '' };
  return { kind: 'port', id, owner, spec: { ...unknown, bridge: bridgeId, mtuBytes }, drift: DRIFT };
}
