/** Everything that people, time and bad luck do to a cloud, as data: a run is a list of these. */
import type { Fate, Point } from '../world/fates.ts';

export type KindName =
  | 'Namespace'
  | 'Zone'
  | 'Host'
  | 'L2Network'
  | 'L3Network'
  | 'Image'
  | 'InstanceOffering'
  | 'Instance'
  | 'ChangeSet'
  | 'GitSource'
  | 'SecurityGroup'
  | 'TerraformState';

export interface Named {
  kind: KindName;
  name: string;
  /** Of namespaced kinds; `default`, if absent. */
  namespace?: string;
}

interface Manner {
  /** The next action does not wait for the answer. */
  nowait?: true;
}

/** A spec. `illegal`: it breaks a rule whatever is there already. */
interface Sent {
  spec: Record<string, unknown>;
  illegal?: true;
}

/** What is asked of the API. */
export type Ask = Manner &
  (
    | ({ do: 'create' } & Named & Sent)
    /** A merge patch of the spec. */
    | ({ do: 'change' } & Named & Sent)
    /** The whole spec anew; `stale`: by someone who read the object long ago. */
    | ({ do: 'replace'; stale?: true } & Named & Sent)
    | ({ do: 'delete' } & Named)
    /** Asks for another try of what failed. */
    | ({ do: 'retry'; word: string } & Named)
    /** Deletes with all that depends on it; `miscounted`: the person had agreed to another number. */
    | { do: 'cascade'; roots: readonly Named[]; miscounted?: true }
    /** What a person does about the flow of an instance. */
    | { do: 'flow'; what: 'retry' | 'abandon'; name: string; namespace?: string }
  );

export type Action =
  | Ask
  | { do: 'wait'; ms: number }
  | { do: 'crash'; who: string; forMs: number }
  | { do: 'reboot'; host: string }
  | { do: 'cut'; host: string }
  | { do: 'partition'; host: string; forMs: number }
  | { do: 'slow'; host: string; times: number }
  /** A wall clock jumps. */
  | { do: 'jump'; who: string; ms: number }
  /** A guest ends. */
  | { do: 'guest'; name: string; how: 'shutdown' | 'crashed' | 'destroyed' }
  /** Someone takes the taps of the instance off their bridges. */
  | { do: 'drift'; name: string }
  /** Somebody has all instances compared with what lives. */
  | { do: 'scan'; way: 'content' | 'digests' }
  /** The store is put back to an earlier time; with 0 it is empty. `share` of its batches is kept. */
  | { do: 'restore'; share: number }
  /** What the `skip`+1th next point of this sort suffers; and so on, `times` times. */
  | { do: 'fate'; at: Point['at']; skip: number; fate: Fate; times?: number };

/** The action as a line of a program. */
export function actionText(action: Action): string {
  return JSON.stringify(action);
}
