/** What a GitSource says of itself: the condition Ready, what is under way, and what became of commits. */
import { type GitSource, terminal } from '@plumb/schemas';
import { printable } from '@plumb/schemas/meta/printable.ts';
import { timestamp } from '@plumb/schemas/meta/timestamp.ts';
import type { Rendered } from '../../git/look.ts';
import type { Cached } from '../../runtime/cache.ts';
import type { ConditionInput } from '../../runtime/conditions.ts';
import type { Context } from '../controller.ts';
import { conditionsTo, failedStatus, readyStatus, writeStatus } from '../status.ts';
import type { Health } from './health.ts';

export type GitStatus = NonNullable<GitSource['status']>;
export type Source = Cached<GitSource>;

const MOST_HISTORY = 10;
/** Names that are told of many. */
export const MOST_SAID = 5;

export async function tellHealth(
  context: Context,
  cached: Source,
  found: Rendered | undefined,
  health: Health,
): Promise<void> {
  const latest = context.read.get<GitSource>(cached.key) ?? cached;
  const { ready, stalled, waiting, missing } = health;
  const revision = found?.revision ?? latest.object.status?.revision ?? '';
  await writeStatus(context, latest, (status, object) => {
    const { pendingPrune, drifted = [], deleting = [] } = status as GitStatus;
    const commit = `commit ${short(revision)}`;
    const failed = (reason: string, message: string) =>
      failedStatus(context, status, object, terminal(reason, message));
    if (stalled.length > 0)
      return failed('Unhealthy', `${commit}: ${stalled.length} objects cannot become Ready: ${some(stalled)}`);
    if (drifted.length > 0)
      return failed(
        'Drifted',
        `${commit}: others have changed what it declares, and spec.driftPolicy is Report: ${some(drifted)}`,
      );
    if (missing.length > 0) return failed('Missing', `${commit}: not there any more: ${some(missing)}`);
    if (pendingPrune)
      return conditionsTo(
        context,
        status,
        object,
        [
          {
            ...notReady(
              'PruneNeedsApproval',
              `${pendingPrune.count} objects that the ${commit} does not declare any more are kept, since ${pendingPrune.because}. To delete them: plumb gitsource approve ${object.metadata.name} -n ${object.metadata.namespace}`,
            ),
          },
        ],
        ['Reconciling', 'Stalled'],
      );
    if (waiting.length + deleting.length > 0) {
      const message =
        waiting.length > 0
          ? `${commit}: ${ready} of ${ready + waiting.length} objects are Ready; waiting for ${some(waiting)}`
          : `${commit}: ${deleting.length} objects are being deleted: ${some(deleting)}`;
      return conditionsTo(
        context,
        status,
        object,
        [notReady('Progressing', message), reconciling('Progressing', message)],
        ['Stalled'],
      );
    }
    return readyStatus(context, status, object, 'Applied', `${commit}: all ${ready} objects are Ready`);
  });
}

export function notReady(reason: string, message: string): ConditionInput {
  return { type: 'Ready', status: 'False', reason, message };
}

export function reconciling(reason: string, message: string): ConditionInput {
  return { type: 'Reconciling', status: 'True', reason, message };
}

export function historyOf(
  context: Context,
  status: GitStatus,
  event: { revision: string; result: string; written: number },
) {
  const time = timestamp(context.ambient.clock.now());
  return [{ ...event, time }, ...(status.history ?? [])].slice(0, MOST_HISTORY);
}

export function short(revision: string): string {
  return revision.slice(0, 12);
}

export function some(names: readonly string[]): string {
  const more = names.length > MOST_SAID ? ` and ${names.length - MOST_SAID} more` : '';
  return `${printable(names.slice(0, MOST_SAID).join(', '), 800)}${more}`;
}
