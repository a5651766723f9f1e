/** A flow whose host first fetches the image: it may take hours, and ends as soon as nobody wants it. */
import type { Image, Instance } from '@plumb/schemas';
import { resourceKey } from '@plumb/schemas';
import type { CommandAttention } from '../../fleet/fleet.ts';
import type { FlowRecord } from '../../flow/record.ts';
import { equal, type PlanStep } from '../../plan/plan.ts';
import type { Cached } from '../../runtime/cache.ts';
import { referenceKey } from '../../runtime/references.ts';
import type { Context } from '../controller.ts';
import { keyWatch } from '../key-watch.ts';

export interface ImageWait {
  attention: CommandAttention;
  end(): void;
}

/** Undefined when the host has the file, so that nothing takes long. `isUnwanted`: whether the flow leads nowhere any more. */
export function awaitImage(
  context: Context,
  cached: Cached<Instance>,
  record: FlowRecord,
  isUnwanted: () => boolean,
): ImageWait | undefined {
  const step = imageStep(record);
  if (step === undefined || context.fleet.host(step.host)?.resources.has(resourceKey(step.resource))) return undefined;
  const abort = new AbortController();
  const end = context.own(keyWatch).on([cached.key, imageKey(cached)], () => {
    if (isUnwanted() || imageChanged(context, cached, record)) abort.abort();
  });
  return { attention: { signal: abort.signal }, end };
}

/** Whether the flow is to fetch an image that is declared otherwise by now. */
export function imageChanged(context: Context, cached: Cached<Instance>, record: FlowRecord): boolean {
  const step = imageStep(record);
  const image = context.read.get<Image>(imageKey(cached));
  if (step === undefined || image?.object.metadata.uid !== step.resource.owner) return false;
  const { id, spec } = step.resource;
  return !equal(context.providers.get('image')?.provide(context, id, step.host, [image])?.spec, spec);
}

function imageStep({ plan }: FlowRecord): PlanStep | undefined {
  return plan.steps.find(({ verb, resource }) => verb === 'ensure' && resource.kind === 'image');
}

function imageKey({ object }: Cached<Instance>): string {
  return referenceKey('Image', object.metadata.namespace, object.spec.image);
}
