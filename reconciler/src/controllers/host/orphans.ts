/**
 * Live resources that nothing on the host is for. Without an object, only the record of its owner's deletion allows a resource to be
 * removed; of an instance that holds nothing here what lives may go when it has its disk where it belongs.
 */
import { type Host, type LiveResource, type OpaqueResource, resourceTypes } from '@plumb/schemas';
import type { HostLive } from '../../fleet/fleet.ts';
import { keys } from '../../store/keys.ts';
import type { Context } from '../controller.ts';
import { settledOn } from '../placed/applied.ts';
import { placedOf } from '../placed/placed-kind.ts';

export interface Unowned {
  /** Nobody knows them: reported, never touched. An empty or restored store destroys nothing. */
  orphans: LiveResource[];
  /** The store holds the deletion record of their owner, or their instance lives elsewhere. */
  removable: LiveResource[];
  /** Those of instances that live elsewhere, though not all may go yet. */
  misplaced: LiveResource[];
  /** Those of them that stay. */
  kept: LiveResource[];
  /** Of types that are not known here: reported, and removed by a person alone. */
  opaque: OpaqueResource[];
  /** Whether what the store said a moment ago was taken for what it says now: to be looked at again. */
  remembered: boolean;
}

/**
 * Owners of which the store had no deletion record, and when it was asked: a host may name tens of thousands that are none, and change
 * something of them all the time.
 */
const asked = new WeakMap<HostLive, Map<string, number>>();

/** So long it is taken for true that the owner has no deletion record. */
export const REMEMBERED_MS = 30_000;

export async function orphansOn(context: Context, host: HostLive): Promise<Unowned> {
  const result: Unowned = {
    orphans: [],
    removable: [],
    misplaced: [],
    kept: [],
    opaque: [...host.opaque.values()],
    remembered: false,
  };
  const now = context.ambient.clock.now();
  const before = asked.get(host);
  const unrecorded = new Map<string, number>();
  const elsewhere = new Set<string>();
  const deleted = new Map<string, boolean>();
  for (const owner of [...host.owners()]) {
    if (isKnown(context, owner)) {
      if (isElsewhere(context, owner, host.name)) elsewhere.add(owner); // guard: what went on elsewhere is gone from a host that is back
      continue;
    }
    const at = before?.get(owner);
    // A wall clock may be put back: what was asked later than now was not asked.
    if (at !== undefined && at <= now && now - at < REMEMBERED_MS) {
      unrecorded.set(owner, at);
      deleted.set(owner, false);
      result.remembered = true;
      continue;
    }
    const isDeleted = (await context.store.get(keys.deleted(owner))) !== undefined;
    if (!isDeleted) unrecorded.set(owner, now);
    deleted.set(owner, isDeleted);
  }
  if (unrecorded.size > 0) asked.set(host, unrecorded);
  else asked.delete(host);
  if (deleted.size === 0 && elsewhere.size === 0) return result;
  for (const resource of host.resources.values()) {
    if (elsewhere.has(resource.owner) && !resourceTypes.isShared(resource.kind)) {
      result.misplaced.push(resource);
      (mayGo(context, host.name, resource) ? result.removable : result.kept).push(resource);
      continue;
    }
    const gone = deleted.get(resource.owner);
    // The object may have arrived while the store was asked.
    if (gone === undefined || isKnown(context, resource.owner)) continue;
    // A clone needs its file: it goes when the last instance that was made of it does.
    if (gone && resource.kind === 'image' && hasClone(host, resource.id)) continue; // guard: file of a deleted image removed under its clones
    (gone ? result.removable : result.orphans).push(resource);
  }
  return result;
}

/** Whether the object is settled on another host and holds nothing here: what lives here for it is of an earlier time, or a claim. */
function isElsewhere(context: Context, uid: string, host: string): boolean {
  const { read, holdings, journal } = context;
  if (holdings.hostsOf(uid).has(host)) return false;
  const cached = read.byUid(uid);
  if (!cached || !placedOf(context, cached.kind) || journal.unreadable(uid)) return false;
  const settled = settledOn(cached.object);
  return settled !== undefined && settled !== host;
}

/**
 * Data goes when the object has its own where it belongs and may lose what is here, or a person said that this host is off;
 * what holds none goes at once, so that nothing runs twice. Where the host that its status names has no data of it, nothing of
 * it can run there: the status may be what is wrong.
 */
function mayGo(context: Context, here: string, { owner, kind }: LiveResource): boolean {
  const { read, fleet } = context;
  const isData = resourceTypes.holdsData(kind);
  const cached = read.byUid(owner);
  const placed = cached && placedOf(context, cached.kind);
  const held = placed?.holding.settled(cached?.object.status);
  const there = held && fleet.host(held.host);
  if (!cached || !placed || !held || there?.connected !== true) return !isData;
  for (const ref of placed.made(owner, held))
    if (resourceTypes.holdsData(ref.kind) && !there.resources.has(`${ref.kind}/${ref.id}`)) return false;
  return !isData || placed.whyWait?.(cached.object) === undefined || isFenced(context, here);
}

function isFenced({ read }: Context, host: string): boolean {
  return read.get<Host>(keys.object('hosts', undefined, host))?.object.status?.fenced !== undefined;
}

function hasClone({ resources }: HostLive, imageId: string): boolean {
  for (const resource of resources.values())
    if (resource.kind === 'disk' && resource.spec.image === imageId) return true;
  return false;
}

function isKnown(context: Context, uid: string): boolean {
  return context.cache.isOwner(uid) || context.journal.knows(uid);
}
