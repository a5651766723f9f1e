/** Whether the declaration was carried out: then whatever differs since is drift, not work that is still to do. */
import { type Instance, type LiveThing, type Thing, thingKey } from '@plumb/schemas';
import { thingIds } from '../../plan/instance-things.ts';
import { findCondition } from '../../runtime/conditions.ts';
import type { Context } from '../controller.ts';

/** True when the instance was once as declared at its present generation. */
export function isApplied(instance: Instance): boolean {
  if (instance.status?.host === undefined || instance.status.observedGeneration !== instance.metadata.generation)
    return false;
  if (findCondition(instance, 'Stalled')?.status === 'True') return false;
  const ready = findCondition(instance, 'Ready')?.status;
  return ready === 'True' || ready === 'Unknown' || findCondition(instance, 'Drifted')?.status === 'True';
}

/** Whether the domain runs on the host; undefined when it is not there. */
export function livePower(context: Context, instance: Instance, host: string): 'Running' | 'Stopped' | undefined {
  const thing = liveDomain(context, instance, host);
  if (thing === undefined) return undefined;
  return thing.domain?.state === 'running' ? 'Running' : 'Stopped';
}

/** The instance's domain as it lives on the host; undefined when it does not. */
export function liveDomain(context: Context, { metadata }: Instance, host: string): LiveThing<'domain'> | undefined {
  const thing = context.fleet.host(host)?.things.get(`domain/${thingIds.domain(metadata.uid)}`);
  return thing?.kind === 'domain' ? thing : undefined;
}

/** The thing as it lives on the host; undefined when it does not. */
export function liveOf(context: Context, { host, thing }: { host: string; thing: Thing }): LiveThing | undefined {
  return context.fleet.host(host)?.things.get(thingKey(thing));
}
