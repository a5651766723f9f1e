/** Removing what an instance may have on hosts. Pure, but for looking at what lives. */
import { type Thing, thingKey, thingOrder } from '@plumb/schemas';
import type { Allocation } from '../../plan/allocation.ts';
import { thingIds } from '../../plan/instance-things.ts';
import type { PlanStep } from '../../plan/plan.ts';
import type { Context } from '../controller.ts';

/** How a removal stands in its plan, and why it is done, as what is said of the thing. */
export type RemovalManner = Pick<PlanStep, 'undo' | 'disruption'> & { why: string };

/**
 * The removal of everything that any plan of the instance can have made where it holds something, live or not: a command of an
 * earlier flow may still be at work on the host, and this one runs after it.
 */
export function removals(
  { fleet }: Pick<Context, 'fleet'>,
  uid: string,
  held: readonly Allocation[],
  manner: RemovalManner,
): PlanStep[] {
  const things: [string, Thing][] = [];
  const hosts = new Set<string>();
  for (const { host, interfaces, rootDisk } of held) {
    hosts.add(host);
    const add = (kind: Thing['kind'], id: string) => things.push([host, unspecified(kind, id, uid)]);
    for (const { name } of interfaces) add('port', thingIds.port(uid, name));
    add('domain', thingIds.domain(uid));
    add('seed', thingIds.seed(uid));
    add('disk', rootDisk.id);
  }
  for (const { host, thing } of fleet.ownedBy(uid))
    if (hosts.has(host)) things.push([host, unspecified(thing.kind, thing.id, uid)]);
  return ordered(things, manner);
}

/** The removal of what hosts say that they have of the instance although it holds nothing there. */
export function strayRemovals(
  { fleet }: Pick<Context, 'fleet'>,
  uid: string,
  held: readonly Allocation[],
  manner: RemovalManner,
): PlanStep[] {
  const hosts = new Set(held.map(({ host }) => host));
  const things = [...fleet.ownedBy(uid)].filter(({ host }) => !hosts.has(host));
  return ordered(
    things.map(({ host, thing }) => [host, unspecified(thing.kind, thing.id, uid)]),
    manner,
  );
}

/** By host, and there in the reverse order of making. */
function ordered(things: readonly (readonly [string, Thing])[], { why, ...manner }: RemovalManner): PlanStep[] {
  const steps = new Map<string, PlanStep>();
  for (const [host, thing] of things)
    steps.set(`${host} ${thingKey(thing)}`, {
      ...{ id: `remove ${thingKey(thing)}`, host, verb: 'remove', thing, why: `${thing.kind} ${why}` },
      ...manner,
    });
  return [...steps.values()].sort(
    (a, b) => (a.host < b.host ? -1 : a.host > b.host ? 1 : 0) || thingOrder(b.thing.kind) - thingOrder(a.thing.kind),
  );
}

/** Removing needs the identity of a thing only. */
function unspecified(kind: Thing['kind'], id: string, owner: string): Thing {
  return { kind, id, owner, spec: {} } as unknown as Thing;
}
