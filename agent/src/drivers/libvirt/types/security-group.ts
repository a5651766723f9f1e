import { SecurityGroups } from '../../../security-groups/security-groups.ts';
import { type HandlerOf, saysNothing } from '../handler.ts';
import type { Parts } from '../parts.ts';

type GroupResource = 'port-filter' | 'ruleset' | 'address-group';

/** The three types are one table of the packet filter. */
const known = new WeakMap<Parts, SecurityGroups>();

function groupsOf(parts: Parts): SecurityGroups {
  let groups = known.get(parts);
  if (groups === undefined) {
    const { dataDir, network, hostRun } = parts;
    groups = new SecurityGroups({
      ...{ dataDir, names: network.names, run: hostRun },
      networks: () => network.declared(),
      links: () => network.links(),
      track: (bridge) => network.track(bridge),
      loads: (table) => network.expectLoad(table),
    });
    known.set(parts, groups);
  }
  return groups;
}

const handlerOf =
  <K extends GroupResource>(kind: K): HandlerOf<K> =>
  (parts) => {
    const groups = groupsOf(parts);
    return {
      foundBy: () => groups.observe(kind),
      ensure: (resource) => groups.ensure<K>(resource),
      remove: (id) => saysNothing(groups.remove(kind, id)),
    };
  };

export const portFilter: HandlerOf<'port-filter'> = (parts, tell) => ({
  ...handlerOf('port-filter')(parts, tell),
  mend: () => groupsOf(parts).mend(),
  unreadable: () => groupsOf(parts).unreadable,
});
export const ruleset = handlerOf('ruleset');
export const addressGroup = handlerOf('address-group');
