/** L3Network: checks the subnet, gives DHCP its address, keeps the subnet on the hosts that use it, and only there. */
import { type L2Network, type L3Network, objectName, retryable } from '@plumb/schemas';
import { parseSubnet } from '../../plan/addressing.ts';
import { ADDRESS } from '../../plan/allocation.ts';
import type { Cached } from '../../runtime/cache.ts';
import type { Again, Context, Controller } from '../controller.ts';
import { convergeOrDegrade, type HostSteps, isNeeded } from '../converge.ts';
import { guarded } from '../guarded.ts';
import { leftBehindOn } from '../left-behind.ts';
import { mustBeReady, referrerNames, resolve } from '../references.ts';
import { removeEverywhere } from '../remove-everywhere.ts';
import {
  conditionsTo,
  deletionBlocked,
  departure,
  failedStatus,
  readFresh,
  readyStatus,
  retryOnConflict,
  type Status,
  statusBatch,
  writeStatus,
} from '../status.ts';
import { dhcpAddressFor, sharedAddress } from './dhcp-address.ts';
import { subnetResource } from './resources.ts';

export function l3NetworkController(context: Context): Controller {
  return {
    name: 'l3-network',
    concurrency: 16,
    async reconcile(key: string): Promise<Again | undefined> {
      const cached = context.read.get<L3Network>(key);
      if (!cached) return undefined;
      if (cached.object.metadata.deletionTimestamp) return remove(context, cached);
      return guarded(context, cached, async () => {
        const { object } = cached;
        const newUse = object.status?.dhcpAddress === undefined;
        const l2 = resolve<L2Network>(context, object, 'spec.l2Network', 'L2Network', object.spec.l2Network, {
          newUse,
        });
        if (newUse) mustBeReady('spec.l2Network', l2);
        const subnet = parseSubnet(objectName(object.metadata), object.spec.ipv4);
        const dhcpAddress = await ensureDhcpAddress(context, cached, l2.object, subnet.name);
        return convergeOrDegrade(context, cached, steps(context, cached, l2.object, dhcpAddress));
      });
    },
  };
}

/** The gateway itself where every host answers for it; else an address of the subnet that is taken once and kept. */
async function ensureDhcpAddress(
  context: Context,
  cached: Cached<L3Network>,
  l2: L2Network,
  name: string,
): Promise<string> {
  const shared = sharedAddress(cached.object, l2);
  const address = await retryOnConflict(async (attempt) => {
    const current = (attempt === 0 ? cached : await readFresh(context, cached)) as Cached<L3Network> | undefined;
    if (!current) throw retryable('Gone', `L3Network ${name} went while it was reconciled`);
    const held = current.object.status?.dhcpAddress;
    if (held !== undefined && (shared === undefined || held === shared)) return held;
    const { result, revision } = await context.lane.submit((index) => {
      const free = dhcpAddressFor(cached.object, l2, index);
      const status = conditionsTo(context, { ...current.object.status, dhcpAddress: free }, current.object, [], []);
      return { ...statusBatch(current, status), result: free };
    });
    await context.cache.shows(revision);
    return result;
  });
  const latest = context.read.get(cached.key) ?? cached;
  await writeStatus(context, latest, (status, object) =>
    readyStatus(context, status, object, 'Declared', `instances can be attached; DHCP answers from ${address}`),
  );
  return address;
}

function steps(context: Context, cached: Cached<L3Network>, l2: L2Network, dhcpAddress: string): HostSteps {
  const { uid } = cached.object.metadata;
  const desired = subnetResource(cached.object, l2, dhcpAddress);
  const result: HostSteps = [];
  for (const { host, resource } of context.fleet.ownedBy(uid)) {
    const isUsed = context.holdings.usesNetwork(host, uid) || isNeeded(context, host, 'subnet', uid);
    result.push({ host, live: resource, desired: isUsed ? desired : undefined });
  }
  return result;
}

/** The subnets on hosts where nobody is on the network any more. */
function unused(context: Context, uid: string): HostSteps {
  return [...context.fleet.ownedBy(uid)]
    .filter(({ host }) => !context.holdings.usesNetwork(host, uid) && !isNeeded(context, host, 'subnet', uid))
    .map(({ host, resource }) => ({ host, live: resource, desired: undefined }));
}

async function remove(context: Context, cached: Cached<L3Network>): Promise<Again | undefined> {
  const { uid } = cached.object.metadata;
  const blockers = referrerNames(context, cached);
  return guarded(context, cached, async () => {
    if (blockers.length > 0) {
      await writeStatus(context, cached, (s, o) => failedStatus(context, s, o, deletionBlocked(blockers)));
      return convergeOrDegrade(context, cached, unused(context, uid));
    }
    const held = [...context.holdings.hostsOfNetwork(uid)].sort();
    if (held.length > 0) {
      await convergeOrDegrade(context, cached, unused(context, uid));
      throw retryable(
        'DeletionBlocked',
        `is deleted when no instance holds an address on it: some do on ${held.join(', ')}`,
      );
    }
    context.drifts.take(uid);
    await removeEverywhere(context, cached, 'its subnet');
    await retryOnConflict(async (attempt) => {
      const current = (attempt === 0 ? cached : await readFresh(context, cached)) as Cached<L3Network> | undefined;
      if (!current || departure(current, context.ambient.clock.now(), withoutAddress).ops.length === 0) return;
      const { revision } = await context.lane.submit((index) => {
        const held = current.object.status?.dhcpAddress;
        if (held !== undefined) index.giveBack(ADDRESS, `${uid}/${held}`);
        const left = leftBehindOn(context, uid);
        return { ...departure(current, context.ambient.clock.now(), withoutAddress, left), result: undefined };
      });
      await context.cache.shows(revision);
    });
    return undefined;
  });
}

function withoutAddress(status: Status): Status {
  const { dhcpAddress: _, ...kept } = status;
  return kept;
}
