/** An instance as a placed object: what the flow engine does not know of it. */
import { type HostResource, type Instance, PlumbError, resourceKey, terminal } from '@plumb/schemas';
import { type Allocation, allocationHolding } from '../../plan/allocation.ts';
import type { Context } from '../controller.ts';
import { isApplied } from '../placed/applied.ts';
import { type PlacedKind, placedKind, type Ref } from '../placed/placed-kind.ts';
import { doubtedHosts, isDoubtful } from './image-doubts.ts';
import { awaitImage, imageChanged } from './image-wait.ts';
import { lookAtImages } from './images.ts';
import { allocationFromLife, livePower } from './life.ts';
import { withHolder } from './name-taken.ts';
import { placementOf } from './place.ts';
import { claimFor, refuseDataLoss, rested } from './planning.ts';
import { type ResolvedInstance, resolveInstance } from './references.ts';
import { keptSeed, ownResources, resourceIds } from './resources.ts';
import { readyInstance, settle } from './settle.ts';
import { domainFacts, driftOf } from './standing.ts';

const instance: PlacedKind<Instance, Allocation, ResolvedInstance> = {
  holding: allocationHolding,
  resolve: resolveInstance,
  asks: placementOf,
  claim: claimFor,
  resources(object, held, { references }, live) {
    const resources = ownResources(object, held, references.networks, references.userData);
    return resources.map((resource) =>
      resource.kind === 'seed' ? keptSeed(resource, live.get(resourceKey(resource)), isApplied(object)) : resource,
    );
  },
  *made(uid, { interfaces, rootDisk }): Generator<Ref> {
    for (const { name } of interfaces) yield { kind: 'port', id: resourceIds.port(uid, name) };
    yield { kind: 'domain', id: resourceIds.domain(uid) };
    yield { kind: 'seed', id: resourceIds.seed(uid) };
    yield { kind: 'disk', id: rootDisk.id };
  },
  ready: readyInstance,

  /** A guest that is gone runs nowhere, and what it had may be another's by now. */
  emptied(status) {
    const { host: _h, cpus: _c, memoryMiB: _m, rootDisk: _r, interfaces: _i, applied: _a, ...kept } = status;
    return { ...kept, power: 'Stopped' };
  },
  settle,
  heldByLife: allocationFromLife,
  /** Its domain is made last, by no flow that goes on elsewhere. */
  bond: ({ kind }) => (kind === 'domain' ? 'runs' : kind === 'disk' ? 'data' : undefined),
  whyWait: ({ spec }) =>
    spec.allowDataLoss
      ? undefined
      : 'its disk is there: it goes on when the host is back. To make it elsewhere with a new disk: spec.allowDataLoss: true; or delete it',
  avoids: doubtedHosts,
  respected: rested,
  refuse: refuseDataLoss,
  observed(context, object, host) {
    const facts = domainFacts(context, object, host);
    return {
      status: { power: livePower(context, object, host) ?? 'Stopped' },
      drift: driftOf(facts),
      // What is at risk is left alone: its host would refuse.
      leaves: ({ kind }: HostResource) => kind === 'domain' && facts.atRisk !== undefined,
    };
  },

  attend: awaitImage,
  whyAnew(context, cached, record, { resource }) {
    if (resource.kind === 'seed' && hasOtherUserData(context, resource))
      return terminal('UserDataChanged', 'its user data was changed while it was made');
    if (resource.kind !== 'image' || !imageChanged(context, cached, record)) return undefined;
    return terminal('ImageChanged', `image ${cached.object.spec.image} was declared otherwise while it was fetched`);
  },
  whyElsewhere(context, object, record, { resource, host }) {
    if (resource.kind !== 'image' || !isDoubtful(context, object, record, host)) return undefined;
    return 'another host has the image, and it is made elsewhere';
  },
  explained: withHolder,
  letGo: lookAtImages,
};

/** Whether the Secret says something else by now, so that the seed cannot be made as it was planned. */
function hasOtherUserData(context: Context, seed: HostResource<'seed'>): boolean {
  try {
    context.userData.join(context.read, seed);
    return false;
  } catch (error) {
    return PlumbError.from(error, 'user data').reason === 'UserDataChanged';
  }
}

export const instancePlaced = placedKind(instance);
