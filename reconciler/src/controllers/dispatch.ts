/** From what changed to the keys that are to be looked at. Hints only: a controller decides by what it reads. */
import { type ChangeSet, type Host, type Instance, resourceKey } from '@plumb/schemas';
import type { LiveChange } from '../fleet/fleet.ts';
import type { CacheChange, Cached } from '../runtime/cache.ts';
import { findCondition, isReady, isStalled } from '../runtime/conditions.ts';
import type { SetAside } from '../runtime/poisoned.ts';
import { referenceKeys, sameReferences } from '../runtime/references.ts';
import { keys } from '../store/keys.ts';
import type { Context } from './controller.ts';
import { type Found, isWaiting } from './first-look.ts';
import { HostEvents } from './host/events.ts';

/** Follows the cache and the fleet; returns a function that ends it. `found`: who waits at this moment. */
export function dispatch(context: Context, found: Pick<Found, 'waiting' | 'growing'>): () => void {
  const waiting = new WaitingInstances(context, found);
  const hosts = new HostEvents(context, () => waiting.wakeAll());
  const ends = [
    context.cache.onChange((change) => onObject(context, waiting, change), 'dispatch'),
    context.fleet.onChange((change) => onLive(context, hosts, change)),
    context.endpoints.onChange((host) => hosts.onAddress(host)),
    () => hosts.end(),
  ];
  context.holdings.onChange(({ networks, left, freed }) => {
    for (const uid of networks) {
      const network = context.cache.byUid(uid);
      if (network) enqueueUpward(context, network.key);
    }
    for (const host of left) enqueueHostIfLeaving(context, host);
    if (freed.size > 0) waiting.wakeAll();
    for (const host of freed) waiting.wakeOn(host);
  });
  return () => {
    for (const end of ends) end();
  };
}

/** Instances that hold nothing yet, failed, or are to grow: what others free or bring may be what they wait for. */
class WaitingInstances {
  private readonly context: Context;
  private readonly found: Pick<Found, 'waiting' | 'growing'>;

  constructor(context: Context, found: Pick<Found, 'waiting' | 'growing'>) {
    this.context = context;
    this.found = found;
  }

  note(key: string, before: Cached | undefined, after: Cached | undefined): void {
    if (after && isWaiting(after)) this.found.waiting.add(key);
    else this.found.waiting.delete(key);
    this.found.growing.note(before, after);
  }

  wakeAll(): void {
    for (const key of this.found.waiting) this.context.enqueue(key);
  }

  /** Those that are to grow on the host. */
  wakeOn(host: string): void {
    for (const key of this.found.growing.on(host)) this.context.enqueue(key);
  }
}

function onObject(context: Context, waiting: WaitingInstances, change: CacheChange): void {
  const { key, kind, before, after, aside, wasAside } = change;
  // What was blocked by what nobody understood may go on, and deletion of it may begin.
  for (const target of wasAside?.refersTo ?? []) enqueueUpward(context, target);
  if (aside) context.enqueue(key);
  if (after && wasAside) noteMended(context, wasAside);
  if (kind.kind === 'Host' && (!after || aside || wasAside)) enqueueLeavingAside(context);
  if (!before && !after) {
    for (const referrer of context.cache.referrers(key)) context.enqueue(referrer.key);
    return;
  }
  const material = isMaterial(before, after);
  if (kind.kind === 'Instance') {
    waiting.note(key, before, after);
    if (!after || freed(before, after)) waiting.wakeAll();
  }
  if (before && !after) enqueueCarriers(context, before);
  if (kind.kind !== 'ChangeSet' && material) enqueueChangeSets(context);
  if (kind.kind === 'ChangeSet' && material) enqueueUsersOf(context, (after ?? before)!);
  if (after && isDeclaration(before, after)) context.enqueue(key);
  if (material) for (const referrer of context.cache.referrers(key)) context.enqueue(referrer.key);
  const elsewhere = before !== undefined && after !== undefined && refersElsewhere(before, after);
  if (!before || !after || elsewhere || hostOf(before) !== hostOf(after))
    for (const target of referenceKeys(kind, (after ?? before)!.object)) enqueueUpward(context, target);
  if (elsewhere) for (const target of referenceKeys(kind, before.object)) enqueueUpward(context, target);
  if (kind.kind === 'Host' && material) {
    waiting.wakeAll();
    waiting.wakeOn((after ?? before)!.object.metadata.name);
  }
  const left = kind.kind === 'Instance' && hostOf(before) !== hostOf(after) ? hostOf(before) : undefined;
  if (left !== undefined) enqueueHostIfLeaving(context, left);
}

/** What is deleted and not understood may wait for hosts on which it could be. */
function enqueueLeavingAside({ cache, enqueue }: Context): void {
  for (const { key, rest } of cache.poisoned.aside()) if (rest.metadata.deletionTimestamp) enqueue(key, COALESCE_MS);
}

/** What it holds and where it is was lost with its status: that is told by what lives and by what is handed out. */
function noteMended({ strays }: Context, { kind, uid, hasStatus }: SetAside): void {
  if (kind.kind === 'Instance' && uid !== undefined && !hasStatus) strays.add(uid);
}

/** Many instances come and go at once; what they share is looked at once for all of them. */
const COALESCE_MS = 200;

/** The object that is referred to, and an L2Network behind its L3Network: they keep what their users need on hosts. */
function enqueueUpward(context: Context, key: string): void {
  const target = context.cache.get(key);
  context.enqueue(key, target?.object.metadata.deletionTimestamp ? 0 : COALESCE_MS);
  if (target?.kind.kind === 'L3Network')
    for (const l2 of referenceKeys(target.kind, target.object)) context.enqueue(l2, COALESCE_MS);
}

function enqueueHostIfLeaving(context: Context, host: string): void {
  const key = keys.object('hosts', undefined, host);
  const object = context.cache.get<Host>(key)?.object;
  if (object?.metadata.deletionTimestamp || object?.status?.fenced) context.enqueue(key);
}

/** A host that came back while the object went may still have something of it. */
function enqueueCarriers(context: Context, { object }: Cached): void {
  for (const { host } of context.fleet.ownedBy(object.metadata.uid))
    context.enqueue(keys.object('hosts', undefined, host));
}

/** Those that are under way wait for their objects. */
function enqueueChangeSets(context: Context): void {
  for (const { key, object } of context.cache.list('changesets'))
    if (!isReady(object) && !isStalled(object)) context.enqueue(key);
}

/** A change set is over, or not yet: the instances of its offerings may now get their size. */
function enqueueUsersOf(context: Context, { object }: Cached): void {
  for (const { kind, metadata } of (object as ChangeSet).spec.objects)
    if (kind === 'InstanceOffering')
      for (const user of context.cache.referrers(keys.object('instanceofferings', undefined, metadata.name as string)))
        context.enqueue(user.key);
}

/** What a person or another client changed; a controller does not wake itself by writing status. */
function isDeclaration(before: Cached | undefined, after: Cached): boolean {
  if (!before) return true;
  const [a, b] = [before.object.metadata, after.object.metadata];
  return (
    a.generation !== b.generation ||
    a.deletionTimestamp !== b.deletionTimestamp ||
    !sameText(a.annotations, b.annotations) ||
    !sameText(a.labels, b.labels) ||
    !sameText(a.finalizers, b.finalizers)
  );
}

function sameText(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

/** Whether those who refer to the object may now decide otherwise. */
function isMaterial(before: Cached | undefined, after: Cached | undefined): boolean {
  if (!before || !after) return true;
  const [a, b] = [before.object.metadata, after.object.metadata];
  const [ready, readyNow] = [findCondition(before.object, 'Ready'), findCondition(after.object, 'Ready')];
  return (
    a.generation !== b.generation ||
    a.deletionTimestamp !== b.deletionTimestamp ||
    before.object.status?.observedGeneration !== after.object.status?.observedGeneration ||
    ready?.status !== readyNow?.status ||
    (readyNow?.status !== 'True' && ready?.message !== readyNow?.message)
  );
}

/** Whether the object refers to others than it did. */
function refersElsewhere(before: Cached, after: Cached): boolean {
  const [a, b] = [before.object.metadata, after.object.metadata];
  if (a.uid === b.uid && a.generation === b.generation) return false; // the same declaration
  return !sameReferences(after.kind, before.object, after.object);
}

function hostOf(cached: Cached | undefined): string | undefined {
  return (cached?.object as Instance | undefined)?.status?.host;
}

function freed(before: Cached | undefined, after: Cached): boolean {
  const [a, b] = [before?.object as Instance | undefined, after.object as Instance];
  if (!a?.status?.host) return false;
  return (
    a.status.host !== b.status?.host || JSON.stringify(a.status.interfaces) !== JSON.stringify(b.status?.interfaces)
  );
}

function onLive(context: Context, hosts: HostEvents, change: LiveChange): void {
  if (change.type === 'host') {
    hosts.on(change.host);
    enqueueLeavingAside(context);
    return;
  }
  if (change.type === 'troubles') {
    context.enqueue(keys.object('hosts', undefined, change.host));
    return;
  }
  const flow = context.journal.get(change.owner);
  if (flow && flow.record.direction !== 'failed') return; // its own flow is at work, and looks once more at the end
  const owner = context.cache.byUid(change.owner);
  const aside = context.cache.poisoned.byUid(change.owner);
  if (aside) {
    context.enqueue(aside.key);
    return;
  }
  if (!owner) {
    context.enqueue(keys.object('hosts', undefined, change.host));
    return;
  }
  if (owner.kind.kind === 'Instance') {
    context.enqueue(owner.key);
    const settled = (owner.object as Instance).status?.host;
    // It lives elsewhere: what this host has of it is for the host's own controller.
    if (settled !== undefined && settled !== change.host) context.enqueue(keys.object('hosts', undefined, change.host));
    return;
  }
  const resource = context.fleet.host(change.host)?.resources.get(resourceKey(change));
  if (resource) context.drifts.note(change.host, resource);
  enqueueUpward(context, owner.key);
}
