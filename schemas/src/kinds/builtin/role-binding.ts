import { defineKind, type KindDefinition } from '../define.ts';
import { noSpec } from './no-spec.ts';
import {
  bindingColumns,
  bindingErrors,
  normalizeBinding,
  RBAC_GROUP,
  type RoleBindingFields,
  roleRef,
  subjects,
} from './rbac.ts';

export const roleBinding = defineKind({
  kind: 'RoleBinding',
  group: RBAC_GROUP,
  plural: 'rolebindings',
  singular: 'rolebinding',
  shortNames: [],
  scope: 'Namespaced',
  names: 'segment',
  description: 'Gives users, groups and service accounts a Role, or a ClusterRole, in one project.',
  ...noSpec,
  fields: { type: 'object', additionalProperties: false, properties: { roleRef, subjects } },
  columns: [...bindingColumns],
  immutable: ['roleRef'],
  references: [],
  disruption: {},
  normalize: normalizeBinding,
  validate: (binding: RoleBindingFields, before?: RoleBindingFields) => bindingErrors(binding, before, true),
}) as KindDefinition;
