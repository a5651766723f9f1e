/** A placed object that cannot be understood, and is deleted: as any other, by what lives for it and what it holds. */
import { resourceTypes } from '@plumb/schemas';
import type { Cached } from '../../runtime/cache.ts';
import type { Again, Context } from '../controller.ts';
import { deleteObject } from './delete.ts';
import { type PlacedKind, placedContext } from './placed-kind.ts';

export async function removeAside(context: Context, placed: PlacedKind, cached: Cached): Promise<Again | undefined> {
  const { uid } = cached.object.metadata;
  const used = usedBy(context, uid);
  const again = await deleteObject(placedContext(context, placed), cached, context.journal.get(uid));
  for (const key of used) context.enqueue(key);
  return again;
}

/** Keys of what it has on hosts stands on, as far as that is of objects: nothing else may say that it used them. */
function usedBy({ read, fleet }: Context, owner: string): string[] {
  const uids = new Set<string>();
  for (const { resource } of fleet.ownedBy(owner))
    for (const { kind, id } of resourceTypes.requirements(resource)) if (resourceTypes.isShared(kind)) uids.add(id);
  return Array.from(uids, (uid) => read.keyOf(uid)).filter((key) => key !== undefined);
}
