/** Writing status, deleting finished objects: the two ways in which a controller touches an object. */
import { type Condition, type PlumbError, type PlumbObject, retryable } from '@plumb/schemas';
import { equal } from '../plan/plan.ts';
import type { Cached } from '../runtime/cache.ts';
import { type ConditionInput, setConditions } from '../runtime/conditions.ts';
import { ConflictError } from '../store/errors.ts';
import { examine } from '../store/examine.ts';
import { encodeObject, removalOps } from '../store/object-codec.ts';
import type { Op, Precondition } from '../store/store.ts';
import type { Context } from './controller.ts';
import { leftBehindOn } from './left-behind.ts';

export type Status = NonNullable<PlumbObject['status']>;

/** How often a write is tried again because a person wrote the object meanwhile. */
const MAX_CONFLICTS = 8;

/** The newest object of that uid, read from the store; undefined when it is gone, or cannot be understood any more. */
export async function readFresh(context: Context, cached: Cached): Promise<Cached | undefined> {
  const entry = await context.store.get(cached.key);
  const object = entry && examine(cached.kind, entry).object;
  if (!object || object.metadata.uid !== cached.object.metadata.uid) return undefined;
  return { ...cached, object, revision: entry.revision };
}

/**
 * Replaces status by what `change` makes of it; writes nothing when that means the same. Resolves when the cache shows
 * it. `change` may be called again with a newer object.
 */
export async function writeStatus(
  context: Context,
  cached: Cached,
  change: (status: Status, object: PlumbObject) => Status,
): Promise<void> {
  await retryOnConflict(async (attempt) => {
    const current = attempt === 0 ? cached : await readFresh(context, cached);
    if (!current) return;
    const status = change(current.object.status ?? {}, current.object);
    if (equal(withoutUndefined(status), current.object.status ?? {})) return;
    const { revision } = await context.store.commit(statusBatch(current, status));
    await context.cache.shows(revision);
  });
}

/** The precondition and the write that give the object this status. */
export function statusBatch(current: Cached, status: Status): { preconditions: Precondition[]; ops: Op[] } {
  return {
    preconditions: [{ key: current.key, revision: current.revision }],
    ops: [{ type: 'put', key: current.key, value: encodeObject({ ...current.object, status }) }],
  };
}

/** Runs `write` until it is not met by a conflict; `attempt` counts from 0. */
export async function retryOnConflict<T>(write: (attempt: number) => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await write(attempt);
    } catch (error) {
      if (!(error instanceof ConflictError) || attempt >= MAX_CONFLICTS) throw error;
    }
  }
}

export function finalizerOf(cached: Cached): string {
  return `plumb.dev/${cached.kind.kind.toLowerCase()}`;
}

/**
 * What lets the object go: our finalizer is removed, and with the last finalizer the object itself, leaving the record
 * of its deletion, which alone allows what lives under its uid to be removed.
 *
 * Finalizers of others keep the object, and it says that nothing is left of it. `emptied`: its status without what it holds
 * no more. `left`: hosts that are off and may have something of it.
 */
export function departure(
  current: Cached,
  nowMs: number,
  emptied: (status: Status) => Status = (status) => status,
  left: readonly string[] = [],
): { preconditions: Precondition[]; ops: Op[] } {
  const { metadata } = current.object;
  const finalizers = (metadata.finalizers ?? []).filter((f) => f !== finalizerOf(current));
  const preconditions = [{ key: current.key, revision: current.revision }];
  if (finalizers.length === 0) return { preconditions, ops: removalOps(current.key, current.object, nowMs, left) };
  const status = keptStatus(emptied(current.object.status ?? {}), metadata.generation, finalizers, nowMs);
  const object = { ...current.object, metadata: { ...metadata, finalizers }, status };
  if (equal(withoutUndefined(object), current.object)) return { preconditions: [], ops: [] };
  return { preconditions, ops: [{ type: 'put', key: current.key, value: encodeObject(object) }] };
}

function keptStatus(status: Status, generation: number, finalizers: readonly string[], nowMs: number): Status {
  const message = `is deleted, and nothing is left of it; it is kept until ${finalizers.length === 1 ? 'the finalizer is' : 'the finalizers are'} removed: ${finalizers.join(', ')}`;
  const ready = { type: 'Ready', status: 'False' as const, reason: 'Deleted', message };
  const kept = status.conditions?.filter(({ type }) => type === 'Ready' || type === 'Orphans');
  return { ...status, observedGeneration: generation, conditions: setConditions(kept, [ready], generation, nowMs) };
}

/** Lets the object go. */
export async function depart(context: Context, cached: Cached): Promise<void> {
  await retryOnConflict(async (attempt) => {
    const current = attempt === 0 ? cached : await readFresh(context, cached);
    if (!current) return;
    const left = leftBehindOn(context, current.object.metadata.uid);
    const batch = departure(current, context.ambient.clock.now(), undefined, left);
    if (batch.ops.length === 0) return;
    const { revision } = await context.store.commit(batch);
    await context.cache.shows(revision);
  });
}

/** Ready, and nothing that says otherwise. */
export function readyStatus(
  context: Context,
  status: Status,
  object: PlumbObject,
  reason: string,
  message: string,
): Status {
  return conditionsTo(
    context,
    status,
    object,
    [{ type: 'Ready', status: 'True', reason, message }],
    ['Stalled', 'Reconciling'],
  );
}

/**
 * Not Ready because of `error`. A terminal one is Stalled as well: only a change of the object's inputs helps. Any other
 * is Reconciling: it goes on by itself. (kstatus, Kubernetes SIG CLI.)
 */
export function failedStatus(context: Context, status: Status, object: PlumbObject, error: PlumbError): Status {
  const { reason, message } = error;
  const field = error.fields[0]?.field;
  const why = { reason, message, ...(field === undefined ? {} : { field }) };
  const stalled = error.retry === 'terminal';
  return conditionsTo(
    context,
    status,
    object,
    [
      { type: 'Ready', status: 'False', ...why },
      { type: stalled ? 'Stalled' : 'Reconciling', status: 'True', ...why },
    ],
    [stalled ? 'Reconciling' : 'Stalled'],
  );
}

export function conditionsTo(
  context: Context,
  status: Status,
  object: PlumbObject,
  inputs: ConditionInput[],
  without: string[],
): Status {
  const { generation } = object.metadata;
  const kept = status.conditions?.filter((c: Condition) => !without.includes(c.type));
  return {
    ...status,
    observedGeneration: generation,
    conditions: setConditions(kept, inputs, generation, context.ambient.clock.now()),
  };
}

/** Said of an object that waits for others to let go of it. */
export function deletionBlocked(blockers: readonly string[]): PlumbError {
  const shown = blockers.slice(0, 5).join(', ');
  const more = blockers.length > 5 ? ` and ${blockers.length - 5} more` : '';
  return retryable('DeletionBlocked', `is deleted when nothing refers to it any more: ${shown}${more}`);
}

function withoutUndefined<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
