/**
 * SecurityGroup: keeps its rules on the hosts where a filter is made of them, and its addresses where rules name it. Filters themselves
 * belong to the objects whose ports they are of.
 */
import { resourceTypes, retryable, type SecurityGroup } from '@plumb/schemas';
import type { Again, Context, Controller } from '../controller.ts';
import { converge, convergeOrDegrade, type HostSteps, isNeeded, named } from '../converge.ts';
import { guarded } from '../guarded.ts';
import { liveOf } from '../placed/applied.ts';
import { referrerNames, resolve } from '../references.ts';
import { removeEverywhere } from '../remove-everywhere.ts';
import { deletionBlocked, depart, failedStatus, readyStatus, writeStatus } from '../status.ts';
import type { Group } from './groups.ts';
import { groupMembers } from './members.ts';
import { addressGroupResource, findGroup, groupsNamed, rulesetResource } from './resources.ts';

export function securityGroupController(context: Context): Controller {
  return {
    name: 'security-group',
    concurrency: 16,
    async reconcile(key: string): Promise<Again | undefined> {
      const cached = context.read.get<SecurityGroup>(key);
      if (!cached) return undefined;
      return guarded(context, cached, () =>
        cached.object.metadata.deletionTimestamp ? remove(context, cached) : keep(context, cached),
      );
    },
  };
}

async function keep(context: Context, cached: Group): Promise<Again | undefined> {
  const { object } = cached;
  // What is known of it is in force, also while a group that it names is missing.
  await bringAddresses(context, cached);
  const again = await convergeOrDegrade(context, cached, steps(context, cached));
  for (const word of groupsNamed(object))
    resolve<SecurityGroup>(context, object, 'spec', 'SecurityGroup', word, { newUse: false });
  const { interfaces } = context.own(groupMembers).of(cached);
  const latest = context.read.get(cached.key) ?? cached;
  await writeStatus(context, latest, (status, current) =>
    readyStatus(context, { ...status, interfaces }, current, 'Declared', `it selects ${interfaces} interfaces`),
  );
  return again ?? (hostsOfFlows(context, object.metadata.uid).size > 0 ? { requeueAfterMs: FLOW_LOOK_MS } : undefined);
}

/** Where its rules are, the addresses of the groups that they name come first. */
async function bringAddresses(context: Context, { object }: Group): Promise<void> {
  const hosts = [...context.fleet.ownedBy(object.metadata.uid)].filter(({ resource }) => resource.kind === 'ruleset');
  for (const word of groupsNamed(object)) {
    const group = findGroup(context, object, word);
    if (group === undefined) continue;
    const desired = addressGroupResource(context, group);
    const missing = hosts.filter(({ host }) => liveOf(context, { host, resource: desired }) === undefined);
    if (missing.length === 0) continue;
    await converge(
      context,
      { owner: desired.owner, key: group.key, fence: group.revision },
      missing.map(({ host }) => ({ host, live: undefined, desired })),
    );
  }
}

/** What there is of it, as it is to be; what nothing stands on goes. */
function steps(context: Context, cached: Group): HostSteps {
  const { uid } = cached.object.metadata;
  const flows = hostsOfFlows(context, uid);
  const wanted = { ruleset: rulesetResource(context, cached), 'address-group': addressGroupResource(context, cached) };
  return Array.from(context.fleet.ownedBy(uid), ({ host, resource }) => {
    const { kind } = resource;
    const desired = kind === 'ruleset' || kind === 'address-group' ? wanted[kind] : undefined;
    const isUsed = flows.has(host) || isNeeded(context, host, kind, uid);
    return { host, live: resource, desired: isUsed ? desired : undefined };
  });
}

/** A flow that is under way may make it there, or something that stands on it, and take it back: it is looked at again when that is over. */
const FLOW_LOOK_MS = 1_000;

/** Hosts on which flows that are under way may make something of it, or something that stands on it. */
function hostsOfFlows(context: Context, uid: string): Set<string> {
  const hosts = new Set<string>();
  for (const { record } of context.journal.all()) {
    // Those of what cannot be understood rest until a person mends or deletes it.
    if (record.direction === 'failed' || context.read.byUid(record.uid) === undefined) continue;
    for (const { verb, host, resource, previous } of record.plan.steps)
      for (const made of [verb === 'ensure' ? resource : undefined, previous])
        if (made && (made.owner === uid || TYPES.some((type) => resourceTypes.standsOn(made, type, uid))))
          hosts.add(host);
  }
  return hosts;
}

const TYPES = ['ruleset', 'address-group'] as const;

async function remove(context: Context, cached: Group): Promise<Again | undefined> {
  const { uid } = cached.object.metadata;
  // Groups may name each other: what is being deleted, too, holds nothing up.
  const blockers = referrerNames(context, cached, { living: true });
  if (blockers.length > 0) {
    await writeStatus(context, cached, (s, o) => failedStatus(context, s, o, deletionBlocked(blockers)));
    return convergeOrDegrade(context, cached, steps(context, cached));
  }
  const inForce = hostsOfFlows(context, uid);
  for (const { host, resource } of context.fleet.ownedBy(uid))
    if (context.liveness.connected(host) && isNeeded(context, host, resource.kind, uid)) inForce.add(host);
  if (inForce.size > 0) {
    await convergeOrDegrade(context, cached, steps(context, cached));
    throw retryable('DeletionBlocked', `is deleted when no interface is filtered by it: some are on ${named(inForce)}`);
  }
  await removeEverywhere(context, cached, 'its rules');
  context.drifts.take(uid);
  await depart(context, cached);
  return undefined;
}
