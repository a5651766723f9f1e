/**
 * Objects that cannot be understood. Nothing is done for them, until they are mended or deleted. To delete one takes no
 * understanding of its spec: what lives under its uid goes from its hosts, what its uid holds is freed, then the object goes.
 */
import { retryable } from '@plumb/schemas';
import { findCredential, removal } from '../fleet/credentials.ts';
import type { Cached } from '../runtime/cache.ts';
import type { SetAside } from '../runtime/poisoned.ts';
import type { Again, Context } from './controller.ts';
import { converge } from './converge.ts';
import { leftBehindOn } from './left-behind.ts';
import { removeAside } from './placed/aside.ts';
import { placedOf } from './placed/placed-kind.ts';
import { nameOf, referrerNames } from './references.ts';
import { stillOn } from './remove-everywhere.ts';
import { deletionBlocked, departure } from './status.ts';

/** What is to be done for an object that was set aside: nothing, unless it is being deleted. */
export async function lookAtSetAside(context: Context, aside: SetAside): Promise<Again | undefined> {
  const { key, kind, revision, rest, uid } = aside;
  if (rest.metadata.deletionTimestamp === undefined) return undefined;
  if (uid === undefined) return forget(context, aside);
  const cached: Cached = { key, kind, object: rest, revision };
  const placed = placedOf(context, kind);
  if (placed) return removeAside(context, placed, cached);
  const special = context.kinds.find((module) => module.kind === kind)?.aside;
  const blockers = [...referrerNames(context, cached), ...usersOf(context, cached)].sort();
  if (blockers.length > 0) throw deletionBlocked(blockers);
  await removeLive(context, cached);
  await special?.end?.(context, uid);
  await letGo(context, cached);
  return undefined;
}

/** Nothing lives under a uid that is none, or that is another's: the record goes, and no trace of it is kept. */
async function forget({ store }: Context, { key, revision }: SetAside): Promise<undefined> {
  await store.commit({ preconditions: [{ key, revision }], ops: [{ type: 'delete', key }] });
}

/** Instances that hold something of it, for which a reference in a spec is not all that counts. */
function usersOf(context: Context, { kind, object }: Cached): string[] {
  const { name, uid } = object.metadata;
  if (kind.kind === 'Host') return context.holdings.on(name).map((holder) => nameOf(context, holder));
  if (kind.kind !== 'L3Network') return [];
  return Array.from(context.holdings.hostsOfNetwork(uid), (host) => `instances on host ${host}`);
}

async function removeLive(context: Context, { key, object, revision }: Cached): Promise<void> {
  const { uid } = object.metadata;
  const live = () => [...context.fleet.ownedBy(uid)].filter(({ host }) => context.liveness.connected(host));
  const stragglers = await converge(
    context,
    { owner: uid, key, fence: revision },
    live().map(({ host, resource }) => ({ host, live: resource, desired: undefined })),
  );
  const left = live();
  const hosts = left.map(({ host }) => host);
  if (left.length > 0) throw retryable('Removing', stillOn('something of it', hosts, stragglers));
}

async function letGo(context: Context, cached: Cached): Promise<void> {
  const { kind, object } = cached;
  const { name, uid } = object.metadata;
  const now = context.ambient.clock.now();
  const credential = kind.kind === 'Host' ? removal(name, await findCredential(context.store, name), now) : undefined;
  const { revision } = await context.lane.submit((index) => {
    index.releaseAll(uid);
    if (credential) index.forgetHost(name);
    const { preconditions, ops } = departure(cached, now, undefined, leftBehindOn(context, uid));
    return {
      preconditions: [...preconditions, ...(credential?.preconditions ?? [])],
      ops: [...ops, ...(credential?.ops ?? [])],
      result: undefined,
    };
  });
  await context.cache.shows(revision);
}
