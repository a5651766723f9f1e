import type { Instance } from '@plumb/schemas';
import { type Allocation, claimsOf } from '../../plan/allocation.ts';
import type { Cached } from '../../runtime/cache.ts';
import type { KindPreview, Placement } from '../kind-preview.ts';
import { GOES } from './delete.ts';
import { allHeld } from './held.ts';
import { planInstance } from './planning.ts';
import { resolveInstance } from './references.ts';
import { removals } from './removals.ts';
import { restartWords } from './standing.ts';

export const instancePreview: KindPreview = {
  isPlaced: true,
  changedBy: ['InstanceOffering'],
  plan(context, cached, { placed }) {
    const instance = cached as Cached<Instance>;
    const { metadata, status } = instance.object;
    const resolved = resolveInstance(context, instance, status?.host === undefined);
    const held = allHeld(context, instance.object);
    const { steps, target } = planInstance(context, instance, resolved, context.index);
    const [claims, before] = [claimsOf(target), held.map(claimsOf)];
    context.index.reserve(metadata.uid, claims, before);
    context.index.release(metadata.uid, before, claims);
    placed.set(metadata.uid, target.host);
    return {
      steps,
      placement: placementOf(target, metadata),
      note: restartWords(target, resolved.references.offering),
    };
  },
  remove(context, cached) {
    const { object } = cached as Cached<Instance>;
    const held = allHeld(context, object);
    context.index.release(object.metadata.uid, held.map(claimsOf), undefined);
    return removals(context, object.metadata.uid, held, GOES);
  },
};

/** A MAC address follows from the uid, which an instance that is not there yet does not have. */
function placementOf({ host, interfaces }: Allocation, { resourceVersion }: Instance['metadata']): Placement {
  const isMade = resourceVersion !== '0';
  return {
    host,
    interfaces: interfaces.map(({ name, l3Network, addresses, macAddress }) => ({
      ...{ name, l3Network, addresses },
      ...(isMade ? { macAddress } : {}),
    })),
  };
}
