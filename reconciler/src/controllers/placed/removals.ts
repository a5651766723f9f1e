/** Removing what an object may have on hosts. Pure, but for looking at what lives. */
import { type HostResource, resourceKey, resourceOrder } from '@plumb/schemas';
import type { Held } from '../../plan/holding.ts';
import type { PlanStep } from '../../plan/plan.ts';
import type { Context } from '../controller.ts';
import type { PlacedContext } from './placed-kind.ts';

/** How a removal stands in its plan, and why it is done, as what is said of the resource. */
export type RemovalManner = Pick<PlanStep, 'undo' | 'disruption'> & { why: string };

/**
 * The removal of everything that any plan of the object can have made where it holds something, live or not: a command of an
 * earlier flow may still be at work on the host, and this one runs after it.
 */
export function removals(
  { fleet, placed, journal }: Pick<PlacedContext, 'fleet' | 'placed' | 'journal'>,
  uid: string,
  held: readonly Held[],
  manner: RemovalManner,
): PlanStep[] {
  const resources: [string, HostResource][] = [];
  const hosts = new Set<string>();
  for (const holding of held) {
    hosts.add(holding.host);
    for (const { kind, id } of placed.made(uid, holding)) resources.push([holding.host, unspecified(kind, id, uid)]);
  }
  // What others contributed, nobody but its flow knows before it lives.
  for (const { verb, host, resource } of journal.get(uid)?.record.plan.steps ?? [])
    if (verb === 'ensure' && resource.owner === uid && hosts.has(host))
      resources.push([host, unspecified(resource.kind, resource.id, uid)]);
  for (const { host, resource } of fleet.ownedBy(uid))
    if (hosts.has(host)) resources.push([host, unspecified(resource.kind, resource.id, uid)]);
  return ordered(resources, manner);
}

/** The removal of what hosts say that they have of the object although it holds nothing there. */
export function strayRemovals(
  { fleet }: Pick<Context, 'fleet'>,
  uid: string,
  held: readonly Held[],
  manner: RemovalManner,
): PlanStep[] {
  const hosts = new Set(held.map(({ host }) => host));
  const resources = [...fleet.ownedBy(uid)].filter(({ host }) => !hosts.has(host));
  return ordered(
    resources.map(({ host, resource }) => [host, unspecified(resource.kind, resource.id, uid)]),
    manner,
  );
}

/** By host, and there in the reverse order of making. */
function ordered(
  resources: readonly (readonly [string, HostResource])[],
  { why, ...manner }: RemovalManner,
): PlanStep[] {
  const steps = new Map<string, PlanStep>();
  for (const [host, resource] of resources)
    steps.set(`${host} ${resourceKey(resource)}`, {
      ...{ id: `remove ${resourceKey(resource)}`, host, verb: 'remove', resource, why: `${resource.kind} ${why}` },
      ...manner,
    });
  return [...steps.values()].sort(
    (a, b) =>
      (a.host < b.host ? -1 : a.host > b.host ? 1 : 0) ||
      resourceOrder(b.resource.kind) - resourceOrder(a.resource.kind),
  );
}

/** Removing needs the identity of a resource only. */
function unspecified(kind: HostResource['kind'], id: string, owner: string): HostResource {
  return { kind, id, owner, spec: {} } as unknown as HostResource;
}
