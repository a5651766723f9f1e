import { bindingKind } from './binding-kind.ts';

export const roleBinding = bindingKind({
  kind: 'RoleBinding',
  scope: 'Namespaced',
  description: 'Gives users, groups and service accounts a Role, or a ClusterRole, in one project.',
});
