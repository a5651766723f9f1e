/** What a plan is: a complete list of steps that leaves no choice to its execution. */
import type { Disruption, HostResource, LiveResource } from '@plumb/schemas';
import { resourceKey, resourceOrder, resourceTypes } from '@plumb/schemas';

export const PLAN_VERSION = 2;

export interface Plan {
  version: typeof PLAN_VERSION;
  steps: PlanStep[];
}

export interface PlanStep {
  /** Unique in the plan, and what people read: `make disk 3f….root`. */
  id: string;
  host: string;
  verb: 'ensure' | 'remove';
  resource: HostResource;
  /**
   * undoable: before the pivot, taken back in reverse order. shared: others may need it too, so it is left to its own
   * controller. pivot: data is destroyed here; from it on the flow only goes forward.
   */
  undo: 'undoable' | 'shared' | 'pivot';
  /** What was there before, to be put back by undo; absent when nothing was. */
  previous?: HostResource;
  disruption: Disruption;
  /** Why the step is needed, as a sentence: shown in plans, drift conditions and events. */
  why: string;
}

/**
 * Steps from what lives on one host to what is desired there: first what is to be made, in the order of making, then
 * what is to go, in reverse. Only resources in `desired` or owned by `owner` are considered.
 */
export function diffHost(
  host: string,
  owner: string,
  desired: readonly HostResource[],
  live: Iterable<LiveResource>,
): PlanStep[] {
  const there = new Map<string, LiveResource>();
  for (const resource of live) there.set(resourceKey(resource), resource);
  const steps: PlanStep[] = [];
  for (const resource of [...desired].sort(byOrder)) {
    const key = resourceKey(resource);
    const now = there.get(key);
    there.delete(key);
    const why = difference(resource, now);
    if (why !== undefined) steps.push(ensureStep(host, resource, now, why));
  }
  const gone = [...there.values()].filter((resource) => resource.owner === owner);
  for (const resource of gone.sort(byOrder).reverse()) steps.push(removeStep(host, resource, 'is no longer declared'));
  return steps;
}

function byOrder(a: HostResource, b: HostResource): number {
  return resourceOrder(a.kind) - resourceOrder(b.kind) || (a.id < b.id ? -1 : 1);
}

/** Whether what lives is as the step is to leave it. */
export function isDone(
  { verb, resource }: Pick<PlanStep, 'verb' | 'resource'>,
  now: LiveResource | undefined,
): boolean {
  return verb === 'remove' ? now === undefined : difference(resource, now) === undefined;
}

/** Why `now` is not `desired`, or undefined when it is. What is shared is only made when missing or broken. */
function difference(desired: HostResource, now: LiveResource | undefined): string | undefined {
  if (now === undefined) return `${desired.kind} is not there`;
  if (now.drift.length > 0) return `${desired.kind}: ${now.drift.join('; ')}`;
  const { sharing, unsettled } = resourceTypes.definition(desired.kind);
  if (sharing === 'shared') return undefined;
  const why = unsettled?.(desired.spec, now.domain);
  if (why !== undefined) return why;
  if (equal(desired.spec, now.spec)) return undefined; // guard: agent restart touching running guests
  return `${desired.kind} differs from its declaration`;
}

function ensureStep(host: string, resource: HostResource, now: LiveResource | undefined, why: string): PlanStep {
  return {
    id: stepId('ensure', resource, now),
    host,
    verb: 'ensure',
    resource,
    undo: resourceTypes.isShared(resource.kind) ? 'shared' : 'undoable',
    ...(now ? { previous: asResource(now) } : {}),
    disruption: disruptionOf(resource, now),
    why,
  };
}

/** What a step is called in its plan. */
export function stepId(verb: PlanStep['verb'], resource: HostResource, previous: HostResource | undefined): string {
  const word = verb === 'remove' ? 'remove' : previous ? 'change' : 'make';
  return `${word} ${resourceKey(resource)}`;
}

/** The step that removes a resource. Its data goes with it where it holds any: then it is a pivot. */
export function removeStep(host: string, resource: HostResource, why: string): PlanStep {
  const holdsData = resourceTypes.holdsData(resource.kind);
  return {
    id: stepId('remove', resource, resource),
    host,
    verb: 'remove',
    resource: asResource(resource),
    undo: holdsData ? 'pivot' : 'undoable',
    previous: asResource(resource),
    disruption: holdsData ? 'dataLoss' : 'live',
    why: `${resource.kind} ${why}`,
  };
}

/** What the step costs who uses the resource; what is not there yet disturbs nobody. */
function disruptionOf(resource: HostResource, now: LiveResource | undefined): Disruption {
  if (now === undefined) return 'none';
  const { changeCost } = resourceTypes.definition(resource.kind);
  return changeCost?.(now.spec, resource.spec, { observed: now.domain, drifted: now.drift.length > 0 }) ?? 'live';
}

/** A live resource without what was observed of it. */
export function asResource(resource: HostResource): HostResource {
  return { kind: resource.kind, id: resource.id, owner: resource.owner, spec: resource.spec } as HostResource;
}

/** The resource as it is found on a host where nothing happened since it was made. */
export function asMade(resource: HostResource): LiveResource {
  const observed = resourceTypes.definition(resource.kind).asMade?.(resource.spec);
  return { ...resource, drift: [], ...(observed === undefined ? {} : { domain: observed }) } as LiveResource;
}

/** Structural equality of JSON values; the order of an object's keys does not matter. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  for (const key of keys)
    if (!equal((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key])) return false;
  return true;
}
