/** Files of images leave the hosts that no longer need them. */
import { type Image, type LiveResource, PlumbError } from '@plumb/schemas';
import type { Cached } from '../../runtime/cache.ts';
import type { Again, Context } from '../controller.ts';
import { converge, type HostSteps } from '../converge.ts';
import { referrerNames } from '../references.ts';
import { awaitRemoval } from '../remove-everywhere.ts';
import { deletionBlocked, depart, failedStatus, writeStatus } from '../status.ts';
import type { Straggler } from '../unanswered.ts';
import { heirOf } from './heirs.ts';

/** What lived for an image when all of it was the file with this sum. */
export interface Clean {
  sha256: string;
  /** As `OwnedLive` has it. */
  version: number;
}

/**
 * Removes files that the image once was. It is looked at in every burst of creates, and may be on tens of thousands of
 * hosts: they are walked through only when something changed there.
 */
export async function removeOthers(context: Context, cached: Cached<Image>, clean: Map<string, Clean>): Promise<void> {
  const { uid } = cached.object.metadata;
  const { sha256 } = cached.object.spec;
  const version = context.fleet.owned(uid)?.version ?? 0;
  const before = clean.get(uid);
  if (before?.version === version && before.sha256 === sha256) return;
  let others = 0;
  await removeUnused(context, cached, (resource) => {
    if (resource.id === sha256) return false;
    others++;
    return true;
  });
  if (others === 0) clean.set(uid, { sha256, version });
}

export async function removeImage(context: Context, cached: Cached<Image>): Promise<Again | undefined> {
  const blockers = referrerNames(context, cached);
  if (blockers.length > 0) {
    await writeStatus(context, cached, (s, o) => failedStatus(context, s, o, deletionBlocked(blockers)));
    await removeUnused(context, cached, (resource) => resource.id !== cached.object.spec.sha256);
    return undefined;
  }
  let stragglers: Straggler[] = [];
  let failure: PlumbError | undefined;
  try {
    stragglers = await removeUnused(context, cached, () => true);
  } catch (thrown) {
    failure = PlumbError.from(thrown, cached.key);
  }
  await awaitRemoval(context, cached, 'its file', stragglers, failure);
  await depart(context, cached);
  return undefined;
}

/**
 * Removes the image's files, where `unwanted` says so, from connected hosts on which no disk is a clone of them. What
 * another Image is as well becomes that one's, and stays.
 */
async function removeUnused(
  context: Context,
  cached: Cached<Image>,
  unwanted: (resource: LiveResource) => boolean,
): Promise<Straggler[]> {
  const { uid, deletionTimestamp } = cached.object.metadata;
  const wanted: HostSteps = [];
  const heirs = new Map<string, ReturnType<typeof heirOf>>();
  for (const { host, resource } of context.fleet.ownedBy(uid)) {
    if (!unwanted(resource)) continue;
    if (!heirs.has(resource.id)) heirs.set(resource.id, heirOf(context, resource.id, uid));
    const heir = heirs.get(resource.id);
    // Else deleting one image would take the file from under another.
    if (heir) wanted.push({ host, live: undefined, desired: heir });
    else if (!hasClone(context, host, resource.id) && !context.holdings.usesImage(host, resource.id))
      wanted.push({ host, live: resource, desired: undefined });
  }
  const isLast = deletionTimestamp !== undefined;
  return converge(context, { owner: uid, key: cached.key, fence: cached.revision, isLast }, wanted);
}

function hasClone(context: Context, host: string, imageId: string): boolean {
  for (const resource of context.fleet.host(host)?.resources.values() ?? [])
    if (resource.kind === 'disk' && resource.spec.image === imageId) return true;
  return false;
}
