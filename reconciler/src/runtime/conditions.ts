/** Pure: conditions of a status, after the Kubernetes API conventions. */

import type { Condition, PlumbObject } from '@plumb/schemas';
import { timestamp } from '@plumb/schemas/meta/timestamp.ts';

export interface ConditionInput {
  type: string;
  status: Condition['status'];
  reason: string;
  message: string;
  /** The field that it is about. */
  field?: string;
}

/**
 * `previous` with each of `inputs` set. `lastTransitionTime` moves only when the status of a condition changes.
 * Ready stays first. `nowMs`: milliseconds since the epoch.
 */
export function setConditions(
  previous: readonly Condition[] | undefined,
  inputs: readonly ConditionInput[],
  generation: number,
  nowMs: number,
): Condition[] {
  const result = new Map((previous ?? []).map((c) => [c.type, c]));
  for (const input of inputs) {
    const before = result.get(input.type);
    const lastTransitionTime = before?.status === input.status ? before.lastTransitionTime : timestamp(nowMs);
    result.set(input.type, { ...input, observedGeneration: generation, lastTransitionTime });
  }
  return [...result.values()].sort((a, b) => Number(b.type === 'Ready') - Number(a.type === 'Ready'));
}

export function withoutCondition(conditions: readonly Condition[] | undefined, type: string): Condition[] {
  return (conditions ?? []).filter((c) => c.type !== type);
}

export function findCondition(object: PlumbObject, type: string): Condition | undefined {
  return object.status?.conditions?.find((c) => c.type === type);
}

/** True when the object is Ready at its own generation. */
export function isReady(object: PlumbObject): boolean {
  const ready = findCondition(object, 'Ready');
  return ready?.status === 'True' && object.status?.observedGeneration === object.metadata.generation;
}

/** True when the object has failed at its own generation, and only a change of its inputs helps. */
export function isStalled(object: PlumbObject): boolean {
  return (
    findCondition(object, 'Stalled')?.status === 'True' &&
    object.status?.observedGeneration === object.metadata.generation
  );
}
