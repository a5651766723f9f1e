import type { Instance } from '@plumb/schemas';
import { claimsOf } from '../../plan/allocation.ts';
import type { Cached } from '../../runtime/cache.ts';
import type { KindPreview } from '../kind-preview.ts';
import { allHeld } from './held.ts';
import { planInstance } from './planning.ts';
import { resolveInstance } from './references.ts';
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
    return { steps, note: restartWords(target, resolved.references.offering) };
  },
};
