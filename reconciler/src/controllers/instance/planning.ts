/** What an instance is to hold, by what is declared, what it holds and what lives. */
import {
  domainChange,
  type Host,
  type Image,
  type Instance,
  type InstanceOffering,
  type LiveResource,
  resourceKey,
  retryable,
  terminal,
  within,
} from '@plumb/schemas';
import type { AllocationIndex } from '../../allocation/allocation-index.ts';
import { capacityOf } from '../../fleet/capacity.ts';
import { isOrphanAddress } from '../../fleet/orphan-addresses.ts';
import { ADDRESS, type Allocation, heldAllocation, MAC, type RootDisk } from '../../plan/allocation.ts';
import { CPUS, MEMORY_MIB } from '../../plan/claims.ts';
import type { PlanStep } from '../../plan/plan.ts';
import { keys } from '../../store/keys.ts';
import type { Context } from '../controller.ts';
import { isApplied } from '../placed/applied.ts';
import type { Asking, PlacedContext } from '../placed/placed-kind.ts';
import type { Live } from '../placed/shared.ts';
import { nameOf } from '../references.ts';
import { allocate, chooseRootDisk } from './allocate.ts';
import { mayBePutBack } from './change-sets.ts';
import { isLeaving } from './leaving.ts';
import type { ResolvedInstance } from './references.ts';
import { resourceIds } from './resources.ts';

interface Size {
  cpus: number;
  memoryMiB: number;
}

/** What the instance is to hold: its size, its addresses, its disk. */
export function claimFor(
  context: PlacedContext,
  instance: Instance,
  { resolved, host, held, index }: Asking<Allocation, ResolvedInstance>,
): Allocation {
  const { cpus, memoryMiB } = sizeFor(context, instance, host, resolved.references.offering, index);
  const target = allocate({
    instance,
    host,
    cpus,
    memoryMiB,
    networks: resolved.networks,
    rootDisk: within('spec.image', () => rootDisk(context, instance, resolved.references.image, host, held)),
    held,
    taken: {
      addressHolder: (l3Uid, address) => index.holderOf(ADDRESS, `${l3Uid}/${address}`),
      macHolder: (mac) => index.holderOf(MAC, mac),
      begin: index.searchFrom,
      nextFree: (l3Uid, from) => index.nextFree(ADDRESS, l3Uid, from),
      isDoubtful: (l3Uid, address) => isOrphanAddress(context.fleet, l3Uid, address),
    },
    nameOf: (uid) => nameOf(context, uid),
    isLeaving: (uid, claim) => isLeaving(context, uid, claim, held),
  });
  within('spec.offering', () => checkGrowth(context, held, target, index));
  return target;
}

/**
 * The disk that it has keeps; one that was begun and never ran, too, as far as it is a clone of the declared image:
 * the Image may have been edited meanwhile. What never ran holds no data that could be lost.
 */
function rootDisk(
  context: PlacedContext,
  instance: Instance,
  image: Image,
  host: string,
  held: readonly Allocation[],
): RootDisk {
  const settled = heldAllocation(instance.status);
  if (settled?.host === host) return chooseRootDisk(instance, image, settled.rootDisk, isApplied(instance));
  const { uid } = instance.metadata;
  for (const { host: on, resource } of context.fleet.ownedBy(uid)) {
    if (on !== host || resource.kind !== 'disk') continue;
    const planned = held.find((h) => h.rootDisk.id === resource.id)?.rootDisk;
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

/** What starts or defines a guest anew whose data is in a file of somebody else would lose it: nothing is begun. */
export function refuseDataLoss(steps: readonly PlanStep[], live: Live): void {
  for (const { verb, resource } of steps) {
    if (verb !== 'ensure' || resource.kind !== 'domain' || resource.spec.power !== 'Running') continue;
    const now = live.get(resourceKey(resource));
    const risk = now?.kind === 'domain' ? now.domain?.atRisk : undefined;
    // Another disk in the place of the whole is a loss of data that was allowed.
    const keeps = now?.kind === 'domain' && now.spec.disks.some((disk) => resource.spec.disks.includes(disk));
    if (risk !== undefined && keeps) throw terminal('DataLoss', risk);
  }
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
  if (!room || !exceeds(target, room)) return;
  const what = `host ${target.host} has room for ${room.cpus} CPUs and ${room.memoryMiB} MiB of it, and the offering now asks for ${target.cpus} and ${target.memoryMiB}`;
  const freed = leavingFrom(context, target.host);
  if (!exceeds(target, { cpus: room.cpus + freed.cpus, memoryMiB: room.memoryMiB + freed.memoryMiB }))
    throw retryable('HolderLeaving', `${what}; it waits for room that is being given up there, and goes on as it was`);
  throw terminal('NoCapacity', `${what}; it goes on as it was`);
}

function exceeds({ cpus, memoryMiB }: Size, room: Size): boolean {
  return cpus > room.cpus || memoryMiB > room.memoryMiB;
}

/** What instances that are being deleted hold of the host. */
function leavingFrom({ holdings, read }: Context, host: string): Size {
  const freed = { cpus: 0, memoryMiB: 0 };
  for (const uid of holdings.on(host)) {
    const object = read.byUid(uid)?.object as Instance | undefined;
    const held = object?.metadata.deletionTimestamp && heldAllocation(object.status);
    if (!held || held.host !== host) continue;
    freed.cpus += held.cpus;
    freed.memoryMiB += held.memoryMiB;
  }
  return freed;
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
