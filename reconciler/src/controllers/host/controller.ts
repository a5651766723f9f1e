/** Host: says whether its agent is connected and what it found there; lets go of it when nothing runs on it. */
import {
  type Host,
  type HostResource,
  type LiveResource,
  resourceOrder,
  resourceTypes,
  retryable,
  type Zone,
} from '@plumb/schemas';
import { capacityOf } from '../../fleet/capacity.ts';
import { findCredential, removal } from '../../fleet/credentials.ts';
import type { HostLive } from '../../fleet/fleet.ts';
import { noteOrphanAddresses } from '../../fleet/orphan-addresses.ts';
import { isBlocked } from '../../fleet/troubles.ts';
import type { Cached } from '../../runtime/cache.ts';
import { keys } from '../../store/keys.ts';
import type { Again, Context, Controller } from '../controller.ts';
import { converge, type For } from '../converge.ts';
import { guarded } from '../guarded.ts';
import { settledOn } from '../placed/applied.ts';
import { mustBeReady, nameOf, resolve } from '../references.ts';
import { fencedError, restrictionOf } from '../restriction.ts';
import { RETRY_ANNOTATION } from '../retry.ts';
import {
  conditionsTo,
  deletionBlocked,
  departure,
  failedStatus,
  readFresh,
  readyStatus,
  retryOnConflict,
  type Status,
  writeStatus,
} from '../status.ts';
import { keptStatus, orphansStatus } from './orphan-status.ts';
import { orphansOn, REMEMBERED_MS, type Unowned } from './orphans.ts';

export function hostController(context: Context): Controller {
  /** Host → what a person's last wish for another try was. */
  const wishes = new Map<string, string | undefined>();
  const heed = ({ metadata: { name, annotations } }: Host) => {
    const wish = annotations?.[RETRY_ANNOTATION];
    if (wishes.has(name) && wish !== undefined && wishes.get(name) !== wish) context.fleet.forgive(name);
    wishes.set(name, wish);
  };
  return {
    name: 'host',
    concurrency: 64,
    async reconcile(key: string): Promise<Again | undefined> {
      const cached = context.read.get<Host>(key);
      if (!cached) {
        wishes.delete(key.slice(key.lastIndexOf('/') + 1));
        return undefined;
      }
      heed(cached.object);
      return guarded(context, cached, async () => {
        if (cached.object.metadata.deletionTimestamp) return remove(context, cached);
        const newUse = cached.object.status?.driver === undefined;
        try {
          const zone = resolve<Zone>(context, cached.object, 'spec.zone', 'Zone', cached.object.spec.zone, { newUse });
          if (newUse) mustBeReady('spec.zone', zone);
        } catch (error) {
          await reportOrphans(context, cached);
          throw error;
        }
        return report(context, cached);
      });
    },
  };
}

/**
 * A host that cannot be used still says what it carries, and lets go of what was deleted: after the loss of a store
 * nothing else knows of it.
 */
async function reportOrphans(context: Context, cached: Cached<Host>): Promise<void> {
  const live = context.fleet.host(cached.object.metadata.name);
  if (!live?.connected) return;
  const found = await orphansOn(context, live);
  noteOrphanAddresses(context.fleet, live.name, found.orphans);
  await writeStatus(context, cached, (status, object) => orphansStatus(context, status, object, found));
  if (found.removable.length > 0) await letGo(context, live, found.removable);
}

async function report(context: Context, cached: Cached<Host>): Promise<Again | undefined> {
  const { name } = cached.object.metadata;
  const live = context.fleet.host(name);
  if (live && !live.connected && isBlocked(live)) {
    await writeStatus(context, cached, (status, object) => troubledStatus(context, status, object, live));
    return undefined;
  }
  if (!live?.connected) {
    const graceLeftMs = context.liveness.graceLeftMs(name) ?? 0;
    const known = cached.object.status?.driver !== undefined;
    const refusal = context.fleet.refusalOf(name);
    if (refusal !== undefined) {
      await writeStatus(context, cached, (status, object) => failedStatus(context, status, object, refusal));
      return undefined;
    }
    if (cached.object.status?.fenced !== undefined) {
      await writeStatus(context, cached, (status, object) =>
        failedStatus(context, status, object, fencedError(object as Host)),
      );
      return undefined;
    }
    if (known && graceLeftMs > 0) return { requeueAfterMs: graceLeftMs };
    const message = known
      ? `its agent is not connected; start it on the host: plumb agent --host ${name} …`
      : `no agent has connected for it yet; start one on the host: plumb agent --host ${name} …`;
    await writeStatus(context, cached, (status, object) =>
      failedStatus(context, status, object, retryable('HostNotConnected', message)),
    );
    return undefined;
  }
  const found = await orphansOn(context, live);
  const { removable, misplaced, kept, remembered } = found;
  noteOrphanAddresses(context.fleet, live.name, found.orphans);
  const isBack = cached.object.status?.fenced !== undefined && misplaced.length === 0;
  await writeStatus(context, cached, (status, object) =>
    keptStatus(
      context,
      connectedStatus(context, isBack ? withoutFence(status) : status, object, live, found),
      object,
      kept,
    ),
  );
  if (isBack) tellBack(context, cached);
  if (removable.length > 0) await letGo(context, live, removable);
  // What may not go yet waits for its instance to be seen elsewhere.
  if (misplaced.length > 0) return { requeueAfterMs: LOOK_AGAIN_MS };
  return remembered ? { requeueAfterMs: REMEMBERED_MS } : undefined;
}

const LOOK_AGAIN_MS = 10_000;

function withoutFence(status: Status): Status {
  const { fenced: _before, ...rest } = status as Status & { fenced?: unknown };
  return rest;
}

/** The host that was off has told what lives there, and has nothing of what went on elsewhere: it is as any other again. */
function tellBack(context: Context, { object }: Cached<Host>): void {
  const { name } = object.metadata;
  context.events.record({ object, type: 'Normal', reason: 'Unfenced', message: `host ${name} is back` });
  for (const uid of context.holdings.on(name)) {
    const held = context.read.byUid(uid);
    if (held) context.enqueue(held.key);
  }
}

function connectedStatus(
  context: Context,
  status: Status,
  object: Cached['object'],
  live: HostLive,
  found: Unowned,
): Status {
  const { driver, agentVersion } = live.facts;
  const { cpus, memoryMiB, problem } = capacityOf(object as Host, live.facts, context.limits);
  const tunnelAddress = context.endpoints.addressOf(live.name) || undefined;
  const next = { ...status, driver, agentVersion, cpus, memoryMiB, tunnelAddress };
  const { fenced } = status as NonNullable<Host['status']>;
  const amiss = (fenced && fencedError(object as Host)) ?? context.fleet.silenceOf(live.name) ?? problem;
  const said = amiss
    ? failedStatus(context, next, object, amiss)
    : readyStatus(context, next, object, 'Connected', `its agent is connected, driver ${driver}`);
  return orphansStatus(
    context,
    tunnelStatus(context, troubledStatus(context, said, object, live), object),
    object,
    found,
  );
}

/** Says when other hosts cannot reach its tunnels, or not where its agent says. */
function tunnelStatus(context: Context, status: Status, object: Cached['object']): Status {
  const problem = context.endpoints.problemOf(object.metadata.name);
  if (problem === undefined) return conditionsTo(context, status, object, [], ['TunnelEndpoint']);
  return conditionsTo(context, status, object, [{ type: 'TunnelEndpoint', status: 'False', ...problem }], []);
}

/**
 * With what the agent says is wrong with the host as a whole: not Ready where no guest can be made there, and else only
 * Impaired. It is its agent's word, and decides about nothing but this host.
 */
function troubledStatus(context: Context, status: Status, object: Cached['object'], live: HostLive): Status {
  const [first, ...others] = live.troubles.toSorted((a, b) => Number(b.blocking) - Number(a.blocking));
  if (first === undefined) return conditionsTo(context, status, object, [], ['Impaired']);
  const { reason } = first;
  const message = [first, ...others].map((trouble) => trouble.message).join('; ');
  const impaired = { type: 'Impaired', status: 'True' as const, reason, message };
  const next = conditionsTo(context, status, object, [impaired], []);
  return isBlocked(live) ? failedStatus(context, next, object, retryable(reason, message)) : next;
}

/** What deleted objects left goes, but for files that other Images declare as well: those become theirs. */
async function letGo(context: Context, live: HostLive, removable: LiveResource[]): Promise<void> {
  const { name: host } = live;
  const left: LiveResource[] = [];
  for (const resource of removable) {
    const heir = restrictionOf(context, host) ? undefined : heirOf(context, resource);
    if (heir === undefined) left.push(resource);
    // Else deleting one image would take the file from under another.
    else await converge(context, toldBy(context, host, heir.owner), [{ host, live: undefined, desired: heir }]);
  }
  await removeDeleted(context, live, left);
}

/** The resource as another object wants it that declares the same. */
function heirOf(context: Context, resource: LiveResource): HostResource | undefined {
  for (const kind of context.kinds) {
    const heir = kind.heirOf?.(context, resource);
    if (heir) return heir;
  }
  return undefined;
}

/** Removes what the store has deletion records of, in the reverse order of making. */
async function removeDeleted(context: Context, live: HostLive, resources: LiveResource[]): Promise<void> {
  const ordered = [...resources].sort((a, b) => resourceOrder(b.kind) - resourceOrder(a.kind));
  for (const resource of ordered) {
    const wanted = [{ host: live.name, live: resource, desired: undefined }];
    // What stands on it may be what the host is still removing; its answer has the Host looked at again.
    if ((await converge(context, toldBy(context, live.name, resource.owner), wanted)).length > 0) return;
  }
}

function toldBy({ store }: Context, host: string, owner: string): For {
  return { owner, key: keys.object('hosts', undefined, host), fence: store.revision() };
}

async function remove(context: Context, cached: Cached<Host>): Promise<Again | undefined> {
  const { name } = cached.object.metadata;
  await reportOrphans(context, cached);
  const holders = holdersOn(context, name).map((uid) => nameOf(context, uid));
  if (holders.length > 0) {
    await writeStatus(context, cached, (s, o) => failedStatus(context, s, o, deletionBlocked(holders.sort())));
    return undefined;
  }
  const live = context.fleet.host(name);
  if (live?.connected) await removeShared(context, live);
  await retryOnConflict(async (attempt) => {
    const current = attempt === 0 ? cached : await readFresh(context, cached);
    if (!current || departure(current, context.ambient.clock.now()).ops.length === 0) return;
    const now = context.ambient.clock.now();
    const credential = removal(name, await findCredential(context.store, name), now);
    const { revision } = await context.lane.submit((index) => {
      index.forgetHost(name);
      noteOrphanAddresses(context.fleet, name, []);
      const { preconditions, ops } = departure(current, now);
      return {
        preconditions: [...preconditions, ...credential.preconditions],
        ops: [...ops, ...credential.ops],
        result: undefined,
      };
    });
    await context.cache.shows(revision);
  });
  return undefined;
}

/**
 * uids of those that hold something of the host, or may: what cannot be understood, or is settled nowhere, holds what lives there in
 * its name. Of others what is written counts, and no claim of the host.
 */
function holdersOn({ cache, read, fleet, holdings, strays }: Context, host: string): string[] {
  const holders = new Set(holdings.on(host));
  for (const { kind, owner } of fleet.host(host)?.resources.values() ?? []) {
    if (resourceTypes.isShared(kind) || !cache.isOwner(owner)) continue;
    const object = read.byUid(owner)?.object;
    if (object === undefined || settledOn(object) === undefined || strays.has(owner)) holders.add(owner);
  }
  return [...holders];
}

/** Bridges, subnets and images that other objects left here for later use: with the host, the use ends. */
async function removeShared(context: Context, live: HostLive): Promise<void> {
  const known = [...live.resources.values()].filter(
    ({ kind, owner }) => resourceTypes.isShared(kind) && context.cache.isOwner(owner),
  );
  await removeDeleted(context, live, known);
  if (known.some((resource) => live.resources.has(`${resource.kind}/${resource.id}`)))
    throw retryable('Removing', 'what Plumb made on it is still being removed');
}
