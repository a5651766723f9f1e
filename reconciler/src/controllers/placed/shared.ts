/** What the resources of an object stand on that many share: found by what their types require, made by who provides it. */
import { type HostResource, type LiveResource, resourceKey, resourceTypes } from '@plumb/schemas';
import type { Cached } from '../../runtime/cache.ts';
import type { Context } from '../controller.ts';

export type Live = Pick<ReadonlyMap<string, LiveResource>, 'get'>;

/**
 * The shared resources that are missing on the host, or broken there, as it is to have them, and all that these stand on. What is there
 * and whole its own controller keeps. `live`: what lives there.
 */
export function missingShared(
  context: Context,
  host: string,
  own: readonly HostResource[],
  live: Live,
  used: readonly Cached[],
): HostResource[] {
  const missing = new Map<string, HostResource>();
  const close = (resource: HostResource) => {
    // Data that is there stands by itself: what it was made from would be made for nothing.
    if (resourceTypes.holdsData(resource.kind) && live.get(resourceKey(resource))) return;
    for (const { kind, id } of resourceTypes.requirements(resource)) {
      const key = `${kind}/${id}`;
      if (!resourceTypes.isShared(kind) || missing.has(key) || live.get(key)?.drift.length === 0) continue;
      const provided = context.providers.get(kind)?.provide(context, id, host, used);
      if (provided === undefined) continue;
      missing.set(key, provided);
      close(provided);
    }
  };
  for (const resource of own) close(resource);
  return [...missing.values()];
}
