/**
 * SecurityGroup: keeps its rules on the hosts where a filter is made of them, and its addresses where rules name it. Filters themselves
 * belong to the objects whose ports they are of.
 */
import type { HostResource, LiveResource, SecurityGroup } from '@plumb/schemas';
import { resourceKey, retryable } from '@plumb/schemas';
import type { Again, Context, Controller } from '../controller.ts';
import { converge, convergeOrDegrade, type HostSteps, isNeeded, named } from '../converge.ts';
import { guarded } from '../guarded.ts';
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
  return again;
}

/** Where its rules are, the addresses of the groups that they name come first. */
async function bringAddresses(context: Context, { object }: Group): Promise<void> {
  const hosts = [...context.fleet.ownedBy(object.metadata.uid)].filter(({ resource }) => resource.kind === 'ruleset');
  for (const word of groupsNamed(object)) {
    const group = findGroup(context, object, word);
    if (group === undefined) continue;
    const { uid } = group.object.metadata;
    const missing = hosts.filter(({ host }) => liveOn(context, host, 'address-group', uid) === undefined);
    if (missing.length === 0) continue;
    const desired = addressGroupResource(context, group);
    await converge(
      context,
      { owner: uid, key: group.key, fence: group.revision },
      missing.map(({ host }) => ({ host, live: undefined, desired })),
    );
  }
}

function liveOn(context: Context, host: string, kind: HostResource['kind'], id: string): LiveResource | undefined {
  return context.fleet.host(host)?.resources.get(resourceKey({ kind, id }));
}

/** What there is of it, as it is to be; what nothing stands on goes. */
function steps(context: Context, cached: Group): HostSteps {
  const { uid } = cached.object.metadata;
  const wanted = { ruleset: rulesetResource(context, cached), 'address-group': addressGroupResource(context, cached) };
  return Array.from(context.fleet.ownedBy(uid), ({ host, resource }) => {
    const { kind } = resource;
    const desired = kind === 'ruleset' || kind === 'address-group' ? wanted[kind] : undefined;
    return { host, live: resource, desired: isUsed(context, host, kind, uid) ? desired : undefined };
  });
}

/** Something there stands on it, or a flow is about to make something that does. */
function isUsed(context: Context, host: string, kind: HostResource['kind'], id: string): boolean {
  if (isNeeded(context, host, kind, id)) return true;
  for (const { record } of context.journal.all())
    for (const step of record.plan.steps)
      if (step.host === host && step.verb === 'ensure' && step.resource.kind === kind && step.resource.id === id)
        return record.direction === 'forward';
  return false;
}

async function remove(context: Context, cached: Group): Promise<Again | undefined> {
  const { uid } = cached.object.metadata;
  const blockers = referrerNames(context, cached);
  if (blockers.length > 0) {
    await writeStatus(context, cached, (s, o) => failedStatus(context, s, o, deletionBlocked(blockers)));
    return convergeOrDegrade(context, cached, steps(context, cached));
  }
  const inForce = new Set<string>();
  for (const { host, resource } of context.fleet.ownedBy(uid))
    if (context.liveness.connected(host) && isUsed(context, host, resource.kind, uid)) inForce.add(host);
  if (inForce.size > 0) {
    await convergeOrDegrade(context, cached, steps(context, cached));
    throw retryable('DeletionBlocked', `is deleted when no interface is filtered by it: some are on ${named(inForce)}`);
  }
  await removeEverywhere(context, cached, 'its rules');
  context.drifts.take(uid);
  await depart(context, cached);
  return undefined;
}
