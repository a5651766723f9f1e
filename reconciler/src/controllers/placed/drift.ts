/** Live differs from declared although nobody changed the declaration: said in a condition and an event, and repaired. */
import { type Clock, objectName, type PlumbObject, retryable } from '@plumb/schemas';
import type { PlanStep } from '../../plan/plan.ts';
import { partName } from '../../plan/step-words.ts';
import type { Cached } from '../../runtime/cache.ts';
import type { Again, Context } from '../controller.ts';
import { conditionsTo, failedStatus, writeStatus } from '../status.ts';

/** What was found, in a few words for each resource. */
export function driftSentence(steps: readonly PlanStep[]): string {
  return steps
    .map(({ why, resource, host }) => `${why} (${[partName(resource), host].filter(Boolean).join(' on ')})`)
    .join('; ');
}

/** Whether a person wants to hear of drift only. */
export function isReportOnly({ spec }: PlumbObject): boolean {
  return spec.driftPolicy === 'Report';
}

/** Policy Report: only says it. */
export async function reportDrift(
  context: Context,
  cached: Cached,
  steps: readonly PlanStep[],
): Promise<Again | undefined> {
  const message = `${driftSentence(steps)}; driftPolicy is Report, so nothing is done`;
  await writeStatus(context, cached, (status, object) =>
    conditionsTo(
      context,
      failedStatus(context, status, object, retryable('Drifted', message)),
      object,
      [{ type: 'Drifted', status: 'True', reason: 'Found', message }],
      ['Reconciling'],
    ),
  );
  context.events.record({
    object: cached.object,
    type: 'Warning',
    reason: 'Drifted',
    message: `${objectName(cached.object.metadata)}: ${message}`,
  });
  return undefined;
}

const FORGET_AFTER_MS = 600_000;
const MAX_WAIT_MS = 30_000;

/** What breaks again and again is repaired ever more slowly, at most every 30 s. */
export class RepairPacing {
  private readonly clock: Clock;
  private readonly repairs = new Map<string, { count: number; at: number }>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Milliseconds to wait before the next repair of the object; 0 means now, and counts as one. */
  waitMs(uid: string): number {
    const now = this.clock.now();
    const last = this.repairs.get(uid);
    // A wall clock may be put back; nobody waits for it to catch up.
    if (last === undefined || now - last.at > FORGET_AFTER_MS || now < last.at) {
      this.repairs.set(uid, { count: 1, at: now });
      return 0;
    }
    const due = last.at + Math.min(MAX_WAIT_MS, 250 * 2 ** last.count);
    if (now < due) return due - now;
    this.repairs.set(uid, { count: last.count + 1, at: now });
    return 0;
  }
}
