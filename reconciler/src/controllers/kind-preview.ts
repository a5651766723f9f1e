/** What applying objects would do to what a kind has on hosts, told beforehand by the code that does it. */
import type { PlumbObject } from '@plumb/schemas';
import type { PlanStep } from '../plan/plan.ts';
import type { Cached } from '../runtime/cache.ts';
import type { Context } from './controller.ts';

/** What is imagined to be applied. */
export interface Hypothesis {
  /** The objects as they would be, by key. */
  readonly objects: ReadonlyMap<string, Cached>;
  /** uid → the host where it would run, of what was planned so far. */
  readonly placed: Map<string, string>;
}

export interface KindPreview {
  /** Its objects are Ready only when something was made on a host: nothing that refers to them counts on that. */
  readonly isPlaced?: true;
  /** Kinds that change, when they are edited, what is to be done for the objects that refer to them. */
  readonly changedBy?: readonly string[];
  /**
   * Decides as the controller would. What it would take it takes in `context.index`, tentatively: whatever is planned after it finds
   * that taken, and whoever asks for the preview takes all of it back. Throws the condition that says why nothing can be done.
   */
  plan(context: Context, cached: Cached, hypothesis: Hypothesis): Planned;
  /** What would be removed from hosts when it is deleted, in order. What it holds it gives back in `context.index`, tentatively. */
  remove?(context: Context, cached: Cached): readonly PlanStep[];
}

/** Where an object runs, and what it has on its networks. */
export interface Placement {
  host: string;
  /** `macAddress` is absent while it is not known. */
  interfaces: readonly { name: string; l3Network: string; addresses: readonly string[]; macAddress?: string }[];
}

export interface Planned {
  /** What would be done on hosts, in order. */
  readonly steps: readonly PlanStep[];
  readonly placement?: Placement | undefined;
  /** It gets what is declared only when it is started again. */
  readonly restart?: true | undefined;
  /** What else is worth knowing, as a sentence. */
  readonly note?: string | undefined;
  /** What others would find in its status. */
  readonly status?: PlumbObject['status'];
}
