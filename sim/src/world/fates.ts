/** Where a run can be hurt, and how. Every place at which something durable happens asks here first. */
import type { ResourceType } from '@plumb/schemas';

export type Point =
  /** A batch, before or after it is on the disk; the caller knows neither. */
  | { at: 'commit'; when: 'before' | 'after'; what: string }
  /** A step on a host, before or after its effect; the agent has not told anyone. */
  | { at: 'step'; when: 'before' | 'after'; host: string; verb: 'ensure' | 'remove'; kind: ResourceType; flow: string }
  /** A frame that is about to arrive. */
  | { at: 'frame'; to: 'agent' | 'server'; host: string; what: string };

export type Fate =
  | 'crash control'
  | 'crash agent'
  | 'crash both'
  | 'reboot host'
  /** The step or the commit fails, and may succeed later. */
  | 'fail'
  /** The step fails for good. */
  | 'fail terminal'
  /** The step is carried out twice. */
  | 'repeat'
  /** The connection breaks and loses the frame. */
  | 'cut'
  /** The commands of the frame arrive once more, later. */
  | 'again late';

export interface Fates {
  at(point: Point): Fate | undefined;
}

export const peace: Fates = { at: () => undefined };

/** In words: what is the same in every run that reaches it in the same way. */
export function pointName(point: Point): string {
  switch (point.at) {
    case 'commit':
      return `commit of ${point.what}, ${point.when}`;
    case 'step':
      return `${point.flow}: ${point.verb} ${point.kind}, ${point.when}`;
    case 'frame':
      return `frame to ${point.to}: ${point.what}`;
  }
}
