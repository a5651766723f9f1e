/** Image: fetched and checked on one host before it is Ready; removed from every host that no longer needs it. */
import type { Image } from '@plumb/schemas';
import type { Again, Context, Controller } from '../controller.ts';
import { guarded } from '../guarded.ts';
import { type Clean, removeImage, removeOthers } from './removal.ts';
import { Verification } from './verification.ts';

export function imageController(context: Context): Controller {
  const clean = new Map<string, Clean>();
  const verification = new Verification(context);
  return {
    name: 'image',
    // Each may wait hours for its server: no image is to wait for another's.
    concurrency: 4096,
    async reconcile(key: string): Promise<Again | undefined> {
      const cached = context.read.get<Image>(key);
      if (!cached) return undefined;
      return guarded(context, cached, async () => {
        const { uid, deletionTimestamp } = cached.object.metadata;
        if (deletionTimestamp) {
          clean.delete(uid);
          verification.forget(uid);
          return removeImage(context, cached);
        }
        const again = await verification.verify(cached);
        if (again) return again; // It is declared otherwise by now.
        await removeOthers(context, cached, clean);
        return undefined;
      });
    },
  };
}
