/** Whether everything is as it must be when nothing hurts any more: the end of every run. */
import type { ChangeSetRecord } from '@plumb/reconciler/controllers/change-set/record.ts';
import { referenceKey, referenceKeys } from '@plumb/reconciler/runtime/references.ts';
import type { ChangeSet, Instance, PlumbObject } from '@plumb/schemas';
import { kindByName } from '@plumb/schemas';
import type { World } from '../world/world.ts';
import { type Estate, holdings, readEstate, ready } from './estate.ts';
import type { Judged } from './judged.ts';
import { liveProblems } from './live.ts';

/** What is not as it must be, in sentences; empty when all is well. */
export function problems(world: World): string[] {
  return [...sessionProblems(world), ...estateProblems(world)];
}

/** The same, where nothing is known of sessions. */
export function estateProblems(world: Judged): string[] {
  const estate = readEstate(world.disk);
  return [
    ...objectProblems(estate, world),
    ...flowProblems(estate, world),
    ...allocationProblems(estate),
    ...liveProblems(estate, world),
  ];
}

/** Reasons for which an object may wait, each with the proof that it still has to. */
const waits: Record<string, (object: PlumbObject, estate: Estate, world: Judged) => boolean> = {
  Suspended: ({ kind, spec }) => kind === 'GitSource' && spec.suspend === true,
  // A person has to say that what it described is gone, or that an older one is meant.
  Deleted: ({ kind }) => kind === 'TerraformState',
  PutBack: ({ kind }, _, world) => kind === 'TerraformState' && world.restored,
  ReferenceNotFound: (object, estate, world) =>
    inTime(object, world) || chain(object, estate).some((o) => o === undefined),
  ReferenceDeleting: (object, estate, world) =>
    inTime(object, world) || chain(object, estate).some((o) => o?.metadata.deletionTimestamp !== undefined),
  ReferenceNotReady: (object, estate) =>
    chain(object, estate).some((o) => o !== undefined && ready(o)?.status !== 'True'),
  InUse: (object, estate, world) => world.restored || orphaned(object, estate),
  MissingDependency: (object, _, world) => object.kind === 'Instance' && world.restored,
  NameTaken: (object, estate, world) => foreign(object as Instance, estate, world),
  Removing: (object, estate) => orphaned(object, estate) || isHeld(object, estate),
  DeletionBlocked: (object) => object.metadata.deletionTimestamp !== undefined,
  NoCapacity: (object) => object.kind === 'Instance',
  HolderLeaving: (object, estate) => estate.instances.some((other) => other !== object && !isDone(other)),
  NoFreeAddress: (object) => object.kind === 'Instance' || object.kind === 'L3Network',
  NoHostReady: (object, estate) =>
    !estate.hosts.some((h) => h.spec.zone === (object as Instance).spec.zone && ready(h)?.status === 'True') ||
    estate.hosts.some((h) => ready(h)?.status !== 'True'),
  HostLeaving: (object, estate) =>
    holdings(estate, object.metadata.uid).some(({ host }) =>
      estate.hosts.some(({ metadata }) => metadata.name === host && metadata.deletionTimestamp !== undefined),
    ),
  Drifted: (object) => (object as Instance).spec.driftPolicy === 'Report',
  Applying: (object, _, world) => inTime(object, world),
  Returning: (object, estate, world) =>
    membersOf(object).some((key) => {
      const member = estate.objects.get(key);
      const condition = member && ready(member);
      return condition?.status === 'False' && (waits[condition.reason]?.(member!, estate, world) ?? false);
    }),
  HostNotConnected: (object, _, world) => object.kind === 'Host' && !world.machines.has(object.metadata.name),
};

/** Milliseconds until the deadline of a change set that is under way, by the clock of the control plane. */
function leftMs(object: PlumbObject, { loop, skew, disk }: Judged): number {
  if (object.kind !== 'ChangeSet' || ready(object)?.status === 'True') return 0;
  if (object.status?.conditions?.some(({ type, status }) => type === 'Stalled' && status === 'True')) return 0;
  const { metadata, spec } = object as ChangeSet;
  // It has as long to begin, tried again every half a minute, and then as long to be done.
  const record = disk.entries.get(`/changesets/${metadata.uid}`);
  const deadlineMs = record
    ? (JSON.parse(record.value) as ChangeSetRecord).deadlineAt
    : Date.parse(metadata.creationTimestamp) + spec.deadlineSeconds * 1000 + 30_000;
  return deadlineMs - (loop.now + skew.ms);
}

/** A deadline that is farther away was moved by a clock that was put back: nobody waits for it. */
const PATIENCE_MS = 200_000;

/** How long change sets may still wait, in milliseconds: nothing is settled before. */
export function longestDeadline(world: Judged): number {
  const all = [...readEstate(world.disk).objects.values()].map((object) => leftMs(object, world));
  return Math.max(0, ...all.filter((ms) => ms < PATIENCE_MS));
}

/** Whether the change set has time for longer than anybody waits. */
function inTime(object: PlumbObject, world: Judged): boolean {
  return leftMs(object, world) >= PATIENCE_MS - 90_000;
}

/** Keys of what a change set declares. */
function membersOf({ metadata, spec }: PlumbObject): string[] {
  return (spec as ChangeSet['spec']).objects.map(({ kind, metadata: { name, namespace } }) =>
    referenceKey(kind, namespace ?? metadata.namespace, name),
  );
}

/** A domain of that name lives on a host and belongs to nobody any more. */
function foreign({ metadata }: Instance, estate: Estate, world: Judged): boolean {
  for (const machine of world.machines.values())
    for (const resource of machine.resources().values())
      if (
        resource.kind === 'domain' &&
        resource.spec.name === `${metadata.namespace}.${metadata.name}` &&
        !estate.byUid.has(resource.owner)
      )
        return true;
  return false;
}

/** What nobody owns any more is left alone, and so is what it stands on. */
function orphaned(object: PlumbObject, estate: Estate): boolean {
  return (
    object.metadata.deletionTimestamp !== undefined && estate.hosts.some((h) => (h.status?.orphans?.length ?? 0) > 0)
  );
}

/** Reasons for which an object may have given up, each with the proof that it still has to. */
const stalls: Record<string, (object: PlumbObject, estate: Estate) => boolean> = {
  // The simulation has no git to look with.
  GitUnavailable: ({ kind, spec }) => kind === 'GitSource' && spec.suspend !== true,
  DuplicateAddress: (object, estate) => addressTaken(object as Instance, estate),
  DuplicateMac: () => true,
  AddressOutsideCIDR: () => true,
  AddressReserved: () => true,
  ZoneMismatch: () => true,
  NoHostFits: () => true,
  NoCapacity: () => true,
  ReferenceNotReady: waits.ReferenceNotReady as (object: PlumbObject, estate: Estate) => boolean,
  SimulatedFailure: () => true,
  DataLossNotAllowed: (object) => !(object as Instance).spec.allowDataLoss,
  InvalidCIDR: () => true,
  GatewayOutsideCIDR: () => true,
  RangeOutsideCIDR: () => true,
  InvalidRange: () => true,
  Abandoned: () => true,
  // Crashes cut an update off again and again: its guest is disturbed so often and no more.
  AttemptsExhausted: (object) => object.kind === 'Instance',
  // A deadline outlives the process, so it is told by the wall clock, which may be put forward.
  DeadlineExceeded: (object) => object.kind === 'Instance',
};

/** An agent that is still on its way declares its host when it arrives, and nothing is settled before. */
function sessionProblems(world: World): string[] {
  const fleet = world.control?.control?.fleet;
  return [...world.machines.keys()]
    .filter((name) => !fleet?.host(name)?.connected)
    .map((name) => `the agent of ${name} is not connected`);
}

function objectProblems(estate: Estate, world: Judged): string[] {
  const found: string[] = [];
  for (const [key, object] of estate.objects) {
    const say = (what: string) => found.push(`${key} ${what}`);
    const condition = ready(object);
    const { deletionTimestamp, generation } = object.metadata;
    if (deletionTimestamp && !isBlocked(key, object, estate) && !isInForce(object, world)) {
      say(`is being deleted, nothing blocks it, and it is still there: ${condition?.reason} ${condition?.message}`);
      continue;
    }
    if (!condition) {
      say('has no condition');
      continue;
    }
    const stalled = object.status?.conditions?.find((c) => c.type === 'Stalled')?.status === 'True';
    if (object.status?.observedGeneration !== generation)
      say(
        `is at generation ${generation}, seen is ${object.status?.observedGeneration}: ${condition.reason} ${condition.message}`,
      );
    if (condition.status === 'True') {
      if (stalled) say('is Ready and Stalled');
      continue;
    }
    if (stalled && object.kind === 'ChangeSet') continue; // whether it had to give up, the model judges
    const allowed = stalled ? stalls[condition.reason] : waits[condition.reason];
    if (!allowed?.(object, estate, world))
      say(`is ${stalled ? 'stalled' : `not ready (${condition.status})`}: ${condition.reason}: ${condition.message}`);
  }
  return found;
}

function flowProblems(estate: Estate, world: Judged): string[] {
  const found: string[] = [];
  for (const flow of estate.flows) {
    const object = estate.byUid.get(flow.uid);
    if (!object) found.push(`the flow ${flow.purpose} ${flow.direction} of ${flow.key} outlived its object`);
    else if (flow.direction !== 'failed' && !waiting(object, estate, world))
      found.push(`the flow ${flow.purpose} ${flow.direction} of ${flow.key} is not over`);
    else if (ready(object)?.status === 'True') found.push(`${flow.key} is Ready, and its failed flow is still there`);
  }
  return found;
}

/** Whether the object waits for another, so that its flow rests and keeps what it holds. */
function waiting(object: PlumbObject, estate: Estate, world: Judged): boolean {
  const condition = ready(object);
  return condition?.status === 'False' && (waits[condition.reason]?.(object, estate, world) ?? false);
}

function allocationProblems(estate: Estate): string[] {
  const wanted = new Map<string, string>();
  const hosts = new Map<string, { cpus: number; memoryMiB: number; instances: number }>();
  for (const { metadata } of estate.instances) {
    const shares = new Set<string>();
    for (const held of holdings(estate, metadata.uid)) {
      const use = hosts.get(held.host) ?? { cpus: 0, memoryMiB: 0, instances: 0 };
      const share = `${held.host} ${held.cpus} ${held.memoryMiB}`;
      if (!shares.has(share)) {
        use.cpus += held.cpus;
        use.memoryMiB += held.memoryMiB;
        use.instances++;
      }
      shares.add(share);
      hosts.set(held.host, use);
      for (const i of held.interfaces) {
        wanted.set(`/alloc/mac/${i.macAddress}`, metadata.uid);
        for (const address of i.addresses) wanted.set(`/alloc/address/${i.l3NetworkUid}/${address}`, metadata.uid);
      }
    }
  }
  for (const { metadata, spec, status } of estate.l3)
    if (status?.dhcpAddress && status.dhcpAddress !== spec.ipv4.gateway)
      wanted.set(`/alloc/address/${metadata.uid}/${status.dhcpAddress}`, metadata.uid);
  const found: string[] = [];
  for (const [key, value] of estate.allocations)
    if (key.startsWith('/alloc/host/')) {
      const use = hosts.get(key.slice('/alloc/host/'.length)) ?? { cpus: 0, memoryMiB: 0, instances: 0 };
      hosts.delete(key.slice('/alloc/host/'.length));
      if (JSON.stringify(use) !== JSON.stringify(ordered(JSON.parse(value))))
        found.push(`${key} says ${value}, its holders hold ${JSON.stringify(use)}`);
    } else if (wanted.get(key) !== value) found.push(`${key} is reserved for ${value}, which does not hold it`);
  for (const [key, uid] of wanted)
    if (!estate.allocations.has(key)) found.push(`${key} is held by ${uid} and not reserved`);
  for (const [host, use] of hosts) found.push(`${host} is used (${JSON.stringify(use)}) without a record`);
  return found;
}

function ordered({ cpus, memoryMiB, instances }: { cpus: number; memoryMiB: number; instances: number }) {
  return { cpus, memoryMiB, instances };
}

/** What the object refers to, and what that refers to; undefined where there is none. */
function chain(object: PlumbObject, estate: Estate): (PlumbObject | undefined)[] {
  const direct = referenceKeys(kindByName(object.kind)!, object).map((key) => estate.objects.get(key));
  return [...direct, ...direct.flatMap((o) => (o ? chain(o, estate) : []))];
}

/** A guest that could not be changed, and is kept as it ran, is filtered by the group. */
function isInForce({ kind, metadata }: PlumbObject, world: Judged): boolean {
  if (kind !== 'SecurityGroup') return false;
  for (const machine of world.machines.values())
    for (const resource of machine.resources().values())
      if (resource.kind === 'port-filter' && resource.spec.rulesets.includes(metadata.uid)) return true;
  return false;
}

function isBlocked(key: string, object: PlumbObject, estate: Estate): boolean {
  const holds = (i: Instance) => holdings(estate, i.metadata.uid).some((h) => h.host === object.metadata.name);
  if (object.kind === 'Host' && estate.instances.some(holds)) return true;
  if (isHeld(object, estate)) return true;
  if (['InUse', 'Removing'].includes(ready(object)?.reason ?? '') && orphaned(object, estate)) return true;
  if (object.kind === 'Instance') return false;
  for (const other of estate.objects.values())
    if (referenceKeys(kindByName(other.kind)!, other).includes(key)) return true;
  return false;
}

/** Whether an instance, or its flow that rests in the middle, still has an address on the network or a clone of the image. */
function isHeld({ metadata: { uid } }: PlumbObject, estate: Estate): boolean {
  return estate.instances.some((instance) =>
    holdings(estate, instance.metadata.uid).some(
      (held) => held.rootDisk?.imageUid === uid || held.interfaces.some((i) => i.l3NetworkUid === uid),
    ),
  );
}

/** Neither on its way out nor on its way to what it is declared as. */
function isDone(instance: Instance): boolean {
  return instance.metadata.deletionTimestamp === undefined && ready(instance)?.status === 'True';
}

function addressTaken({ metadata, spec }: Instance, estate: Estate): boolean {
  const seen = new Set<string>();
  for (const i of spec.interfaces)
    for (const address of i.addresses ?? []) {
      const network = referenceKey('L3Network', metadata.namespace, i.l3Network);
      const l3 = estate.objects.get(network);
      const holder = estate.allocations.get(`/alloc/address/${l3?.metadata.uid}/${address}`);
      if (holder !== undefined && holder !== metadata.uid) return true;
      if (seen.has(`${network} ${address}`)) return true;
      seen.add(`${network} ${address}`);
    }
  return false;
}
