/**
 * What a kind says whose objects are made on a host that is chosen for them. Everything else is everybody's: one commit before the
 * first effect, going on after any crash, undoing, attempts, repair, deletion, and what a person may do about a flow.
 *
 * `status.host` of its objects is the host on which one is settled; its schema has the fields of `placedStatus`. `spec.driftPolicy` is respected where a kind has it.
 */
import type { HostResource, KindDefinition, LiveResource, PlumbError, PlumbObject } from '@plumb/schemas';
import type { AllocationIndex } from '../../allocation/allocation-index.ts';
import type { CommandAttention } from '../../fleet/fleet.ts';
import type { FlowRecord } from '../../flow/record.ts';
import type { Held, HoldingType } from '../../plan/holding.ts';
import type { PlanStep } from '../../plan/plan.ts';
import type { Cached } from '../../runtime/cache.ts';
import type { ConditionInput } from '../../runtime/conditions.ts';
import type { Context } from '../controller.ts';
import type { Status } from '../status.ts';
import type { Live } from './shared.ts';
import type { HostRequest } from './where.ts';

/** What an object refers to, found and usable. A kind adds what it needs of it. */
export interface Resolved {
  /** The objects, at the revisions that were read: the plan is made from them. */
  readonly used: readonly Cached[];
}

/** Where an object is to be, and what it and others hold. */
export interface Asking<H extends Held = Held, R extends Resolved = Resolved> {
  readonly resolved: R;
  readonly host: string;
  /** All that it holds. */
  readonly held: readonly H[];
  /** What is handed out. It is read here, and not changed. */
  readonly index: AllocationIndex;
}

/** What an object is to hold, and the steps from what lives to that. */
export interface PlacedPlan<H extends Held = Held> {
  readonly target: H;
  readonly steps: PlanStep[];
}

/** What status says of an object that is as declared. */
export interface Words {
  /** Fields of its status beside its conditions. */
  readonly status: object;
  /** Of its condition Ready. */
  readonly reason: string;
  readonly message: string;
}

/** What is seen of an object on its host beside the resources themselves. */
export interface Observed {
  /** Fields of its status that follow from it. */
  readonly status?: object;
  /** As the condition Drifted, where it is otherwise than declared and no flow could do anything about it. */
  readonly drift?: ConditionInput | undefined;
  /** Whether nothing may be done to the resource, since its host would refuse. */
  leaves?(resource: HostResource): boolean;
}

/**
 * What a resource that lives says of its object: `runs`, that it may be at work there; `data`, that there is something there which it
 * would lose. Either binds it to that host.
 */
export type Bond = 'runs' | 'data';

/** A resource by its identity. */
export type Ref = Pick<HostResource, 'kind' | 'id'>;

export interface PlacedKind<T extends PlumbObject = PlumbObject, H extends Held = Held, R extends Resolved = Resolved> {
  readonly holding: HoldingType<H>;
  /** `newUse`: it holds nothing yet, so that what is being deleted is not taken. Throws conditions. */
  resolve(context: PlacedContext, cached: Cached<T>, newUse: boolean): R;
  /** What it asks of its host, as long as it has none. */
  asks(context: PlacedContext, object: T, resolved: R): HostRequest;
  /** What it is to hold on the host. Keeps what it holds as far as it may. Throws conditions: no room, an address that is taken … */
  claim(context: PlacedContext, object: T, asking: Asking<H, R>): H;
  /**
   * Its own resources on its host, in any order. What these require that many share comes from who provides it. `live`: what lives on the
   * host where it is settled, and else nothing.
   */
  resources(object: T, held: H, resolved: R, live: Live): HostResource[];
  /** All that any plan of it can have made where it holds this, live or not, in reverse order of making. */
  made(uid: string, held: H): Iterable<Ref>;
  /** What is said of it when it is as declared. `made`: what a flow has just made and found so; absent where that is not known. */
  ready(context: PlacedContext, object: T, held: H, made?: readonly HostResource[]): Words;

  /** Its status without what it holds: it is being deleted, and all of that is gone. Absent: without `host`. */
  emptied?(status: Status): Status;
  /** Writes what is said of one that has nothing to do. Absent: that it is ready. */
  settle?(context: PlacedContext, cached: Cached<T>, resolved: R): Promise<void>;
  /** What it holds of which nothing is written any more, by what lives for it; undefined when nothing says so. */
  heldByLife?(context: PlacedContext, object: T): H | undefined;
  /** Absent: whatever it has on a host is at work there. */
  bond?(resource: LiveResource): Bond | undefined;
  /** Why it waits for its host that is off, as a person said. Absent or undefined: it is made on another. */
  whyWait?(object: T): string | undefined;
  /** Names of hosts on which it is not made, beside those that can make nothing. */
  avoids?(context: PlacedContext, object: T): ReadonlySet<string>;
  /** The resource as the difference is to see it: what ended by itself, and is to be left so, counts as it was made. */
  respected?(object: T, resource: LiveResource): LiveResource;
  /** Throws when one of the steps must not be done, whatever is declared. */
  refuse?(steps: readonly PlanStep[], live: Live): void;
  observed?(context: PlacedContext, object: T, host: string): Observed;

  /** Of a flow that is sent: what may take long ends as soon as `isUnwanted` says so. */
  attend?(
    context: PlacedContext,
    cached: Cached<T>,
    record: FlowRecord,
    isUnwanted: () => boolean,
  ): Attended | undefined;
  /** Why the flow is taken back and planned again, when a step failed that may succeed later; undefined when it goes on. */
  whyAnew?(context: PlacedContext, cached: Cached<T>, record: FlowRecord, step: PlanStep): PlumbError | undefined;
  /** Why what cannot be made on this host is made on another, as the end of a sentence; undefined when the flow is undone. */
  whyElsewhere?(context: PlacedContext, object: T, record: FlowRecord, step: PlanStep): string | undefined;
  /** The failure of a step with what a person can do about it. */
  explained?(context: PlacedContext, step: PlanStep, error: PlumbError): PlumbError;
  /** It holds this no more: what only it had use for may go. */
  letGo?(context: PlacedContext, held: readonly H[]): void;
}

export interface Attended {
  readonly attention: CommandAttention;
  end(): void;
}

/** What the flows of one kind are carried out with. */
export interface PlacedContext extends Context {
  readonly placed: PlacedKind;
}

/** Any kind for the engine, which gives it what it got from it: objects of its own, and what it decided for them. */
export function placedKind<T extends PlumbObject, H extends Held, R extends Resolved>(
  kind: PlacedKind<T, H, R>,
): PlacedKind {
  return kind as unknown as PlacedKind;
}

/** By what objects of the kind are placed; undefined for a kind of which none are. */
export function placedOf({ kinds }: Pick<Context, 'kinds'>, kind: KindDefinition): PlacedKind | undefined {
  return kinds.find((module) => module.kind.kind === kind.kind)?.placed;
}

export function placedContext(context: Context, placed: PlacedKind): PlacedContext {
  return { ...context, placed };
}
