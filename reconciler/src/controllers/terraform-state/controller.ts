/** TerraformState: says whether Terraform can use the state, and removes what is in it when it is deleted. */
import { retryable, type TerraformState } from '@plumb/schemas';
import { time } from '../../states/refusal.ts';
import { TerraformStates } from '../../states/states.ts';
import type { Again, Context, Controller } from '../controller.ts';
import { guarded } from '../guarded.ts';
import { depart, readyStatus, writeStatus } from '../status.ts';

/** That a store was put back, no object says. */
const AGAIN_MS = 60_000;

export function terraformStateController(context: Context): Controller {
  const states = new TerraformStates(context);
  return {
    name: 'terraform-state',
    concurrency: 8,
    async reconcile(key: string): Promise<Again | undefined> {
      const cached = context.read.get<TerraformState>(key);
      if (!cached) return undefined;
      return guarded(context, cached, async () => {
        const { namespace = '', name, deletionTimestamp } = cached.object.metadata;
        const place = { namespace, name };
        if (deletionTimestamp !== undefined) {
          const lock = await states.bury(place);
          if (lock)
            throw retryable(
              'Locked',
              `deletion waits until the lock is given back that ${lock.who || lock.user} has since ${time(lock.at)}: plumb state unlock ${name} takes it away`,
            );
          await depart(context, cached);
          return undefined;
        }
        const { blocked } = await states.standing(place);
        if (blocked) throw retryable(blocked.lock.ID, blocked.message);
        await writeStatus(context, cached, (status, object) =>
          readyStatus(context, status, object, 'Usable', 'Terraform can use the state'),
        );
        return { requeueAfterMs: AGAIN_MS };
      });
    },
  };
}
