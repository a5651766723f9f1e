/** A person's word that a host is off: what ran there may go on elsewhere, or be deleted, without the host's confirming anything. */

import { type Host, terminal } from '@plumb/schemas';
import { timestamp } from '@plumb/schemas/meta/timestamp.ts';
import { findCredential, removal } from '../../fleet/credentials.ts';
import type { Cached } from '../../runtime/cache.ts';
import { keys } from '../../store/keys.ts';
import type { Context } from '../controller.ts';
import { fencedError } from '../restriction.ts';
import { failedStatus, retryOnConflict, writeStatus } from '../status.ts';

export interface Fenced {
  host: string;
  /** Instances that hold something there. */
  instances: number;
}

/**
 * `by`: who says so. `evict`: an agent that speaks for the host all the same is not believed: its credential is void, and only a
 * person lets one in again. Throws PlumbError `NotFound` or `HostConnected` (terminal).
 */
export async function fenceHost(context: Context, name: string, by: string, evict = false): Promise<Fenced> {
  const { read, fleet, ambient, holdings, enqueue } = context;
  const key = keys.object('hosts', undefined, name);
  const cached = read.get<Host>(key);
  if (cached === undefined) throw terminal('NotFound', `there is no host ${JSON.stringify(name)}: plumb get hosts`);
  if (evict) await takeCredential(context, name);
  const at = timestamp(ambient.clock.now());
  await writeStatus(context, cached as Cached, (status, object) => {
    // It may come back while this is written.
    if (fleet.host(name)?.connected || fleet.isTelling(name))
      throw terminal(
        'HostConnected',
        `an agent is connected as host ${name}, so the host is not off: switch it off, wait until plumb get hosts shows it as not connected, and fence it again. If the machine is off and another one uses its credential: plumb host fence ${name} --confirmed-off --evict, after which only plumb host readmit lets an agent in as ${name}`,
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
    const holder = read.byUid(uid);
    if (holder) enqueue(holder.key);
  }
  return { host: name, instances: held.length };
}

/** A session ends as soon as its credential is void. */
const ENDS_WITHIN_MS = 10_000;

/** Resolves when no agent speaks for the host any more, and none can. */
async function takeCredential({ store, ambient, fleet }: Context, name: string): Promise<void> {
  const { clock } = ambient;
  await retryOnConflict(async () => {
    const batch = removal(name, await findCredential(store, name), clock.now(), true);
    if (batch.ops.length > 0) await store.commit(batch);
  });
  const isGone = () => !fleet.host(name)?.connected && !fleet.isTelling(name);
  if (isGone()) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const endListening = fleet.onChange(() => isGone() && resolve());
  const stop = clock.after(ENDS_WITHIN_MS, resolve);
  await promise;
  endListening();
  stop();
}
