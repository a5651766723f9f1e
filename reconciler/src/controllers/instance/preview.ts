import type { Instance } from '@plumb/schemas';
import type { Cached } from '../../runtime/cache.ts';
import type { KindPreview } from '../kind-preview.ts';
import { allHeld, planInstance } from './planning.ts';
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
    context.index.reserve(metadata.uid, target, held);
    context.index.release(metadata.uid, held, target);
    placed.set(metadata.uid, target.host);
    return { steps, note: restartWords(target, resolved.references.offering) };
  },
};
