/** From an instance to its next plan: what it is to hold, and the steps from what lives to what is declared. */
import {
  domainChange,
  type Host,
  type HostResource,
  type Image,
  type Instance,
  type InstanceOffering,
  type LiveResource,
  resourceKey,
  terminal,
} from '@plumb/schemas';
import type { AllocationIndex } from '../../allocation/allocation-index.ts';
import { capacityOf } from '../../fleet/capacity.ts';
import { isOrphanAddress } from '../../fleet/orphan-addresses.ts';
import { allocate, chooseRootDisk } from '../../plan/allocate.ts';
import { ADDRESS, type Allocation, heldAllocation, MAC, type RootDisk } from '../../plan/allocation.ts';
import { CPUS, MEMORY_MIB } from '../../plan/claims.ts';
import { keptSeed, ownResources, resourceIds, sharedResources } from '../../plan/instance-resources.ts';
import { asMade, diffHost, type PlanStep } from '../../plan/plan.ts';
import type { Cached } from '../../runtime/cache.ts';
import { keys } from '../../store/keys.ts';
import type { Context } from '../controller.ts';
import { peersOf } from '../l2-network/peers.ts';
import { isApplied } from '../placed/applied.ts';
import { allHeld } from '../placed/held.ts';
import type { PlacedContext } from '../placed/placed-kind.ts';
import { removals } from '../placed/removals.ts';
import { requireEveryHost } from '../placed/returning.ts';
import { hostFor } from '../placed/where.ts';
import { nameOf } from '../references.ts';
import { isOff } from '../restriction.ts';
import { mayBePutBack } from './change-sets.ts';
import { placementOf } from './place.ts';
import type { ResolvedInstance } from './references.ts';

/** Everything the instance may hold now. */
function heldBy(context: PlacedContext, instance: Instance): Allocation[] {
  return allHeld(context, instance) as Allocation[];
}

interface Size {
  cpus: number;
  memoryMiB: number;
}

export interface InstancePlan {
  target: Allocation;
  steps: PlanStep[];
}

/**
 * Decides everything. Reads the index, reserves nothing. Throws conditions: no room, a duplicate address, a host that is
 * not connected …
 */
export function planInstance(
  context: PlacedContext,
  cached: Cached<Instance>,
  resolved: ResolvedInstance,
  index: AllocationIndex,
): InstancePlan {
  const instance = cached.object;
  const held = heldBy(context, instance);
  if (held.length === 0 && context.strays.has(instance.metadata.uid)) requireEveryHost(context, cached.key);
  const host = hostFor(context, instance, held, () => placementOf(context, instance, resolved));
  const { cpus, memoryMiB } = sizeFor(context, instance, host, resolved.references.offering, index);
  const target = allocate({
    instance,
    host,
    cpus,
    memoryMiB,
    networks: resolved.networks,
    rootDisk: rootDisk(context, instance, resolved.references.image, host),
    held,
    taken: {
      addressHolder: (l3Uid, address) => index.holderOf(ADDRESS, `${l3Uid}/${address}`),
      macHolder: (mac) => index.holderOf(MAC, mac),
      begin: index.searchFrom,
      nextFree: (l3Uid, from) => index.nextFree(ADDRESS, l3Uid, from),
      isDoubtful: (l3Uid, address) => isOrphanAddress(context.fleet, l3Uid, address),
    },
    nameOf: (uid) => nameOf(context, uid),
  });
  checkGrowth(context, held, target, index);
  return { target, steps: stepsTo(context, cached, resolved, target) };
}

/**
 * The disk that it has keeps; one that was begun and never ran, too, as far as it is a clone of the declared image:
 * the Image may have been edited meanwhile. What never ran holds no data that could be lost.
 */
function rootDisk(context: PlacedContext, instance: Instance, image: Image, host: string): RootDisk {
  const settled = heldAllocation(instance.status);
  if (settled?.host === host) return chooseRootDisk(instance, image, settled.rootDisk, isApplied(instance));
  const { uid } = instance.metadata;
  for (const { host: on, resource } of context.fleet.ownedBy(uid)) {
    if (on !== host || resource.kind !== 'disk') continue;
    const planned = heldBy(context, instance).find((h) => h.rootDisk.id === resource.id)?.rootDisk;
    const imageUid = planned?.imageUid || image.metadata.uid;
    const begun = { id: resource.id, imageUid, sha256: resource.spec.image, format: resource.spec.imageFormat };
    const unused = { ...instance, spec: { ...instance.spec, allowDataLoss: true } };
    return chooseRootDisk(unused, image, begun, false);
  }
  return chooseRootDisk(instance, image, undefined, false);
}

/**
 * An edited offering never restarts guests by itself: one that runs gets the new size at once where that takes no restart
 * and its host has room, else when it is next started or its own declaration changes.
 */
function sizeFor(
  context: PlacedContext,
  instance: Instance,
  host: string,
  offering: InstanceOffering,
  index: AllocationIndex,
): Size {
  const { spec } = offering;
  const held = heldAllocation(instance.status);
  if (held?.host !== host || !isApplied(instance)) return spec;
  if (held.cpus === spec.cpus && held.memoryMiB === spec.memoryMiB) return held;
  const id = resourceIds.domain(instance.metadata.uid);
  const domain = context.fleet.host(held.host)?.resources.get(resourceKey({ kind: 'domain', id }));
  if (domain?.kind !== 'domain') return spec;
  if (domain.domain?.atRisk !== undefined) return held; // it is left as it is
  if (domain.domain?.state !== 'running') return endedByItself(instance, domain) ? held : spec;
  const { cpus, memoryMiB } = spec;
  if (domainChange(domain.spec, { ...domain.spec, cpus, memoryMiB }, domain.domain) === 'restart') return held;
  if (mayBePutBack(context, offering)) return held; // processors cannot be taken back
  const room = roomFor(context, held, index);
  return room && (room.cpus < cpus || room.memoryMiB < memoryMiB) ? held : spec;
}

/** The steps from live state to the target. Of an instance that never settled, all own resources are made anew. */
function stepsTo(
  context: PlacedContext,
  cached: Cached<Instance>,
  resolved: ResolvedInstance,
  target: Allocation,
): PlanStep[] {
  const instance = cached.object;
  const { uid } = instance.metadata;
  const live = context.fleet.host(target.host)?.resources ?? new Map<string, LiveResource>();
  const settled = heldAllocation(instance.status)?.host === target.host;
  const own = ownResources(instance, target, resolved.references.networks).map((resource) =>
    settled && resource.kind === 'seed'
      ? keptSeed(resource, live.get(resourceKey(resource)), isApplied(instance))
      : resource,
  );
  // guard: agent restart touching running guests
  if (settled && isAsDeclared(context, instance, target, resolved, own)) return [];
  const cloned = live.has(resourceKey({ kind: 'disk', id: target.rootDisk.id }));
  const isWhole = (key: string) => live.get(key)?.drift.length === 0;
  const peersFor = (l2Uid: string) =>
    // Of a bridge that is there already its own controller keeps the peers: asking for them is not for free.
    isWhole(`bridge/${l2Uid}`) ? [] : peers(context, resolved, l2Uid, target.host);
  const shared = sharedResources(resolved.references, peersFor).filter(
    (resource) => resource.kind !== 'image' || !cloned,
  );
  const relevant: LiveResource[] = [];
  for (const resource of shared) {
    const there = live.get(resourceKey(resource));
    if (there) relevant.push(there);
  }
  const isWanted = ({ kind, id }: LiveResource) => own.some((resource) => resource.kind === kind && resource.id === id);
  for (const { host, resource } of context.fleet.ownedBy(uid))
    if (host === target.host && (settled || !isWanted(resource))) relevant.push(respected(instance, resource));
  const steps = diffHost(target.host, uid, [...shared, ...own], relevant);
  refuseDataLoss(steps, live);
  return [...fromElsewhere(context, instance, target), ...steps];
}

/**
 * What flows of it may have begun on other hosts goes first. It never ran there, so nothing is lost by it. What a host says that it
 * has although the instance holds nothing there is for the host's own controller: it is a claim. Of a host that is off what is to go
 * is removed when it is back.
 */
function fromElsewhere(context: PlacedContext, instance: Instance, target: Allocation): PlanStep[] {
  const begun = heldBy(context, instance).filter(({ host }) => host !== target.host && !isOff(context, host));
  const manner = { undo: 'shared', disruption: 'none', why: `belongs on host ${target.host}` } as const;
  return removals(context, instance.metadata.uid, begun, manner);
}

/** What starts or defines a guest anew whose data is in a file of somebody else would lose it: nothing is begun. */
function refuseDataLoss(steps: readonly PlanStep[], live: { get(key: string): LiveResource | undefined }): void {
  for (const { verb, resource } of steps) {
    if (verb !== 'ensure' || resource.kind !== 'domain' || resource.spec.power !== 'Running') continue;
    const now = live.get(resourceKey(resource));
    const risk = now?.kind === 'domain' ? now.domain?.atRisk : undefined;
    // Another disk in the place of the whole is a loss of data that was allowed.
    const keeps = now?.kind === 'domain' && now.spec.disks.some((disk) => resource.spec.disks.includes(disk));
    if (risk !== undefined && keeps) throw terminal('DataLoss', risk);
  }
}

/** Whether nothing is to be done, as the difference would find as well; nearly always so, and found at a glance. */
function isAsDeclared(
  context: PlacedContext,
  { metadata }: Instance,
  target: Allocation,
  { references }: ResolvedInstance,
  own: readonly HostResource[],
): boolean {
  if (!context.fleet.isExactly(metadata.uid, target.host, own.map(asMade))) return false;
  const resources = context.fleet.host(target.host)?.resources;
  const isWhole = (key: string) => resources?.get(key)?.drift.length === 0;
  for (const { l2, l3 } of references.networks.values()) {
    if (!isWhole(`bridge/${l2.metadata.uid}`)) return false;
    if (l3.status?.dhcpAddress && !isWhole(`subnet/${l3.metadata.uid}`)) return false;
  }
  return true;
}

function peers(context: Context, resolved: ResolvedInstance, l2Uid: string, host: string): string[] {
  for (const [name, { l2 }] of resolved.references.networks)
    if (l2.metadata.uid === l2Uid) return peersOf(context, resolved.l2Keys.get(name)!, host);
  return [];
}

/** The resource as the difference is to see it: a guest that rests by itself counts as running. */
function respected(instance: Instance, resource: LiveResource): LiveResource {
  return isApplied(instance) ? rested(instance, resource) : resource;
}

/** A guest that ended by itself counts as running, where the policy is to respect that. */
export function rested(instance: Instance, resource: LiveResource): LiveResource {
  return resource.kind === 'domain' && endedByItself(instance, resource)
    ? { ...resource, domain: { state: 'running', reason: 'booted' } }
    : resource;
}

function endedByItself(instance: Instance, resource: LiveResource<'domain'>): boolean {
  if (resource.domain?.state !== 'off' || resource.spec.power !== 'Running') return false;
  if (instance.spec.restartPolicy !== 'OnFailure') return false;
  const restedBefore = instance.status?.power === 'Stopped';
  return resource.domain.reason === 'shutdown' || (restedBefore && resource.domain.reason === 'unknown');
}

/** An instance that grows must still fit on its host. */
function checkGrowth(
  context: PlacedContext,
  held: readonly Allocation[],
  target: Allocation,
  index: AllocationIndex,
): void {
  const before = held.find((h) => h.host === target.host);
  if (!before || (before.cpus >= target.cpus && before.memoryMiB >= target.memoryMiB)) return;
  const room = roomFor(context, before, index);
  if (room && (target.cpus > room.cpus || target.memoryMiB > room.memoryMiB))
    throw terminal(
      'NoCapacity',
      `host ${target.host} has room for ${room.cpus} CPUs and ${room.memoryMiB} MiB of it, and the offering now asks for ${target.cpus} and ${target.memoryMiB}; it goes on as it was`,
    );
}

/** How large an instance that holds so much of its host can become there; undefined when nobody knows. */
function roomFor(context: Context, { host: name, ...held }: Allocation, index: AllocationIndex): Size | undefined {
  const host = context.read.get<Host>(keys.object('hosts', undefined, name))?.object;
  const facts = context.fleet.host(name)?.facts;
  if (!host || !facts) return undefined;
  const { cpuOvercommitRatio, memoryOvercommitRatio } = host.spec;
  const use = index.use(name);
  const has = capacityOf(host, facts, context.limits);
  return {
    cpus: Math.floor(has.cpus * cpuOvercommitRatio) - (use[CPUS] ?? 0) + held.cpus,
    memoryMiB: Math.floor(has.memoryMiB * memoryOvercommitRatio) - (use[MEMORY_MIB] ?? 0) + held.memoryMiB,
  };
}
