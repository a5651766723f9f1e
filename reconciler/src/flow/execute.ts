/** Carries out steps on hosts. Knows nothing of objects or stores: what happens next is the caller's to journal. */
import type { PlumbError } from '@plumb/schemas';
import type { CommandAttention, Fleet, FleetCommand } from '../fleet/fleet.ts';
import type { PlanStep } from '../plan/plan.ts';

export type Execution =
  | { outcome: 'done' }
  /** `superseded` said so before the step; nothing of it was sent. */
  | { outcome: 'superseded'; next: PlanStep }
  /** The step was tried and failed. */
  | { outcome: 'failed'; step: PlanStep; error: PlumbError };

export interface ExecuteOptions {
  fleet: Fleet;
  /** uid of the object whose flow this is. */
  owner: string;
  /** The fence of each command; or asked for it before the steps are sent: what must be durable by then, is. */
  fence: number | ((steps: readonly PlanStep[]) => Promise<number>);
  /** Asked before each command: true when a newer spec or a delete has taken the flow's place. */
  superseded?: () => boolean;
  /** Given with each command: ends what may take long in it. */
  attention?: CommandAttention | undefined;
  /** Told of every step that was tried. */
  onStep?: (step: PlanStep, error: PlumbError | undefined, note: string | undefined) => void;
}

/**
 * Sends the steps in order. Neighbours for the same host share one command, so that creating an instance is one round
 * trip; a pivot begins a command of its own, and so does what disturbs a guest. Throws what `Fleet.send` throws: the outcome is unknown then, and since
 * steps are idempotent the same plan may be executed again.
 */
export async function execute(steps: readonly PlanStep[], options: ExecuteOptions): Promise<Execution> {
  for (const group of commands(steps)) {
    const first = group[0]!;
    if (options.superseded?.()) return { outcome: 'superseded', next: first };
    const command: FleetCommand = {
      owner: options.owner,
      fence: typeof options.fence === 'number' ? options.fence : await options.fence(group),
      steps: group.map(({ id, verb, resource }) => ({ id, verb, resource })),
    };
    const outcomes = await options.fleet.send(first.host, command, options.attention);
    for (const { step: id, error, note } of outcomes) {
      const step = group.find((s) => s.id === id) ?? first;
      options.onStep?.(step, error, note);
      if (error) return { outcome: 'failed', step, error };
    }
  }
  return { outcome: 'done' };
}

/** Steps in the groups in which they are sent. */
export function commands(steps: readonly PlanStep[]): PlanStep[][] {
  const groups: PlanStep[][] = [];
  for (const step of steps) {
    const last = groups.at(-1);
    const before = last?.at(-1);
    if (last && before && before.host === step.host && weight(step) <= weight(before)) last.push(step);
    else groups.push([step]);
  }
  return groups;
}

function weight(step: PlanStep): number {
  if (step.undo === 'pivot') return 2;
  return disturbs(step) ? 1 : 0;
}

/** Whether the step switches a running guest off, or takes a resource from under it, in a way that can be undone. */
export function disturbs({ undo, disruption }: PlanStep): boolean {
  return undo !== 'pivot' && (disruption === 'restart' || disruption === 'replace' || disruption === 'dataLoss');
}
