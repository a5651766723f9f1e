/** A person's word that a host is off: what ran there may go on elsewhere, or be deleted, without the host's confirming anything. */
import { type Host, terminal } from '@plumb/schemas';
import type { Cached } from '../../runtime/cache.ts';
import { keys } from '../../store/keys.ts';
import type { Context } from '../controller.ts';
import { fencedError } from '../restriction.ts';
import { failedStatus, writeStatus } from '../status.ts';

export interface Fenced {
  host: string;
  /** Instances that hold something there. */
  instances: number;
}

/** `by`: who says so. Throws PlumbError `NotFound` or `HostConnected` (terminal). */
export async function fenceHost(context: Context, name: string, by: string): Promise<Fenced> {
  const { cache, fleet, ambient, holdings, enqueue } = context;
  const key = keys.object('hosts', undefined, name);
  const cached = cache.get<Host>(key);
  if (cached === undefined) throw terminal('NotFound', `there is no host ${JSON.stringify(name)}`);
  const at = `${new Date(ambient.clock.now()).toISOString().slice(0, -'.000Z'.length)}Z`;
  await writeStatus(context, cached as Cached, (status, object) => {
    // It may come back while this is written.
    if (fleet.host(name)?.connected || fleet.isTelling(name))
      throw terminal(
        'HostConnected',
        `host ${name} is connected, so it is not off: switch it off, wait until it counts as gone, and say it again`,
      );
    const fenced = { at, by };
    const next = { ...status, fenced } as Host['status'];
    return failedStatus(context, next!, object, fencedError({ ...(object as Host), status: next }));
  });
  context.events.record({
    object: cached.object,
    type: 'Warning',
    reason: 'Fenced',
    message: `${by} said that host ${name} is off: what ran there may go on elsewhere or be deleted`,
  });
  const held = holdings.on(name);
  enqueue(key);
  for (const uid of held) {
    const holder = cache.byUid(uid);
    if (holder) enqueue(holder.key);
  }
  return { host: name, instances: held.length };
}
