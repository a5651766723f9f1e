/** A filter for each port of an object that security groups select, before anything runs behind it. */
import { type HostResource, type PlumbObject, resourceTypes } from '@plumb/schemas';
import { selects } from '@plumb/schemas/selectors/selects.ts';
import type { Contribution, Contributor } from '../contributor.ts';
import { type Group, securityGroups, takes } from './groups.ts';
import { findGroup, groupsNamed } from './resources.ts';

export const portFilters: Contributor = {
  types: ['port-filter', 'ruleset', 'address-group'],

  likeness(context, object) {
    const groups = context.own(securityGroups).selecting(object);
    return groups.map(({ object: { metadata } }) => `${metadata.uid}:${metadata.generation} `).join('');
  },

  contribute(context, object, own): Contribution {
    const groups = context.own(securityGroups).selecting(object);
    const resources = own.flatMap((port) => (port.kind === 'port' ? filterOf(port, groups) : []));
    if (resources.length === 0) return { resources, used: [] };
    const used = new Map(groups.map((group) => [group.key, group]));
    for (const { object: group } of groups)
      for (const word of groupsNamed(group)) {
        const named = findGroup(context, group, word);
        if (named) used.set(named.key, named);
      }
    return { resources, used: [...used.values()] };
  },

  version: (context) => context.own(securityGroups).version,

  when: 'one that selects it, or did, comes, goes or is declared otherwise',
  *wake({ material, before, after }, context) {
    if (!material) return;
    const groups = [before, after].filter((group) => group !== undefined) as unknown as Group[];
    for (const { kind, placed } of context.kinds)
      if (placed)
        for (const { key, object } of context.read.list(kind.plural))
          if (groups.some((group) => isSelected(group, object))) yield key;
  },
};

function isSelected({ object }: Group, { metadata }: PlumbObject): boolean {
  return metadata.namespace === object.metadata.namespace && selects(object.spec.selector, metadata.labels);
}

function filterOf(port: HostResource<'port'>, groups: readonly Group[]): HostResource<'port-filter'>[] {
  const name = resourceTypes.definition('port').part?.(port) ?? '';
  const rulesets = groups.filter((group) => takes(group, name)).map(({ object }) => object.metadata.uid);
  if (rulesets.length === 0) return [];
  const { id, owner } = port;
  return [{ kind: 'port-filter', id, owner, spec: { port: id, rulesets: rulesets.sort() } }];
}
