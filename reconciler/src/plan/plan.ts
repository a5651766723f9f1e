/** What a plan is: a complete list of steps that leaves no choice to its execution. */
import type { Disruption, LiveThing, Thing } from '@plumb/schemas';
import { domainChange, thingKey, thingOrder } from '@plumb/schemas';

export const PLAN_VERSION = 1;

export interface Plan {
  version: typeof PLAN_VERSION;
  steps: PlanStep[];
}

export interface PlanStep {
  /** Unique in the plan, and what people read: `make disk 3f….root`. */
  id: string;
  host: string;
  verb: 'ensure' | 'remove';
  thing: Thing;
  /**
   * undoable: before the pivot, taken back in reverse order. shared: others may need it too, so it is left to its own
   * controller. pivot: data is destroyed here; from it on the flow only goes forward.
   */
  undo: 'undoable' | 'shared' | 'pivot';
  /** What was there before, to be put back by undo; absent when nothing was. */
  previous?: Thing;
  disruption: Disruption;
  /** Why the step is needed, as a sentence: shown in plans, drift conditions and events. */
  why: string;
}

const shared = new Set<Thing['kind']>(['image', 'bridge', 'subnet']);

/** Whether things of the kind are there for many objects, and outlive the one that they were made for. */
export function isSharedKind(kind: Thing['kind']): boolean {
  return shared.has(kind);
}

const holdsData = new Set<Thing['kind']>(['disk']);

/**
 * Steps from what lives on one host to what is desired there: first what is to be made, in the order of making, then
 * what is to go, in reverse. Only things in `desired` or owned by `owner` are considered.
 */
export function diffHost(
  host: string,
  owner: string,
  desired: readonly Thing[],
  live: Iterable<LiveThing>,
): PlanStep[] {
  const there = new Map<string, LiveThing>();
  for (const thing of live) there.set(thingKey(thing), thing);
  const steps: PlanStep[] = [];
  for (const thing of [...desired].sort(byOrder)) {
    const key = thingKey(thing);
    const now = there.get(key);
    there.delete(key);
    const why = difference(thing, now);
    if (why !== undefined) steps.push(ensureStep(host, thing, now, why));
  }
  const gone = [...there.values()].filter((thing) => thing.owner === owner);
  for (const thing of gone.sort(byOrder).reverse()) steps.push(removeStep(host, thing, 'is no longer declared'));
  return steps;
}

function byOrder(a: Thing, b: Thing): number {
  return thingOrder(a.kind) - thingOrder(b.kind) || (a.id < b.id ? -1 : 1);
}

/** Whether what lives is as the step is to leave it. */
export function isDone({ verb, thing }: Pick<PlanStep, 'verb' | 'thing'>, now: LiveThing | undefined): boolean {
  return verb === 'remove' ? now === undefined : difference(thing, now) === undefined;
}

/** Why `now` is not `desired`, or undefined when it is. What is shared is only made when missing or broken. */
function difference(desired: Thing, now: LiveThing | undefined): string | undefined {
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

function ensureStep(host: string, thing: Thing, now: LiveThing | undefined, why: string): PlanStep {
  return {
    id: `${now ? 'change' : 'make'} ${thingKey(thing)}`,
    host,
    verb: 'ensure',
    thing,
    undo: shared.has(thing.kind) ? 'shared' : 'undoable',
    ...(now ? { previous: asThing(now) } : {}),
    disruption: disruptionOf(thing, now),
    why,
  };
}

/** The step that removes a thing. Its data goes with it where it holds any: then it is a pivot. */
export function removeStep(host: string, thing: Thing, why: string): PlanStep {
  return {
    id: `remove ${thingKey(thing)}`,
    host,
    verb: 'remove',
    thing: asThing(thing),
    undo: holdsData.has(thing.kind) ? 'pivot' : 'undoable',
    previous: asThing(thing),
    disruption: holdsData.has(thing.kind) ? 'dataLoss' : 'live',
    why: `${thing.kind} ${why}`,
  };
}

/** Drift of a running domain may take a restart to repair: then one is told. */
function disruptionOf(thing: Thing, now: LiveThing | undefined): Disruption {
  if (now === undefined) return 'none';
  if (thing.kind !== 'domain' || now.kind !== 'domain') return 'live';
  if (now.domain?.state !== 'running') return 'none';
  return now.drift.length > 0 ? 'restart' : domainChange(now.spec, thing.spec, now.domain);
}

/** A live thing without what was observed of it. */
export function asThing(thing: Thing): Thing {
  return { kind: thing.kind, id: thing.id, owner: thing.owner, spec: thing.spec } as Thing;
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
