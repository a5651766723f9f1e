/** Everything that people, time and bad luck do to a cloud, as data: a run is a list of these. */
import type { Fate, Point } from '../world/fates.ts';

export type KindName =
  | 'Zone'
  | 'Host'
  | 'L2Network'
  | 'L3Network'
  | 'Image'
  | 'InstanceOffering'
  | 'Instance'
  | 'ChangeSet';

export type Action =
  | { do: 'create'; kind: KindName; name: string; spec: Record<string, unknown>; illegal?: true; nowait?: true }
  /** A merge patch of the spec. */
  | { do: 'change'; kind: KindName; name: string; spec: Record<string, unknown>; illegal?: true; nowait?: true }
  | { do: 'delete'; kind: KindName; name: string; nowait?: true }
  /** Asks for another try of what failed. */
  | { do: 'retry'; name: string; word: string }
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
  /** The store is put back to an earlier time; with 0 it is empty. `share` of its batches is kept. */
  | { do: 'restore'; share: number }
  /** What the `skip`+1th next point of this sort suffers. */
  | { do: 'fate'; at: Point['at']; skip: number; fate: Fate };

/** The action as a line of a program. */
export function actionText(action: Action): string {
  return JSON.stringify(action);
}
