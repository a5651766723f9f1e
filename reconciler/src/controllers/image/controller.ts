/** Image: fetched and checked on one host before it is Ready; removed from every host that no longer needs it. */
import { type Image, type LiveThing, retryable, shownUrl } from '@plumb/schemas';
import { imageThing } from '../../plan/network-things.ts';
import type { Cached } from '../../runtime/cache.ts';
import { findCondition, isReady } from '../../runtime/conditions.ts';
import type { Again, Context, Controller } from '../controller.ts';
import { converge, type HostSteps } from '../converge.ts';
import { guarded } from '../guarded.ts';
import { referrerNames } from '../references.ts';
import { conditionsTo, deletionBlocked, depart, failedStatus, readyStatus, writeStatus } from '../status.ts';

export function imageController(context: Context): Controller {
  const clean = new Map<string, Clean>();
  return {
    name: 'image',
    kind: 'Image',
    inputs: ['Image', 'live images and disks', 'connected hosts'],
    outputs: ['Image.status', 'images on hosts'],
    concurrency: 16,
    async reconcile(key: string): Promise<Again | undefined> {
      const cached = context.cache.get<Image>(key);
      if (!cached) return undefined;
      return guarded(context, cached, async () => {
        if (cached.object.metadata.deletionTimestamp) {
          clean.delete(cached.object.metadata.uid);
          return remove(context, cached);
        }
        await verify(context, cached);
        await removeOthers(context, cached, clean);
        return undefined;
      });
    },
  };
}

/**
 * Ready means: a host has fetched it and found the sum right. While there is no host, nobody can know yet. What was
 * checked stays checked, whichever hosts come and go, until another file is declared.
 */
async function verify(context: Context, cached: Cached<Image>): Promise<void> {
  if (isReady(cached.object) && findCondition(cached.object, 'Ready')?.reason === 'Verified') return;
  const { uid } = cached.object.metadata;
  const { sha256 } = cached.object.spec;
  const on = whereWhole(context, uid, sha256);
  const host = on ?? firstUsableHost(context);
  if (host === undefined) {
    await writeStatus(context, cached, (status, object) =>
      readyStatus(
        context,
        status,
        object,
        'Unverified',
        'no host has fetched it yet; the first that connects checks it',
      ),
    );
    return;
  }
  if (!on) {
    const cancelProgress = context.ambient.clock.after(1000, () => void announce(context, cached, host));
    try {
      await converge(context, uid, cached.revision, [{ host, live: undefined, desired: imageThing(cached.object) }]);
    } finally {
      cancelProgress();
    }
  }
  const latest = context.cache.get(cached.key) ?? cached;
  await writeStatus(context, latest, (status, object) =>
    readyStatus(context, status, object, 'Verified', `its sum was checked on host ${host}`),
  );
}

/** A host that has the file as it was made. */
function whereWhole(context: Context, uid: string, sha256: string): string | undefined {
  for (const { host, thing } of context.fleet.ownedBy(uid))
    if (thing.id === sha256 && thing.drift.length === 0) return host;
  return undefined;
}

async function announce(context: Context, cached: Cached<Image>, host: string): Promise<void> {
  const message = `host ${host} fetches ${shownUrl(cached.object.spec.url)}`;
  const latest = context.cache.get(cached.key);
  if (!latest) return;
  await writeStatus(context, latest, (status, object) =>
    conditionsTo(
      context,
      status,
      object,
      [{ type: 'Ready', status: 'False', reason: 'Fetching', message }],
      ['Stalled'],
    ),
  ).catch(() => undefined); // only a word on progress: the result is written, and its failure reported, in any case
}

/** The first connected host by name whose Host object is declared and not on its way out. */
function firstUsableHost(context: Context): string | undefined {
  const names = [...context.cache.list('hosts')]
    .filter(({ object }) => !object.metadata.deletionTimestamp && context.liveness.connected(object.metadata.name))
    .map(({ object }) => object.metadata.name);
  return names.sort()[0];
}

/** What lived for an image when all of it was the file with this sum. */
interface Clean {
  sha256: string;
  /** As `OwnedLive` has it. */
  version: number;
}

/**
 * Removes files that the image once was. It is looked at in every burst of creates, and may be on tens of thousands of
 * hosts: they are walked through only when something changed there.
 */
async function removeOthers(context: Context, cached: Cached<Image>, clean: Map<string, Clean>): Promise<void> {
  const { uid } = cached.object.metadata;
  const { sha256 } = cached.object.spec;
  const version = context.fleet.owned(uid)?.version ?? 0;
  const before = clean.get(uid);
  if (before?.version === version && before.sha256 === sha256) return;
  let others = 0;
  await removeUnused(context, cached, (thing) => {
    if (thing.id === sha256) return false;
    others++;
    return true;
  });
  if (others === 0) clean.set(uid, { sha256, version });
}

/** Removes the image's files, where `unwanted` says so, from connected hosts on which no disk is a clone of them. */
async function removeUnused(
  context: Context,
  cached: Cached<Image>,
  unwanted: (thing: LiveThing) => boolean,
): Promise<void> {
  const { uid } = cached.object.metadata;
  const wanted: HostSteps = [];
  for (const { host, thing } of context.fleet.ownedBy(uid))
    if (unwanted(thing) && !hasClone(context, host, thing.id) && !context.holdings.usesImage(host, thing.id))
      wanted.push({ host, live: thing, desired: undefined });
  await converge(context, uid, cached.revision, wanted);
}

function hasClone(context: Context, host: string, imageId: string): boolean {
  for (const thing of context.fleet.host(host)?.things.values() ?? [])
    if (thing.kind === 'disk' && thing.spec.image === imageId) return true;
  return false;
}

async function remove(context: Context, cached: Cached<Image>): Promise<Again | undefined> {
  const blockers = referrerNames(context, cached);
  if (blockers.length > 0) {
    await writeStatus(context, cached, (s, o) => failedStatus(context, s, o, deletionBlocked(blockers)));
    await removeUnused(context, cached, (thing) => thing.id !== cached.object.spec.sha256);
    return undefined;
  }
  await removeUnused(context, cached, () => true);
  const left = [...context.fleet.ownedBy(cached.object.metadata.uid)].filter(({ host }) =>
    context.liveness.connected(host),
  );
  if (left.length > 0) throw retryable('Removing', `its file is still on ${left.map((l) => l.host).join(', ')}`);
  await depart(context, cached);
  return undefined;
}
