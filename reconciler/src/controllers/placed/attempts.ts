/**
 * How often an update may disturb a guest: counted in the flow's record before the step is sent, so that no crash, of the
 * control plane or of the agent, forgets it.
 */

import { PlumbError, terminal } from '@plumb/schemas';
import { disturbs } from '../../flow/execute.ts';
import type { Journaled } from '../../flow/journal.ts';
import type { FlowRecord } from '../../flow/record.ts';
import { isPastPivot, passesPivot } from '../../flow/undo.ts';
import { isDone, type PlanStep } from '../../plan/plan.ts';
import { stepWords } from '../../plan/step-words.ts';
import type { Context } from '../controller.ts';
import { liveOf } from './applied.ts';
import { calledInCommands } from './words.ts';

/** An attempt that is known to have failed may have met something that passed: one more is made. */
const MOST_FAILED = 2;
/** One more is made when an attempt was cut off in the middle, and nobody knows what came of it. */
const MOST_BEGUN = 3;

const REASON = 'AttemptsExhausted';

/**
 * The flow as it is durable before the steps are sent. Throws terminal `AttemptsExhausted` when one of them would
 * disturb the guest once too often. What lives as declared already is sent for nothing, and counts for nothing.
 */
export async function countAttempt(context: Context, flow: Journaled, steps: readonly PlanStep[]): Promise<Journaled> {
  const { record } = flow;
  const step = steps.find((s) => isCounted(context, record, s));
  if (!step || !context.fleet.host(step.host)?.connected) return flow;
  const begun = record.attempts ?? 0;
  // guard: guest restarted again and again by an update that cannot succeed
  if (begun >= MOST_BEGUN)
    throw terminal(
      REASON,
      `it disturbs the guest, was begun ${begun} times and never came to an end; ${untilAsked(record)} (step "${stepWords(step)}" on host ${step.host})`,
    );
  return context.journal.turn({ ...record, attempts: begun + 1 });
}

/** The failure of a step that was tried as often as it may be; undefined while it may be tried again. */
export function exhausted(
  context: Context,
  record: FlowRecord,
  step: PlanStep,
  error: PlumbError,
): PlumbError | undefined {
  // What it stands on is looked for before anything is touched.
  if (error.retry !== 'retry' || error.reason === 'MissingDependency' || !isCounted(context, record, step))
    return undefined;
  const begun = record.attempts ?? 0;
  // guard: guest restarted again and again by an update that cannot succeed
  if (begun >= MOST_FAILED) return tooOften(record, begun, error);
  return undefined;
}

function tooOften(record: FlowRecord, begun: number, cause: PlumbError): PlumbError {
  return new PlumbError({
    reason: REASON,
    message: `it disturbs the guest, was tried ${begun} times and failed; ${untilAsked(record)}; last: ${cause.reason}: ${cause.message}`,
    retry: 'terminal',
    cause,
  });
}

function untilAsked({ key }: FlowRecord): string {
  return `it is tried again when it is declared otherwise, or by plumb flows retry ${calledInCommands(key)}`;
}

function isCounted(context: Context, record: FlowRecord, step: PlanStep): boolean {
  if (record.purpose !== 'update' || !disturbs(step)) return false;
  const pastPivot = isPastPivot(record, (pivot) => liveOf(context, pivot) !== undefined);
  if (pastPivot || passesPivot(record.plan, step.id)) return false; // there is no way back
  return !isDone(step, liveOf(context, step));
}
