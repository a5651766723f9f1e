import { bindingKind } from './binding-kind.ts';

export const clusterRoleBinding = bindingKind({
  kind: 'ClusterRoleBinding',
  scope: 'Cluster',
  description: 'Gives users, groups and service accounts a ClusterRole in the whole estate.',
});
