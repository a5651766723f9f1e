/** What a person says of a GitSource: look now, and delete what waits for a word. */
import { type GitSource, gitSource, terminal } from '@plumb/schemas';
import { keys } from '../../store/keys.ts';
import { decodeObject } from '../../store/object-codec.ts';
import type { Context } from '../controller.ts';
import { retryOnConflict, statusBatch } from '../status.ts';
import { gitLooks } from './looks.ts';

/** Has the repository looked at now. Throws terminal `NotFound`. */
export async function lookNow(context: Context, namespace: string, name: string): Promise<void> {
  const key = keys.object(gitSource.plural, namespace, name);
  // A person looks for what they have just made.
  const entry = await context.store.get(key);
  if (entry) await context.cache.shows(entry.revision);
  const cached = context.read.get(key);
  if (!cached) throw notFound(namespace, name);
  context.own(gitLooks).of(cached.object.metadata.uid).wanted = true;
  context.enqueue(key);
}

/**
 * Lets the deletion go that waits for a person. `digest`: which one they have seen. Throws terminal `NotFound`, `NothingToApprove`,
 * `PruneChanged`.
 */
export async function approvePrune(
  context: Context,
  namespace: string,
  name: string,
  digest: string,
): Promise<{ count: number }> {
  const key = keys.object(gitSource.plural, namespace, name);
  return retryOnConflict(async () => {
    const entry = await context.store.get(key);
    if (!entry) throw notFound(namespace, name);
    const object = decodeObject<GitSource>(entry);
    const { pendingPrune } = object.status ?? {};
    if (!pendingPrune)
      throw terminal('NothingToApprove', `no deletion of GitSource ${namespace}/${name} waits for anybody`);
    if (pendingPrune.digest !== digest)
      throw terminal('PruneChanged', `another deletion waits now, of ${pendingPrune.count} objects: look at it again`);
    const status = { ...object.status, approvedPrune: digest };
    const batch = statusBatch({ key, kind: gitSource, object, revision: entry.revision }, status);
    const { revision } = await context.store.commit(batch);
    await context.cache.shows(revision);
    context.enqueue(key);
    return { count: pendingPrune.count ?? 0 };
  });
}

function notFound(namespace: string, name: string) {
  return terminal('NotFound', `there is no GitSource ${name} in the project ${namespace}`);
}
