/** Live things without an object: only the record of its owner's deletion allows a thing to be removed. */
import type { LiveThing } from '@plumb/schemas';
import type { HostLive } from '../../fleet/fleet.ts';
import { keys } from '../../store/keys.ts';
import type { Context } from '../controller.ts';

export interface Unowned {
  /** Nobody knows them: reported, never touched. An empty or restored store destroys nothing. */
  orphans: LiveThing[];
  /** The store holds the deletion record of their owner. */
  removable: LiveThing[];
}

export async function orphansOn(context: Context, host: HostLive): Promise<Unowned> {
  const result: Unowned = { orphans: [], removable: [] };
  const deleted = new Map<string, boolean>();
  for (const owner of [...host.owners()]) {
    if (isKnown(context, owner)) continue;
    deleted.set(owner, (await context.store.get(keys.deleted(owner))) !== undefined);
  }
  if (deleted.size === 0) return result;
  for (const thing of host.things.values()) {
    const gone = deleted.get(thing.owner);
    // The object may have arrived while the store was asked.
    if (gone === undefined || isKnown(context, thing.owner)) continue;
    // A clone needs its file: it goes when the last instance that was made of it does.
    if (gone && thing.kind === 'image' && hasClone(host, thing.id)) continue; // guard: file of a deleted image removed under its clones
    (gone ? result.removable : result.orphans).push(thing);
  }
  return result;
}

function hasClone({ things }: HostLive, imageId: string): boolean {
  for (const thing of things.values()) if (thing.kind === 'disk' && thing.spec.image === imageId) return true;
  return false;
}

function isKnown(context: Context, uid: string): boolean {
  return context.cache.isOwner(uid) || context.journal.knows(uid);
}
