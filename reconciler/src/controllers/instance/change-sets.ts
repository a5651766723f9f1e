/** Objects that a change set under way may put back to what they were: what cannot be taken back waits for its end. */
import type { ChangeSet, PlumbObject } from '@plumb/schemas';
import { isReady, isStalled } from '../../runtime/conditions.ts';
import type { Context } from '../controller.ts';

/** Whether a change set that is not over has changed the object, which is of no project. */
export function mayBePutBack(context: Context, { kind, metadata }: PlumbObject): boolean {
  for (const { object } of context.read.list<ChangeSet>('changesets')) {
    if (isReady(object) || isStalled(object)) continue;
    if (object.spec.objects.some((o) => o.kind === kind && (o.metadata as { name?: string }).name === metadata.name))
      return true;
  }
  return false;
}
