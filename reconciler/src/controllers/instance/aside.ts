/** An instance that cannot be understood, and is deleted: as any other, by what lives for it and what it holds. */
import type { Instance } from '@plumb/schemas';
import type { Cached } from '../../runtime/cache.ts';
import type { Again, Context } from '../controller.ts';
import { deleteInstance } from './delete.ts';

export async function removeAside(context: Context, cached: Cached): Promise<Again | undefined> {
  const { uid } = cached.object.metadata;
  const networks = networksOf(context, uid);
  const again = await deleteInstance(context, cached as Cached<Instance>, context.journal.get(uid));
  for (const network of networks) context.enqueue(network);
  return again;
}

/** Keys of the networks that its ports are on: nothing else may say that it used them. */
function networksOf({ read, fleet }: Context, uid: string): string[] {
  const uids = new Set<string>();
  for (const { resource } of fleet.ownedBy(uid))
    if (resource.kind === 'port') for (const network of [resource.spec.subnet, resource.spec.bridge]) uids.add(network);
  return Array.from(uids, (network) => read.keyOf(network)).filter((key) => key !== undefined);
}
