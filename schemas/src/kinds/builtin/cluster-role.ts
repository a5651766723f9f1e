import type { FieldError } from '../../meta/error.ts';
import { defineKind, type KindDefinition } from '../define.ts';
import { type LabelSelector, labelSelector, selectorErrors } from './label-selector.ts';
import { required } from './mistakes.ts';
import { noSpec } from './no-spec.ts';
import { type PolicyRule, policyRules, RBAC_GROUP, ruleErrors } from './rbac.ts';

interface ClusterRoleFields {
  rules?: PolicyRule[];
  aggregationRule?: { clusterRoleSelectors?: LabelSelector[] };
}

export const clusterRole = defineKind({
  kind: 'ClusterRole',
  group: RBAC_GROUP,
  plural: 'clusterroles',
  singular: 'clusterrole',
  shortNames: [],
  scope: 'Cluster',
  names: 'segment',
  description:
    'What may be done in the whole estate, or in a project where a RoleBinding gives it. It may collect the rules of others by their labels.',
  ...noSpec,
  fields: {
    type: 'object',
    additionalProperties: false,
    properties: {
      rules: policyRules,
      aggregationRule: {
        type: 'object',
        additionalProperties: false,
        description: 'The rules are those of other ClusterRoles, kept by the server.',
        properties: {
          clusterRoleSelectors: {
            type: 'array',
            items: labelSelector,
            'x-kubernetes-list-type': 'atomic',
            description: 'Labels of the ClusterRoles whose rules are collected; one of them is enough.',
          },
        },
      },
    },
  },
  columns: [],
  showsWhen: true,
  immutable: [],
  references: [],
  disruption: {},
  validate: ({ rules, aggregationRule }: ClusterRoleFields) => [
    ...ruleErrors(rules, false),
    ...(aggregationRule ? aggregationErrors(aggregationRule.clusterRoleSelectors) : []),
  ],
}) as KindDefinition;

function aggregationErrors(selectors: readonly LabelSelector[] = []): FieldError[] {
  const at = 'aggregationRule.clusterRoleSelectors';
  if (selectors.length === 0)
    return [required(at, 'at least one clusterRoleSelector required if aggregationRule is non-nil')];
  return selectors.flatMap((selector, index) => selectorErrors(selector, `${at}[${index}]`));
}
