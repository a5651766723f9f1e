/** What hosts need of a SecurityGroup. Pure, but for reading. */
import { type HostResource, objectName, type SecurityGroup } from '@plumb/schemas';
import { referenceKey } from '../../runtime/references.ts';
import type { Context } from '../controller.ts';
import { findUsed, type SharedProvider } from '../shared-provider.ts';
import type { Group } from './groups.ts';
import { groupMembers } from './members.ts';

type Rule = NonNullable<SecurityGroup['spec']['ingress']>[number];
type HostRule = HostResource<'ruleset'>['spec']['ingress'][number];

export function rulesetResource(context: Context, { object }: Group): HostResource<'ruleset'> {
  const { uid } = object.metadata;
  const { ingress = [], egress, log } = object.spec;
  const rules = (declared: readonly Rule[]) => declared.flatMap((rule) => hostRules(context, object, rule));
  return {
    ...{ kind: 'ruleset', id: uid, owner: uid },
    spec: {
      name: objectName(object.metadata),
      ingress: rules(ingress),
      ...(egress === undefined ? {} : { egress: rules(egress) }),
      ...(log ? { log } : {}),
    },
  };
}

/** A rule that names only groups which are not there allows nothing. */
function hostRules(context: Context, from: SecurityGroup, { securityGroups = [], ...rule }: Rule): HostRule[] {
  if (securityGroups.length === 0) return [rule];
  const groups = securityGroups.flatMap((word) => findGroup(context, from, word)?.object.metadata.uid ?? []).sort();
  return groups.length === 0 && !rule.cidrs?.length ? [] : [{ ...rule, groups: [...new Set(groups)] }];
}

/** The group that a rule names. */
export function findGroup({ read }: Context, { metadata }: SecurityGroup, word: string): Group | undefined {
  return read.get<SecurityGroup>(referenceKey('SecurityGroup', metadata.namespace, word));
}

/** Names of the groups that its rules name, each once. */
export function groupsNamed({ spec: { ingress = [], egress = [] } }: SecurityGroup): string[] {
  return [...new Set([...ingress, ...egress].flatMap(({ securityGroups = [] }) => securityGroups))].sort();
}

export function addressGroupResource(context: Context, group: Group): HostResource<'address-group'> {
  const { uid } = group.object.metadata;
  const { addresses } = context.own(groupMembers).of(group);
  return {
    ...{ kind: 'address-group', id: uid, owner: uid },
    spec: { name: objectName(group.object.metadata), addresses: [...addresses] },
  };
}

export const rulesetProvider: SharedProvider = {
  type: 'ruleset',
  provide(context, id, _, used) {
    const group = findUsed(used, 'SecurityGroup', id) as Group | undefined;
    return group && rulesetResource(context, group);
  },
};

export const addressGroupProvider: SharedProvider = {
  type: 'address-group',
  provide(context, id, _, used) {
    const group = findUsed(used, 'SecurityGroup', id) as Group | undefined;
    return group && addressGroupResource(context, group);
  },
};
