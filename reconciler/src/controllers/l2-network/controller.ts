/** L2Network: keeps its bridge on the hosts that use it, with the right peers, and only there. */
import type { HostResource, L2Network, Zone } from '@plumb/schemas';
import type { Cached } from '../../runtime/cache.ts';
import { findCondition } from '../../runtime/conditions.ts';
import type { Again, Context, Controller } from '../controller.ts';
import { convergeOrDegrade, type HostSteps, isNeeded } from '../converge.ts';
import { guarded } from '../guarded.ts';
import { mustBeReady, referrerNames, resolve } from '../references.ts';
import { removeEverywhere } from '../remove-everywhere.ts';
import { deletionBlocked, depart, failedStatus, readyStatus, writeStatus } from '../status.ts';
import { hostsOf, tunnelPeers } from './peers.ts';
import { bridgeResource } from './resources.ts';

export function l2NetworkController(context: Context): Controller {
  return {
    name: 'l2-network',
    concurrency: 16,
    async reconcile(key: string): Promise<Again | undefined> {
      const cached = context.read.get<L2Network>(key);
      if (!cached) return undefined;
      return guarded(context, cached, async () => {
        if (cached.object.metadata.deletionTimestamp) return remove(context, cached);
        const newUse = findCondition(cached.object, 'Ready')?.status !== 'True';
        const zone = resolve<Zone>(context, cached.object, 'spec.zone', 'Zone', cached.object.spec.zone, { newUse });
        if (newUse) mustBeReady('spec.zone', zone);
        await writeStatus(context, cached, (status, object) =>
          readyStatus(context, status, object, 'Declared', 'L3 networks can be put on it'),
        );
        return convergeOrDegrade(context, cached, steps(context, cached));
      });
    },
  };
}

function steps(context: Context, cached: Cached<L2Network>): HostSteps {
  const { object } = cached;
  const used = hostsOf(context, cached.key);
  const desired = bridgeOn(context, cached);
  const result: HostSteps = [];
  for (const { host, resource } of context.fleet.ownedBy(object.metadata.uid)) {
    if (used.has(host)) result.push({ host, live: resource, desired: desired(host) });
    else if (!isNeeded(context, host, 'bridge', object.metadata.uid))
      result.push({ host, live: resource, desired: undefined });
  }
  return result;
}

/** The bridge as a host should have it: only with tunnels does that differ from host to host. */
function bridgeOn(context: Context, { key, object }: Cached<L2Network>): (host: string) => HostResource<'bridge'> {
  if (object.spec.type === 'vxlan') {
    const peers = tunnelPeers(context, key);
    return (host) => bridgeResource(object, peers(host));
  }
  const bridge = bridgeResource(object, []);
  return () => bridge;
}

async function remove(context: Context, cached: Cached<L2Network>): Promise<Again | undefined> {
  const { uid } = cached.object.metadata;
  const blockers = referrerNames(context, cached);
  if (blockers.length > 0) {
    await writeStatus(context, cached, (s, o) => failedStatus(context, s, o, deletionBlocked(blockers)));
    return convergeOrDegrade(context, cached, steps(context, cached));
  }
  await removeEverywhere(context, cached, 'its bridge');
  context.drifts.take(uid);
  await depart(context, cached);
  return undefined;
}
