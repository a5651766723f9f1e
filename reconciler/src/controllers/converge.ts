/**
 * Keeping shared things as declared: bridges, subnets, images. They hold no allocation and need no undo, and what is to
 * be done follows from live state at any time, so nothing of it is journaled.
 */
import { type LiveThing, type PlumbError, type Thing, thingKey } from '@plumb/schemas';
import type { FleetCommand } from '../fleet/fleet.ts';
import { equal } from '../plan/plan.ts';
import type { Context } from './controller.ts';

/** On each host: what lives there, and what should; `desired` undefined means that it is to go. */
export type HostSteps = { host: string; live: LiveThing | undefined; desired: Thing | undefined }[];

/**
 * Sends what is needed to every connected host at once. `fence`: revision of the object that decided it. Hosts that are
 * not connected are left for the time when they are. Throws the first failure after all hosts have answered.
 */
export async function converge(context: Context, owner: string, fence: number, wanted: HostSteps): Promise<void> {
  const byHost = new Map<string, FleetCommand['steps']>();
  for (const { host, live, desired } of wanted) {
    if (!context.liveness.connected(host)) continue;
    const step = stepFor(live, desired);
    if (step) byHost.set(host, [...(byHost.get(host) ?? []), step]);
  }
  const failures: PlumbError[] = [];
  await Promise.all(
    [...byHost].map(async ([host, steps]) => {
      try {
        for (const { error } of await context.fleet.send(host, { owner, fence, steps }))
          if (error) failures.push(error);
      } catch (error) {
        failures.push(error as PlumbError);
      }
    }),
  );
  if (failures[0]) throw failures[0];
}

function stepFor(live: LiveThing | undefined, desired: Thing | undefined): FleetCommand['steps'][number] | undefined {
  if (desired) {
    if (live && live.drift.length === 0 && equal(live.spec, desired.spec)) return undefined;
    return { id: `ensure ${thingKey(desired)}`, verb: 'ensure', thing: desired };
  }
  return live ? { id: `remove ${thingKey(live)}`, verb: 'remove', thing: live } : undefined;
}
