/** A person has something removed from a host that is there for no object, or of a type that is not known here. */
import { type HostResource, resourceKey, resourceTypes, terminal } from '@plumb/schemas';
import { keys } from '../../store/keys.ts';
import type { Context } from '../controller.ts';
import { nameOf } from '../references.ts';
import { orphansOn } from './orphans.ts';

export interface OrphanRemoval {
  host: string;
  kind: string;
  id: string;
  /** A person's word that what it holds may be lost. */
  allowDataLoss: boolean;
}

/**
 * Resolves when the host has removed it. Throws PlumbError `NotFound`, `InUse`, `DataLoss` (terminal), `HostNotConnected` (retry), and
 * what the host says. `by`: who wants it.
 */
export async function removeOrphan(context: Context, wanted: OrphanRemoval, by: string): Promise<void> {
  const { host, allowDataLoss } = wanted;
  const cached = context.read.get(keys.object('hosts', undefined, host));
  const live = context.fleet.host(host);
  if (cached === undefined || live === undefined)
    throw terminal('NotFound', `there is no host ${JSON.stringify(host)}: plumb get hosts`);
  const { orphans, opaque } = await orphansOn(context, live);
  const key = resourceKey(wanted);
  const found = [...orphans, ...opaque].find((each) => resourceKey(each) === key);
  if (found === undefined) {
    const owned = live.resources.get(key);
    if (owned === undefined)
      throw terminal('NotFound', `there is no ${key} on host ${host}: plumb orphans list ${host}`);
    throw terminal(
      'InUse',
      `${key} on host ${host} is no orphan: it belongs to ${nameOf(context, owned.owner)}, which is declared or was deleted just now`,
    );
  }
  if (!allowDataLoss && (resourceTypes.holdsData(found.kind) || !resourceTypes.has(found.kind)))
    throw terminal(
      'DataLoss',
      `${key} on host ${host} ${resourceTypes.has(found.kind) ? 'holds data' : 'is of a type that is not known here, and may hold data'}, which would be lost: allow that (--allow-data-loss), or look at it on the host first`,
    );
  const [outcome] = await context.fleet.send(host, {
    owner: found.owner,
    fence: context.store.revision(),
    // Of what is to be removed the identity alone is sent.
    steps: [{ id: `remove ${key}`, verb: 'remove', resource: { ...found, spec: {} } as HostResource }],
  });
  if (outcome?.error) throw outcome.error;
  const message = `${by} had ${key} removed from host ${host}: it belonged to no object, or was of a type that is not known here`;
  context.events.record({ object: cached.object, type: 'Normal', reason: 'OrphanRemoved', message });
  context.enqueue(cached.key);
}
