/** What a plan is: a complete list of steps that leaves no choice to its execution. */
import type { Disruption, HostResource, LiveResource } from '@plumb/schemas';
import { domainChange, resourceKey, resourceOrder } from '@plumb/schemas';

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

const shared = new Set<HostResource['kind']>(['image', 'bridge', 'subnet']);

/** Whether resources of the kind are there for many objects, and outlive the one that they were made for. */
export function isSharedKind(kind: HostResource['kind']): boolean {
  return shared.has(kind);
}

const holdsData = new Set<HostResource['kind']>(['disk']);

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
  if (shared.has(desired.kind)) return undefined;
  if (desired.kind === 'domain' && now.kind === 'domain') {
    const running = now.domain?.state === 'running';
    if (desired.spec.power === 'Running' && !running) return `domain ${offSentence(now.domain?.reason)}`;
    if (desired.spec.power === 'Stopped' && running) return 'domain runs and is to be stopped';
  }
  if (equal(desired.spec, now.spec)) return undefined; // guard: agent restart touching running guests
  return `${desired.kind} differs from its declaration`;
}

function offSentence(reason: string | undefined): string {
  switch (reason) {
    case 'crashed':
      return 'crashed';
    case 'panicked':
      return 'was ended by its own kernel (panic)';
    case 'saved':
      return 'was saved to a file and switched off on the host (virsh managedsave)';
    case 'destroyed':
      return 'was destroyed on the host';
    case 'shutdown':
      return 'was shut down by its guest';
    default:
      return 'does not run';
  }
}

function ensureStep(host: string, resource: HostResource, now: LiveResource | undefined, why: string): PlanStep {
  return {
    id: `${now ? 'change' : 'make'} ${resourceKey(resource)}`,
    host,
    verb: 'ensure',
    resource,
    undo: shared.has(resource.kind) ? 'shared' : 'undoable',
    ...(now ? { previous: asResource(now) } : {}),
    disruption: disruptionOf(resource, now),
    why,
  };
}

/** The step that removes a resource. Its data goes with it where it holds any: then it is a pivot. */
export function removeStep(host: string, resource: HostResource, why: string): PlanStep {
  return {
    id: `remove ${resourceKey(resource)}`,
    host,
    verb: 'remove',
    resource: asResource(resource),
    undo: holdsData.has(resource.kind) ? 'pivot' : 'undoable',
    previous: asResource(resource),
    disruption: holdsData.has(resource.kind) ? 'dataLoss' : 'live',
    why: `${resource.kind} ${why}`,
  };
}

/** Drift of a running domain may take a restart to repair: then one is told. */
function disruptionOf(resource: HostResource, now: LiveResource | undefined): Disruption {
  if (now === undefined) return 'none';
  if (resource.kind !== 'domain' || now.kind !== 'domain') return 'live';
  if (now.domain?.state !== 'running') return 'none';
  return now.drift.length > 0 ? 'restart' : domainChange(now.spec, resource.spec, now.domain);
}

/** A live resource without what was observed of it. */
export function asResource(resource: HostResource): HostResource {
  return { kind: resource.kind, id: resource.id, owner: resource.owner, spec: resource.spec } as HostResource;
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
