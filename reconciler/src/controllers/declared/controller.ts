/** The controller of kinds that are only words for others to use: Zone and InstanceOffering. They touch no host. */
import type { KindDefinition } from '@plumb/schemas';
import { objectName } from '@plumb/schemas';
import type { Again, Context, Controller } from '../controller.ts';
import { referrerNames } from '../references.ts';
import { deletionBlocked, depart, failedStatus, readyStatus, writeStatus } from '../status.ts';

export function declaredController(context: Context, kind: KindDefinition): Controller {
  return {
    name: kind.singular,
    concurrency: 64,
    async reconcile(key: string): Promise<Again | undefined> {
      const cached = context.read.get(key);
      if (!cached) return undefined;
      if (cached.object.metadata.deletionTimestamp) {
        const blockers = referrerNames(context, cached);
        if (blockers.length === 0) await depart(context, cached);
        else
          await writeStatus(context, cached, (status, object) =>
            failedStatus(context, status, object, deletionBlocked(blockers)),
          );
        return undefined;
      }
      await writeStatus(context, cached, (status, object) =>
        readyStatus(context, status, object, 'Declared', `${object.kind} ${objectName(object.metadata)} can be used`),
      );
      return undefined;
    },
  };
}
