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

export const clusterRoleBinding = defineKind({
  kind: 'ClusterRoleBinding',
  group: RBAC_GROUP,
  plural: 'clusterrolebindings',
  singular: 'clusterrolebinding',
  shortNames: [],
  scope: 'Cluster',
  names: 'segment',
  description: 'Gives users, groups and service accounts a ClusterRole in the whole estate.',
  ...noSpec,
  fields: { type: 'object', additionalProperties: false, properties: { roleRef, subjects } },
  columns: [...bindingColumns],
  immutable: ['roleRef'],
  references: [],
  disruption: {},
  normalize: normalizeBinding,
  validate: (binding: RoleBindingFields, before?: RoleBindingFields) => bindingErrors(binding, before, false),
}) as KindDefinition;
