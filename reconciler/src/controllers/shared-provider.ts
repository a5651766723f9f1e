/**
 * What many objects share on a host: a bridge, a subnet, an image. The kind whose it is says how a host is to have it; who needs it
 * says only which one, by what its own resources require. So no kind makes what another declares.
 */
import type { HostResource, PlumbObject } from '@plumb/schemas';
import type { Cached } from '../runtime/cache.ts';
import type { Context } from './controller.ts';

export interface SharedProvider {
  readonly type: HostResource['kind'];
  /**
   * The resource with this id as the host is to have it, by the objects that who needs it has read. Undefined when none of them is it,
   * or it cannot be made yet.
   */
  provide(context: Context, id: string, host: string, used: readonly Cached[]): HostResource | undefined;
}

/** By type of resource. */
export type SharedProviders = ReadonlyMap<string, SharedProvider>;

/** The object of this kind with this uid. */
export function findUsed(used: readonly Cached[], kind: PlumbObject['kind'], uid: string): Cached | undefined {
  return used.find(({ object }) => object.metadata.uid === uid && object.kind === kind);
}
