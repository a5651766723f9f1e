/** From an instance to the pure placement: what it asks of its host. */
import { type Host, type Instance, retryable } from '@plumb/schemas';
import { amountsOf } from '../../plan/allocation.ts';
import { nameOfKey } from '../../store/keys.ts';
import type { Context } from '../controller.ts';
import { hostsAway } from '../hosts-away.ts';
import { candidates } from './candidates.ts';
import { doubtedHosts } from './image-doubts.ts';
import type { ResolvedInstance } from './references.ts';
import { spreadGroups } from './spread-groups.ts';

/** Name of the host for a new instance. Throws what {@link place} throws. */
export function placeInstance(context: Context, instance: Instance, resolved: ResolvedInstance): string {
  awaitReturn(context, instance); // guard: double start after a restored store
  const { spec } = instance;
  const selectors = [{ what: 'spec.hostSelector', matchLabels: spec.hostSelector?.matchLabels ?? {} }];
  for (const { l2 } of resolved.references.networks.values())
    selectors.push({
      what: `the hostSelector of L2Network ${l2.metadata.name}`,
      matchLabels: l2.spec.hostSelector?.matchLabels ?? {},
    });
  const request = {
    zone: spec.zone,
    amounts: amountsOf(resolved.references.offering.spec),
    selectors,
    notOn: doubtedHosts(context, instance),
    ...(spec.spread?.hostLabel === undefined ? {} : { spreadLabel: spec.spread.hostLabel }),
  };
  return context.own(candidates).place(request, context.own(spreadGroups).counts(instance));
}

/**
 * An instance that had no place when this process began may run somewhere all the same: the store may have been put
 * back to an earlier time. The hosts that are known have some time to come back and tell.
 */
export function awaitReturn(context: Context, instance: Instance): void {
  if (!context.unplaced.has(instance.metadata.uid)) return;
  for (const { object } of context.read.list<Host>('hosts')) {
    const { name } = object.metadata;
    if (object.spec.zone !== instance.spec.zone || object.status?.driver === undefined) continue;
    if ((context.liveness.graceLeftMs(name) ?? 0) > 0)
      throw retryable(
        'HostsReturning',
        `host ${name} has not come back yet since the server began, and it may run there`,
      );
  }
}

/** What is known of where it is was lost: it may run on any host that has not told. */
export function requireEveryHost(context: Context, key: string): void {
  const away = hostsAway(context);
  if (away.length > 0)
    throw retryable(
      'HostNotConnected',
      `it is not known where it is, and it may be on ${away.slice(0, 5).join(', ')}, which ${away.length === 1 ? 'is' : 'are'} not connected; it waits until they are, or are deleted. If nothing of it runs there any more: plumb flows abandon instance/${nameOfKey(key)}`,
    );
}
