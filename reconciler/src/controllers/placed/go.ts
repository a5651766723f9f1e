/** Carrying out the flow of an object: forward to what is declared, or back to what was. */
import { objectName, PlumbError, resourceKey, retryable, terminal } from '@plumb/schemas';
import { type ExecuteOptions, execute } from '../../flow/execute.ts';
import type { Journaled } from '../../flow/journal.ts';
import { type FlowFailure, type FlowRecord, failureSentence } from '../../flow/record.ts';
import { doneSteps, isPastPivot, passesPivot, undoSteps } from '../../flow/undo.ts';
import { undoneWords } from '../../flow/undone.ts';
import type { PlanStep } from '../../plan/plan.ts';
import { inWords, stepWords } from '../../plan/step-words.ts';
import type { Cached } from '../../runtime/cache.ts';
import type { Again, Context } from '../controller.ts';
import { conditionsTo, writeStatus } from '../status.ts';
import { liveOf } from './applied.ts';
import { countAttempt, exhausted } from './attempts.ts';
import { finishBack, finishForward } from './finish.ts';
import { isMadeFrom } from './inputs.ts';
import type { PlacedContext } from './placed-kind.ts';
import { planObject } from './planner.ts';
import { calledInCommands } from './words.ts';

/** A flow that takes longer than this says in a condition what it does. */
const SILENT_MS = 1000;

/**
 * A change of what runs that does not succeed within this time is taken back, so that a guest is not disturbed again and
 * again. Creates have no such limit: they disturb nobody, and wait.
 */
export const UPDATE_DEADLINE_MS = 300_000;

export async function goForward(context: PlacedContext, cached: Cached, flow: Journaled): Promise<Again | undefined> {
  const { record } = flow;
  const stopTelling = context.ambient.clock.after(SILENT_MS, () => void tellProgress(context, cached, record));
  const unwanted = () => isSuperseded(context, cached.key, record);
  const wait = context.placed.attend?.(context, cached, record, unwanted);
  let latest = flow;
  try {
    const result = await execute(record.plan.steps, {
      fence: async (steps) => {
        latest = await countAttempt(context, latest, steps);
        return latest.revision;
      },
      fleet: context.fleet,
      owner: record.uid,
      superseded: unwanted,
      attention: wait?.attention,
      onStep: noteSteps(context, record.uid),
    });
    if (result.outcome === 'superseded') return { requeueAfterMs: 0 };
    if (result.outcome === 'done') return finishForward(context, cached, latest);
    const { step, error } = result;
    if (error.reason === 'Aborted' && unwanted()) return { requeueAfterMs: 0 };
    return await onFailure(
      context,
      cached,
      latest.record,
      step,
      context.placed.explained?.(context, step, error) ?? error,
    );
  } finally {
    wait?.end();
    stopTelling();
  }
}

function isSuperseded(context: PlacedContext, key: string, record: FlowRecord): boolean {
  const latest = context.read.get(key)?.object.metadata;
  if (latest?.uid !== record.uid || latest.deletionTimestamp !== undefined) return true;
  return latest.generation !== record.generation && !mustGoForward(context, record);
}

/** Whether the flow has destroyed data: then it is finished, whatever is declared by now. */
export function mustGoForward(context: PlacedContext, record: FlowRecord): boolean {
  return isPastPivot(
    record,
    ({ host, resource }) => context.fleet.host(host)?.resources.has(resourceKey(resource)) ?? true,
  );
}

async function onFailure(
  context: PlacedContext,
  cached: Cached,
  record: FlowRecord,
  step: PlanStep,
  thrown: PlumbError,
): Promise<Again | undefined> {
  const error = exhausted(context, record, step, thrown) ?? thrown;
  const late = record.purpose === 'update' && context.ambient.clock.now() - record.startedAt > UPDATE_DEADLINE_MS;
  const failure = late ? lateFailure(step, thrown, record.plan.steps) : describe(step, error, record.plan.steps);
  const forwardOnly = passesPivot(record.plan, step.id) || mustGoForward(context, record);
  if (error.retry === 'retry' && !late) {
    if (error.reason === 'MissingDependency' && !forwardOnly && (await planAgain(context, cached, record)))
      return turnBack(context, cached, record, failure);
    const whyAnew = forwardOnly ? undefined : context.placed.whyAnew?.(context, cached, record, step);
    if (whyAnew) return beginAnew(context, cached, record, step, whyAnew);
    throw new PlumbError({ reason: error.reason, message: failure.message, retry: 'retry', cause: error });
  }
  const elsewhere = forwardOnly ? undefined : context.placed.whyElsewhere?.(context, cached.object, record, step);
  if (elsewhere !== undefined) throw retryable(error.reason, `${failure.message}; ${elsewhere}`, error);
  if (forwardOnly) return stuck(context, record, failure); // guard: an update that has destroyed data only goes forward
  return turnBack(context, cached, record, failure);
}

/**
 * What the plan relied on went meanwhile (a bridge that nobody used any more): the same target, new steps. True when
 * there are none, because what the plan was made from has changed (the image is another now): then it leads nowhere.
 */
async function planAgain(context: PlacedContext, cached: Cached, record: FlowRecord): Promise<boolean> {
  const resolved = context.placed.resolve(context, cached, false);
  const { steps } = planObject(context, cached, resolved, context.index);
  const missing = steps.filter((s) => s.undo === 'shared' && !record.plan.steps.some((p) => p.id === s.id));
  if (missing.length === 0) return !isMadeFrom(context, record, cached.object, resolved);
  const plan = { ...record.plan, steps: [...missing, ...record.plan.steps] };
  // What stands on nothing was refused before it disturbed anybody.
  await context.journal.turn({ ...record, plan, attempts: Math.max(0, (record.attempts ?? 0) - 1) });
  return false;
}

/** What the flow was to make is not wanted so any more: what was made for it is taken back, and planned again. */
async function beginAnew(
  context: PlacedContext,
  cached: Cached,
  record: FlowRecord,
  step: PlanStep,
  why: PlumbError,
): Promise<Again> {
  try {
    await turnBack(context, cached, record, describe(step, why, record.plan.steps));
  } catch (thrown) {
    if (PlumbError.from(thrown, cached.key).retry !== 'terminal') throw thrown;
  }
  return { requeueAfterMs: 0 };
}

/** The flow goes back from here on: what there is to undo is written down with the failure, before it is undone. */
export async function turnBack(
  context: PlacedContext,
  cached: Cached,
  record: FlowRecord,
  why: FlowFailure,
): Promise<Again | undefined> {
  const failure = { ...why, undone: undoneWords(undoSteps(doneSteps(record)), (step) => liveOf(context, step)) };
  context.events.record({ object: cached.object, type: 'Warning', reason: why.reason, message: why.message });
  return goBack(context, cached, await context.journal.turn({ ...record, direction: 'back', failure }));
}

export async function goBack(context: PlacedContext, cached: Cached, flow: Journaled): Promise<Again | undefined> {
  const { record } = flow;
  const result = await execute(undoSteps(doneSteps(record)), {
    fence: flow.revision,
    fleet: context.fleet,
    owner: record.uid,
    onStep: noteSteps(context, record.uid),
  });
  if (result.outcome === 'failed')
    return stuck(context, record, describe(result.step, result.error, record.plan.steps));
  await finishBack(context, cached, flow);
  const failure = record.failure ?? { reason: 'Failed', message: 'the flow failed' };
  const message = failureSentence(failure);
  context.events.record({ object: cached.object, type: 'Warning', reason: 'Undone', message });
  throw terminal(failure.reason, message);
}

/** A flow that failed whole is not tried again with the same inputs; its condition says why. */
export function rest(flow: Journaled): undefined {
  const { failure } = flow.record;
  if (failure) throw terminal(failure.reason, failureSentence(failure));
}

/** Written down once per failure, shown on the object, and tried again with backoff: never dropped. */
export async function stuck(context: PlacedContext, record: FlowRecord, failure: FlowFailure): Promise<never> {
  if (record.stuck?.message !== failure.message) await context.journal.turn({ ...record, stuck: failure });
  throw new PlumbError({
    reason: 'Stuck',
    message: `cannot ${record.direction === 'back' ? 'be undone' : record.purpose === 'delete' ? 'be removed' : 'be finished'} yet: ${failure.message}; it is tried again, and a person may end it: plumb flows abandon ${calledInCommands(record.key)}`,
    retry: 'retry',
  });
}

/** `steps`: those of its plan, since the error may speak of what they are for. */
export function describe(step: PlanStep, error: PlumbError, steps: readonly PlanStep[]): FlowFailure {
  const said = inWords(
    error.message,
    [step, ...steps].map(({ resource }) => resource),
  );
  return {
    reason: error.reason,
    message: `${said} (step "${stepWords(step)}" on host ${step.host})`,
    step: step.id,
    host: step.host,
  };
}

function lateFailure(step: PlanStep, error: PlumbError, steps: readonly PlanStep[]): FlowFailure {
  const failure = describe(step, error, steps);
  const minutes = UPDATE_DEADLINE_MS / 60_000;
  return {
    ...failure,
    reason: 'DeadlineExceeded',
    message: `it did not succeed within ${minutes} minutes and was taken back; last: ${error.reason}: ${failure.message}`,
  };
}

/** Keeps what became of each step for `plumb flows` and `plumb describe`, and tells what a person should know of it. */
export function noteSteps(context: Context, uid: string): NonNullable<ExecuteOptions['onStep']> {
  return (step, error, note) => {
    context.journal.note(uid, {
      at: context.ambient.clock.now(),
      step: step.id,
      host: step.host,
      ...(error ? { error: `${error.reason}: ${inWords(error.message, [step.resource])}` } : {}),
      ...(note ? { note } : {}),
    });
    const object = context.read.byUid(uid)?.object;
    if (!note || !object) return;
    const message = `${objectName(object.metadata)} on host ${step.host}: ${note}`;
    context.events.record({ object, type: 'Warning', reason: 'Noted', message });
  };
}

async function tellProgress(context: PlacedContext, cached: Cached, record: FlowRecord): Promise<void> {
  const latest = context.read.get(cached.key);
  if (!latest) return;
  const what = record.purpose === 'create' ? 'is made' : record.purpose === 'repair' ? 'is repaired' : 'is changed';
  const message = `${objectName(cached.object.metadata)} ${what} on host ${record.target?.host}: ${record.plan.steps.length} steps`;
  const reason = record.purpose === 'create' ? 'Creating' : record.purpose === 'repair' ? 'Repairing' : 'Updating';
  await writeStatus(context, latest, (status, object) =>
    context.journal.get(record.uid)?.record.direction === 'forward'
      ? conditionsTo(
          context,
          status,
          object,
          [
            { type: 'Ready', status: 'False', reason, message },
            { type: 'Reconciling', status: 'True', reason, message },
          ],
          ['Stalled'],
        )
      : status,
  ).catch(() => undefined); // only a word on progress: the end of the flow is written in any case
}
