/**
 * The roles and bindings that every control plane has. `view`, `edit`, `admin` and `auditor` collect others by their labels: a role of
 * one's own with such a label is part of them. Names and labels are those of Kubernetes where it has the same.
 */
import { API_GROUP, kinds } from '@plumb/schemas';
import { type Binding, MASTERS, type PolicyRule, RBAC_GROUP, type Role } from './policy.ts';

export interface DefaultPolicy {
  clusterRoles: readonly Role[];
  clusterRoleBindings: readonly Binding[];
}

/** The binding that is made at the first start alone: it can be taken away. */
export const ESTATE_USER = 'plumb:estate-user';

const AUTHENTICATED = 'system:authenticated';

const READ = ['get', 'list', 'watch'];
const WRITE = ['create', 'update', 'patch', 'delete', 'deletecollection'];

const EVENTS = ['', 'events.k8s.io'];
const AUTHORIZATION = 'authorization.k8s.io';

const ofProjects = kinds.filter(({ scope }) => scope === 'Namespaced').map(({ plural }) => plural);
/** To read the object is to read what is in the state: whoever may only look sees lists. */
const STATES = 'terraformstates';
const shownOfProjects = ofProjects.filter((plural) => plural !== STATES);
const ofEstate = kinds.filter(({ scope }) => scope === 'Cluster').map(({ plural }) => plural);
/** What everybody may put into an instance. */
const offered = kinds
  .filter(({ kind }) => kind === 'Zone' || kind === 'Image' || kind.endsWith('Offering'))
  .map(({ plural }) => plural);
const withStatus = (plurals: readonly string[]) => plurals.flatMap((plural) => [plural, `${plural}/status`]);

/** Endpoints about hosts and what lives on them. */
const HOSTS = ['pendinghosts', 'jointokens', 'readmissions', 'fences', 'orphanremovals', 'driftscans', 'poisoned'];
const RBAC_OF_PROJECTS = ['roles', 'rolebindings'];
const RBAC_OF_ESTATE = ['clusterroles', 'clusterrolebindings'];

const on = (apiGroups: string | string[], resources: readonly string[], verbs: readonly string[]): PolicyRule => ({
  ...{ verbs, apiGroups: [apiGroups].flat(), resources },
});
const at = (...nonResourceURLs: string[]): PolicyRule => ({ verbs: ['get'], nonResourceURLs });

const collected = (into: string) =>
  into === 'auditor' ? 'rbac.plumb.dev/aggregate-to-auditor' : `rbac.authorization.k8s.io/aggregate-to-${into}`;

const role = (name: string, ...rules: PolicyRule[]): Role => ({ metadata: { name }, rules });
const part = (of: string, ...rules: PolicyRule[]): Role => ({
  metadata: { name: `system:aggregate-to-${of}`, labels: { [collected(of)]: 'true' } },
  rules,
});
const collecting = (name: string, ...partOf: string[]): Role => ({
  metadata: { name, labels: Object.fromEntries(partOf.map((into) => [collected(into), 'true'])) },
  aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [collected(name)]: 'true' } }] },
  rules: [],
});
const toGroup = (name: string, group: string, to = name): Binding => ({
  metadata: { name },
  subjects: [{ kind: 'Group', name: group }],
  roleRef: { apiGroup: RBAC_GROUP, kind: 'ClusterRole', name: to },
});

export const defaultPolicy: DefaultPolicy = {
  clusterRoles: [
    role('cluster-admin', on('*', ['*'], ['*']), { verbs: ['*'], nonResourceURLs: ['*'] }),
    collecting('admin'),
    collecting('edit', 'admin'),
    collecting('view', 'edit', 'auditor'),
    collecting('auditor'),
    part(
      'view',
      // Bound in one project, it says nothing of the estate; bound everywhere, it shows that, too.
      on(API_GROUP, [...withStatus(shownOfProjects), ...withStatus(ofEstate)], READ),
      on(API_GROUP, [STATES], ['list', 'watch']),
      on(API_GROUP, ['flows'], ['get', 'list']),
      on('', ['namespaces', 'namespaces/status', 'configmaps', 'serviceaccounts'], READ),
      on(EVENTS, ['events'], READ),
    ),
    part(
      'edit',
      on(API_GROUP, ofProjects, WRITE),
      on(API_GROUP, ['flows/retry', 'flows/abandon', 'gitsyncs', 'gitapprovals'], ['create']),
      on(API_GROUP, [STATES], ['get', 'lock']),
      on(API_GROUP, [`${STATES}/rollback`, `${STATES}/acknowledge`], ['create']),
      on('', ['configmaps', 'secrets', 'serviceaccounts'], WRITE),
      // Who reads these can act as others: not for `view`.
      on('', ['secrets'], READ),
      on('', ['serviceaccounts'], ['impersonate']),
      on('', ['serviceaccounts/token'], ['create']),
      on(EVENTS, ['events'], WRITE),
      on('coordination.k8s.io', ['leases'], [...READ, ...WRITE]),
    ),
    part(
      'admin',
      on(RBAC_GROUP, RBAC_OF_PROJECTS, [...READ, ...WRITE]),
      on(AUTHORIZATION, ['localsubjectaccessreviews'], ['create']),
      // To take a lock away from somebody else.
      on(API_GROUP, [`${STATES}/lock`], ['delete']),
    ),
    part(
      'auditor',
      on(RBAC_GROUP, [...RBAC_OF_PROJECTS, ...RBAC_OF_ESTATE], READ),
      on(API_GROUP, [...HOSTS, 'authority'], ['get', 'list']),
      on('coordination.k8s.io', ['leases'], READ),
      on(AUTHORIZATION, ['subjectaccessreviews', 'localsubjectaccessreviews'], ['create']),
      at('/metrics'),
    ),
    role(
      'plumb:estate-admin',
      on(API_GROUP, [...withStatus(ofEstate), ...HOSTS], [...READ, ...WRITE]),
      on(API_GROUP, ofEstate, ['use']),
      on(API_GROUP, ['flows', 'flows/retry', 'flows/abandon'], ['get', 'list', 'create']),
      on('', ['namespaces'], [...READ, ...WRITE]),
      on(EVENTS, ['events'], READ),
    ),
    role('plumb:images-from-files', on(API_GROUP, ['images/file'], ['use'])),
    role('plumb:git-from-files', on(API_GROUP, ['gitsources/file'], ['use'])),
    role(
      ESTATE_USER,
      on(API_GROUP, offered, [...READ, 'use']),
      on(API_GROUP, ['planreviews'], ['create']),
      on('apiextensions.k8s.io', ['customresourcedefinitions'], READ),
    ),
    role(
      'system:discovery',
      at(
        '/api',
        '/api/*',
        '/apis',
        '/apis/*',
        '/openapi',
        '/openapi/*',
        '/healthz',
        '/livez',
        '/readyz',
        '/version',
        '/version/',
      ),
    ),
    role(
      'system:basic-user',
      on(AUTHORIZATION, ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'], ['create']),
      on('authentication.k8s.io', ['selfsubjectreviews'], ['create']),
    ),
    role('system:monitoring', at('/metrics', '/healthz', '/livez', '/readyz')),
    role(
      'system:auth-delegator',
      on('authentication.k8s.io', ['tokenreviews'], ['create']),
      on(AUTHORIZATION, ['subjectaccessreviews'], ['create']),
    ),
  ],
  clusterRoleBindings: [
    toGroup('cluster-admin', MASTERS),
    toGroup('system:discovery', AUTHENTICATED),
    toGroup('system:basic-user', AUTHENTICATED),
    toGroup('system:monitoring', 'system:monitoring'),
    toGroup(ESTATE_USER, AUTHENTICATED),
  ],
};
