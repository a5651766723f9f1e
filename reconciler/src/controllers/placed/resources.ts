/** All that an object is to have of its own on its host: what its kind wants, and what others contribute. */
import type { HostResource, PlumbObject } from '@plumb/schemas';
import type { Held } from '../../plan/holding.ts';
import type { Cached } from '../../runtime/cache.ts';
import { contributionsTo } from '../contributor.ts';
import type { PlacedContext, Resolved } from './placed-kind.ts';
import type { Live } from './shared.ts';

export interface OwnResources {
  readonly own: readonly HostResource[];
  /** The objects by which those who provide what is shared know how it is to be. */
  readonly used: readonly Cached[];
}

/** `live`: as of `PlacedKind.resources`. */
export function resourcesOf(
  context: PlacedContext,
  object: PlumbObject,
  held: Held,
  resolved: Resolved,
  live: Live,
): OwnResources {
  const own = context.placed.resources(object, held, resolved, live);
  const { resources, used } = contributionsTo(context, object, own);
  if (resources.length === 0) return { own, used: resolved.used };
  return { own: [...own, ...resources], used: [...resolved.used, ...used] };
}
