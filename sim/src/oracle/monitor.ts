/** What must never be, looked at on the hosts themselves at every change. */
import { keys } from '@plumb/reconciler/store/keys.ts';
import type { HostResource, Instance, LiveResource, PlumbObject } from '@plumb/schemas';
import type { World } from '../world/world.ts';
import { unfiltered } from './groups.ts';

/** Watches all hosts of the world; what it finds goes to `world.violations`. */
export function monitor(world: World): void {
  world.onEffect = (host, verb, resource) => {
    if (verb === 'remove') checkRemoval(world, host, resource);
  };
  for (const machine of world.machines.values())
    machine.host.onChange((change) => {
      if (change.type !== 'changed') return;
      const { resource } = change;
      if (resource.kind === 'domain') checkDomain(world, machine.name, resource);
      if (resource.kind === 'port') checkPort(world, machine.name, resource);
    });
}

function* groupsOf(world: World): Generator<PlumbObject> {
  for (const [key, { value }] of world.disk.entries)
    if (key.startsWith('/objects/securitygroups/')) yield JSON.parse(value) as PlumbObject;
}

function objectOf(world: World, uid: string): Instance | undefined {
  for (const [key, { value }] of world.disk.entries) {
    if (!key.startsWith('/objects/') || !value.includes(uid)) continue;
    const object = JSON.parse(value) as Instance;
    if (object.metadata.uid === uid) return object;
  }
  return undefined;
}

/** Only an object, or the record of its deletion, may have something removed; and data goes with its instance only. */
function checkRemoval(world: World, host: string, resource: Pick<HostResource, 'kind' | 'id' | 'owner'>): void {
  if (!world.machine(host).resources().has(`${resource.kind}/${resource.id}`)) return;
  const owner = objectOf(world, resource.owner);
  if (!owner && !world.disk.entries.has(keys.deleted(resource.owner)))
    world.violations.push(
      `${resource.kind}/${resource.id} on ${host} was destroyed: the store knows neither it nor its deletion`,
    );
  const kept = owner?.kind === 'Instance' && !owner.metadata.deletionTimestamp && !owner.spec.allowDataLoss;
  if (kept && resource.kind === 'disk' && owner.status?.host === host && owner.status.rootDisk?.id === resource.id)
    world.violations.push(`the disk of the living instance ${owner.metadata.name} on ${host} was destroyed`);
}

function checkDomain(world: World, host: string, domain: LiveResource<'domain'>): void {
  if (domain.domain?.state !== 'running') return;
  const instance = objectOf(world, domain.owner);
  if (instance && !world.restored)
    world.violations.push(...unfiltered(domain, instance, world.machine(host).resources(), groupsOf(world)));
  for (const other of world.machines.values()) {
    if (other.name === host) {
      for (const disk of domain.spec.disks)
        if ((other.resources().get(`disk/${disk}`)?.drift.length ?? 0) > 0)
          world.violations.push(`domain ${domain.id} on ${host} was started on the half made disk ${disk}`);
      continue;
    }
    const twin = other.resources().get(`domain/${domain.id}`);
    if (twin?.kind === 'domain' && twin.domain?.state === 'running')
      world.violations.push(`domain ${domain.id} runs on ${host} and on ${other.name}`);
  }
}

/** An address or MAC is on one instance only, also while the first is being removed. What nobody ever owned is not ours to judge. */
function checkPort(world: World, host: string, port: LiveResource<'port'>): void {
  for (const machine of world.machines.values())
    for (const other of machine.resources().values()) {
      if (other.kind !== 'port' || other.owner === port.owner) continue;
      const shared = other.spec.addresses.filter((a) => port.spec.addresses.includes(a));
      const sameNetwork = other.spec.subnet === port.spec.subnet;
      const sameMac = other.spec.macAddress === port.spec.macAddress;
      if (!(sameNetwork && shared.length > 0) && !sameMac) continue;
      // A store that was put back does not know what it handed out since: decision 7.
      if (world.restored || !isOurs(world, other.owner) || !isOurs(world, port.owner)) continue;
      world.violations.push(
        `${shared[0] ?? port.spec.macAddress} is on port ${port.id} of ${host} and still on port ${other.id} of ${machine.name}`,
      );
    }
}

/** Owned by an object, or by one that is deleted although its hosts have not confirmed; a person may abandon that. */
function isOurs(world: World, uid: string): boolean {
  if (world.abandoned.has(uid)) return false;
  return objectOf(world, uid) !== undefined || world.disk.entries.has(keys.deleted(uid));
}
