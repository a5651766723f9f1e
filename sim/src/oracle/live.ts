/** What lives on the hosts, beside what the store says should. */
import type { Allocation } from '@plumb/reconciler/plan/allocation.ts';
import type { Host, Instance, L3Network, LiveResource } from '@plumb/schemas';
import { type Estate, holdings, ready } from './estate.ts';
import { filterProblems, groupResourceProblem } from './groups.ts';
import type { Judged, JudgedHost } from './judged.ts';

export function liveProblems(estate: Estate, world: Judged): string[] {
  const found: string[] = [];
  for (const machine of world.machines.values()) {
    const { name } = machine;
    const resources = machine.resources();
    const host = estate.hosts.find((h) => h.metadata.name === name);
    for (const [key, resource] of resources) {
      const why = misplaced(resource, machine, host, estate, world);
      if (why) found.push(`${key} lives on ${name} ${why}`);
      else if (resource.drift.length > 0 && estate.byUid.has(resource.owner) && !isReported(estate, resource.owner))
        found.push(`${key} on ${name} has drifted: ${resource.drift.join('; ')}`);
    }
  }
  for (const instance of estate.instances) found.push(...instanceProblems(instance, estate, world));
  return found;
}

/** Why the resource should not be there. */
function misplaced(
  resource: LiveResource,
  machine: JudgedHost,
  host: Host | undefined,
  estate: Estate,
  world: Judged,
): string | undefined {
  const hostName = machine.name;
  const resources = machine.resources();
  const owner = estate.byUid.get(resource.owner);
  if (!owner) {
    if (!host || (world.restored && world.disk.entries.has(`/deleted/${resource.owner}`))) return undefined;
    const clones = [...resources.values()].filter((t) => t.kind === 'disk' && t.spec.image === resource.id);
    if (resource.kind === 'image' && clones.some((disk) => estate.byUid.has(disk.owner))) return undefined;
    const listed = host.status?.orphans?.some((o) => o.kind === resource.kind && o.id === resource.id);
    return listed ? undefined : `without an object, and is not reported as an orphan`;
  }
  const users = estate.instances.flatMap((i) => holdings(estate, i.metadata.uid)).filter((h) => h.host === hostName);
  switch (resource.kind) {
    case 'image': {
      if (owner.kind === 'Image' && owner.spec.sha256 === resource.id) return undefined;
      const cloned = [...resources.values()].some((t) => t.kind === 'disk' && t.spec.image === resource.id);
      const planned = users.some((h) => h.rootDisk?.sha256 === resource.id);
      return cloned || planned ? undefined : 'and nobody needs it';
    }
    case 'bridge':
      return users.some((i) => usesL2(i, resource.id, estate)) || dependent(resources, 'subnet', resource.id)
        ? undefined
        : 'and nobody uses it';
    case 'subnet':
      return users.some((h) => h.interfaces.some((n) => n.l3NetworkUid === resource.id)) ||
        dependent(resources, 'port', resource.id)
        ? undefined
        : 'and nobody uses it';
    case 'ruleset':
    case 'address-group':
      return groupResourceProblem(resource, owner, resources, estate);
    default: {
      const instance = owner as Instance;
      if (holdings(estate, instance.metadata.uid).some((h) => h.host === hostName)) return undefined;
      // After the store was put back: nothing is touched while its object waits for something.
      if (world.restored && ready(instance)?.status !== 'True') return undefined;
      return `for ${instance.metadata.name}, which is on ${instance.status?.host ?? 'no host'}`;
    }
  }
}

/** A subnet or port of something that is itself not ours to remove. */
function dependent(resources: ReadonlyMap<string, LiveResource>, kind: 'subnet' | 'port', id: string): boolean {
  for (const resource of resources.values()) {
    if (resource.kind === 'subnet' && kind === 'subnet' && resource.spec.bridge === id) return true;
    if (resource.kind === 'port' && (resource.spec.bridge === id || resource.spec.subnet === id)) return true;
  }
  return false;
}

function usesL2(held: Allocation, l2Uid: string, estate: Estate): boolean {
  return held.interfaces.some(({ l3NetworkUid }) => {
    const l3 = estate.byUid.get(l3NetworkUid) as L3Network | undefined;
    return estate.l2.find((l2) => l2.metadata.name === l3?.spec.l2Network)?.metadata.uid === l2Uid;
  });
}

/** Nothing is repaired where nobody wants it, or while the instance waits. One that has given up is held at what ran. */
function isReported(estate: Estate, uid: string): boolean {
  const instance = estate.byUid.get(uid) as Instance | undefined;
  if (instance === undefined || ready(instance)?.status === 'True') return instance?.spec.driftPolicy === 'Report';
  return !isHeld(instance);
}

/** Whether its declaration could not be carried out, and what ran before is repaired instead. */
function isHeld({ kind, metadata, spec, status }: Instance): boolean {
  if (kind !== 'Instance' || metadata.deletionTimestamp || !status?.host || spec.driftPolicy === 'Report') return false;
  const { conditions = [] } = status;
  // What could not be repaired for good is said, and left.
  if (conditions.some((c) => c.type === 'Drifted' && c.reason === 'RepairFailed')) return false;
  return conditions.some((c) => c.type === 'Stalled' && c.status === 'True');
}

/** What is told to differ from the declaration, where nothing is to be done about it; empty elsewhere. */
function reportOf({ spec, status }: Instance): string {
  const drifted = status?.conditions?.find((c) => c.type === 'Drifted' && c.status === 'True');
  if (spec.driftPolicy === 'Report') return drifted?.message ?? ''; // guard: reported drift of a restored store judged as a fault
  return '';
}

function instanceProblems(instance: Instance, estate: Estate, world: Judged): string[] {
  const { metadata, spec, status } = instance;
  if (!status?.host || metadata.deletionTimestamp) return [];
  // A flow that rests in the middle, because the instance waits for something, has done a part.
  if (estate.flows.some((flow) => flow.uid === metadata.uid && flow.direction !== 'failed')) return [];
  const machine = world.machines.get(status.host);
  if (!machine) return [`${metadata.name} is on ${status.host}, which does not exist`];
  const found: string[] = [];
  const say = (what: string) => found.push(`${metadata.name} on ${status.host}: ${what}`);
  const resources = machine.resources();
  const domain = resources.get(`domain/${metadata.uid}`);
  const settled = ready(instance)?.status === 'True';
  if (domain?.kind !== 'domain') {
    if (settled) say('is ready and has no domain');
    return found;
  }
  const wantedPorts = (status.interfaces ?? []).map((i) => `${metadata.uid}.${i.name}`).sort();
  const ports = [...resources.values()].filter((t) => t.kind === 'port' && t.owner === metadata.uid);
  const reported = reportOf(instance);
  const tellsPort = (id: string) => reported.includes(`(${id.slice(metadata.uid.length + 1)} on ${status.host})`);
  const live = ports.map((p) => p.id).sort();
  const differing = [...new Set(live).symmetricDifference(new Set(wantedPorts))];
  if (differing.some((id) => !tellsPort(id))) say(`has ports ${live.join(', ')}, and holds ${wantedPorts.join(', ')}`);
  for (const port of ports) {
    const held = status.interfaces?.find((i) => `${metadata.uid}.${i.name}` === port.id);
    if (port.kind !== 'port' || !held || tellsPort(port.id)) continue;
    if (JSON.stringify(port.spec.addresses) !== JSON.stringify(held.addresses))
      say(`port ${port.id} has ${port.spec.addresses.join(', ')}, and holds ${held.addresses.join(', ')}`);
  }
  for (const key of [...domain.spec.disks.map((disk) => `disk/${disk}`), `seed/${metadata.uid}.seed`])
    if (!resources.has(key)) say(`${key} is not there`);
  const disks = [...resources.values()].filter((t) => t.kind === 'disk' && t.owner === metadata.uid);
  if (disks.length > 1) say(`has ${disks.length} root disks`);
  const isOfSize = domain.spec.cpus === status.cpus && domain.spec.memoryMiB === status.memoryMiB;
  if (!isOfSize && !reported.includes(`domain differs from its declaration (${status.host})`))
    say(
      `runs with ${domain.spec.cpus} CPUs and ${domain.spec.memoryMiB} MiB, and holds ${status.cpus} and ${status.memoryMiB}`,
    );
  const ended = domain.domain?.state === 'off' && ['crashed', 'destroyed'].includes(domain.domain.reason);
  if (isHeld(instance) && domain.spec.power === 'Running' && ended) say('crashed, and is not started again');
  if (!settled) return found;
  for (const problem of filterProblems(instance, resources, estate)) if (reported === '') say(problem);
  const offering = estate.offerings.find((o) => o.metadata.name === spec.offering);
  const told = status.conditions?.some((c) => c.type === 'RestartRequired' && c.status === 'True');
  if (offering && !told && (offering.spec.cpus !== status.cpus || offering.spec.memoryMiB !== status.memoryMiB))
    say(
      `is ready with ${status.cpus} CPUs and ${status.memoryMiB} MiB, its offering is ${JSON.stringify(offering.spec)}`,
    );
  const rests = ready(instance)?.reason === 'GuestShutdown';
  if (!rests && (domain.domain?.state === 'running') !== (spec.power === 'Running'))
    say(`is ready, to be ${spec.power}, and its domain is ${domain.domain?.state}`);
  if (JSON.stringify(spec.interfaces.map((i) => i.name)) !== JSON.stringify(status.interfaces?.map((i) => i.name)))
    say(`is ready with interfaces ${status.interfaces?.map((i) => i.name)}`);
  return found;
}
