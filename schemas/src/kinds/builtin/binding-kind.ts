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

/** RoleBinding and ClusterRoleBinding: the same but for where they give rights. */
export function bindingKind(of: Pick<KindDefinition, 'kind' | 'scope' | 'description'>): KindDefinition {
  const singular = of.kind.toLowerCase();
  return defineKind({
    ...of,
    group: RBAC_GROUP,
    plural: `${singular}s`,
    singular,
    shortNames: [],
    names: 'segment',
    ...noSpec,
    fields: { type: 'object', additionalProperties: false, properties: { roleRef, subjects } },
    columns: [...bindingColumns],
    immutable: ['roleRef'],
    references: [],
    disruption: {},
    normalize: normalizeBinding,
    validate: (binding: RoleBindingFields, before?: RoleBindingFields) =>
      bindingErrors(binding, before, of.scope === 'Namespaced'),
  }) as KindDefinition;
}
