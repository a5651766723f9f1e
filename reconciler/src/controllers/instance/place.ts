/** From an instance to the pure placement: what it asks of its host. */
import type { Instance } from '@plumb/schemas';
import { amountsOf } from '../../plan/allocation.ts';
import type { Context } from '../controller.ts';
import type { HostRequest } from '../placed/where.ts';
import type { ResolvedInstance } from './references.ts';
import { spreadGroups } from './spread-groups.ts';

export function placementOf(context: Context, instance: Instance, { references }: ResolvedInstance): HostRequest {
  const { spec } = instance;
  const selectors = [{ what: 'spec.hostSelector', matchLabels: spec.hostSelector?.matchLabels ?? {} }];
  for (const { l2 } of references.networks.values())
    selectors.push({
      what: `the hostSelector of L2Network ${l2.metadata.name}`,
      matchLabels: l2.spec.hostSelector?.matchLabels ?? {},
    });
  const request = {
    zone: spec.zone,
    amounts: amountsOf(references.offering.spec),
    selectors,
    field: 'spec.offering',
    ...(spec.spread?.hostLabel === undefined ? {} : { spreadLabel: spec.spread.hostLabel }),
  };
  return { request, group: context.own(spreadGroups).counts(instance) };
}
