import { defineKind, type KindDefinition } from '../define.ts';
import { noSpec } from './no-spec.ts';
import { type PolicyRule, policyRules, RBAC_GROUP, ruleErrors } from './rbac.ts';

export const role = defineKind({
  kind: 'Role',
  group: RBAC_GROUP,
  plural: 'roles',
  singular: 'role',
  shortNames: [],
  scope: 'Namespaced',
  names: 'segment',
  description: 'What may be done in one project. A RoleBinding gives it to users, groups and service accounts.',
  ...noSpec,
  fields: { type: 'object', additionalProperties: false, properties: { rules: policyRules } },
  columns: [],
  showsWhen: true,
  immutable: [],
  references: [],
  disruption: {},
  validate: ({ rules }: { rules?: PolicyRule[] }) => ruleErrors(rules, true),
}) as KindDefinition;
