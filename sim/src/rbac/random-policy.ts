/**
 * Random policies and requests. Words come from short lists, so that what is asked and what is allowed often nearly meet: a rule
 * with another group, a name that is not in the list, a binding in another namespace.
 */
import type { Binding, LabelSelector, PolicyRule, Role, Subject } from '@plumb/reconciler/authorization/policy.ts';
import type { Dice } from '../core/dice.ts';

export interface Request {
  user: string;
  groups: string[];
  verb: string;
  group: string;
  resource: string;
  subresource: string;
  namespace: string;
  name: string;
  /** Not empty for a path that is no resource. */
  path: string;
}

export interface Case {
  clusterRoles: Role[];
  roles: Role[];
  clusterRoleBindings: Binding[];
  roleBindings: Binding[];
  requests: Request[];
  covers: { held: PolicyRule[]; wanted: PolicyRule[] }[];
}

const VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection', 'use', 'escalate'];
const GROUPS = ['', 'plumb.dev', 'rbac.authorization.k8s.io', 'authorization.k8s.io'];
const RESOURCES = ['instances', 'zones', 'images', 'secrets', 'roles'];
const SUBRESOURCES = ['status', 'token', 'scale', 'a/b'];
const NAMES = ['web-0', 'web-1', 'a', ''];
const PATHS = ['/metrics', '/metrics/a', '/healthz', '/', '/openapi/v3', '/openapi/v3/apis', '/*', '/a*b'];
const PATTERNS = [...PATHS, '*', '/openapi/*', '/openapi/**', '/metrics*', '/*/*', '**', ''];
const NO_RESOURCE = { group: '', resource: '', subresource: '', namespace: '', name: '' };
const NAMESPACES = ['default', 'lab', 'kube-system'];
const USERS = ['ann', 'bob', 'system:serviceaccount:lab:ci', 'system:serviceaccount:default:ci', 'ci', ''];
const USER_GROUPS = [
  'dev',
  'ops',
  'system:authenticated',
  'system:serviceaccounts',
  'system:serviceaccounts:lab',
  'ann',
];
const ROLE_NAMES = ['reader', 'writer', 'all', 'view', 'edit', 'odd:name'];
const LABELS = ['to-view', 'to-edit', 'tier'];
const VALUES = ['true', 'false', ''];

/** A policy with `requests` requests, and a few pairs of rules of which one may cover the other. */
export function randomCase(dice: Dice, requests: number): Case {
  const some = <T>(most: number, make: () => T) => Array.from({ length: dice.between(0, most) }, make);
  const unique = <T extends Role | Binding>(list: T[]) => [
    ...new Map(list.map((one) => [`${one.metadata.namespace}/${one.metadata.name}`, one])).values(),
  ];
  const dense = dice.chance(0.7);
  const policy = {
    clusterRoles: unique(some(dense ? 12 : 6, () => clusterRole(dice))),
    roles: unique(some(dense ? 16 : 6, () => role(dice))),
    clusterRoleBindings: unique(some(dense ? 6 : 2, () => binding(dice, undefined))),
    roleBindings: unique(some(dense ? 16 : 4, () => binding(dice, dice.pick(NAMESPACES)))),
  };
  return {
    ...policy,
    requests: Array.from({ length: requests }, () => near(dice, policy, request(dice))),
    covers: Array.from({ length: 3 }, () => pair(dice)),
  };
}

/**
 * Most requests ask for what some binding gives, and for something else in one field or in none: at random hardly one of a
 * hundred would be allowed.
 */
function near(dice: Dice, policy: Omit<Case, 'requests' | 'covers'>, asked: Request): Request {
  const bindings = [...policy.clusterRoleBindings, ...policy.roleBindings];
  if (bindings.length === 0 || dice.chance(0.2)) return asked;
  const { metadata, subjects = [], roleRef } = dice.pick(bindings);
  const roles = roleRef.kind === 'Role' ? policy.roles : policy.clusterRoles;
  const meant =
    roles.find(({ metadata: { name, namespace } }) => name === roleRef.name && namespace === metadata.namespace) ??
    roles.find(({ metadata: { name } }) => name === roleRef.name);
  const given = meant?.rules?.length ? dice.pick(meant.rules) : undefined;
  if (!given || subjects.length === 0) return asked;
  const { kind, name, namespace } = dice.pick(subjects);
  const who =
    kind === 'Group'
      ? { groups: [...asked.groups, name] }
      : { user: kind === 'User' ? name : `system:serviceaccount:${namespace || metadata.namespace || 'lab'}:${name}` };
  const one = (list: readonly string[] | undefined, other: string) => (list?.length ? dice.pick(list) : other);
  const verb = one(given.verbs, asked.verb);
  if (given.nonResourceURLs)
    return spoilt(
      dice,
      {
        ...asked,
        ...who,
        ...NO_RESOURCE,
        verb,
        path: `${one(given.nonResourceURLs, '/').replaceAll('*', 'x')}` || '/',
      },
      asked,
    );
  const [resource = '', ...rest] = one(given.resources, asked.resource).split('/');
  return spoilt(
    dice,
    {
      ...asked,
      ...who,
      verb,
      group: one(given.apiGroups, asked.group),
      resource: resource === '*' ? dice.pick(RESOURCES) : resource,
      subresource: rest.join('/'),
      namespace: metadata.namespace ?? asked.namespace,
      name: one(given.resourceNames, asked.name),
      path: '',
    },
    asked,
  );
}

function spoilt(dice: Dice, right: Request, other: Request): Request {
  if (dice.chance(0.5)) return right;
  const field = dice.pick(['user', 'groups', 'verb', 'group', 'resource', 'subresource', 'namespace', 'name'] as const);
  return right.path === '' && other.path === '' ? { ...right, [field]: other[field] } : { ...right, verb: other.verb };
}

/** Rules, and others of which some are parts of them. */
function pair(dice: Dice): Case['covers'][number] {
  const held = rules(dice);
  const wanted = rules(dice);
  for (const { nonResourceURLs, ...one } of held)
    if (dice.chance(0.5)) {
      const part = <T>(list: readonly T[] | undefined) => (list?.length ? { some: [dice.pick(list)] } : {}).some ?? [];
      if (nonResourceURLs) wanted.push({ verbs: part(one.verbs), nonResourceURLs: part(nonResourceURLs) });
      else wanted.push({ ...one, verbs: part(one.verbs), resources: part(one.resources) });
    }
  return dice.chance(0.5) ? { held, wanted } : { held, wanted: wanted.slice(-1) };
}

function role(dice: Dice): Role {
  return { metadata: { ...named(dice), namespace: dice.pick(NAMESPACES) }, rules: rules(dice) };
}

function named(dice: Dice) {
  return { name: dice.pick(ROLE_NAMES) };
}

/** A few words, now and then the star. */
function words(dice: Dice, from: readonly string[], most = 3): string[] {
  if (dice.chance(0.15)) return ['*'];
  return Array.from({ length: dice.between(dice.chance(0.1) ? 0 : 1, most) }, () =>
    dice.chance(0.03) ? '*' : dice.pick(from),
  );
}

function rules(dice: Dice): PolicyRule[] {
  return Array.from({ length: dice.between(dice.chance(0.1) ? 0 : 1, 3) }, () => rule(dice));
}

function rule(dice: Dice): PolicyRule {
  const verbs = words(dice, VERBS, 5);
  if (dice.chance(0.2)) return { verbs, nonResourceURLs: words(dice, PATTERNS) };
  const resources = words(dice, RESOURCES).map((resource) => {
    const odd = dice.next();
    if (odd < 0.2) return `${resource}/${dice.pick(SUBRESOURCES)}`;
    return odd < 0.3 ? `*/${dice.pick(SUBRESOURCES)}` : resource;
  });
  return {
    verbs,
    apiGroups: words(dice, GROUPS),
    resources,
    ...(dice.chance(0.25) ? { resourceNames: words(dice, NAMES) } : {}),
    // Kubernetes refuses both at once; what is stored all the same is decided all the same.
    ...(dice.chance(0.03) ? { nonResourceURLs: words(dice, PATTERNS) } : {}),
  };
}

function clusterRole(dice: Dice): Role {
  const labels = Object.fromEntries(
    Array.from({ length: dice.between(0, 2) }, () => [dice.pick(LABELS), dice.pick(VALUES)]),
  );
  const metadata = { ...named(dice), labels };
  if (!dice.chance(0.3)) return { metadata, rules: rules(dice) };
  const clusterRoleSelectors = Array.from({ length: dice.between(0, 2) }, () => selector(dice));
  return { metadata, rules: rules(dice), aggregationRule: { clusterRoleSelectors } };
}

function selector(dice: Dice): LabelSelector {
  if (dice.chance(0.1)) return {};
  if (dice.chance(0.5)) return { matchLabels: { [dice.pick(LABELS)]: dice.pick(VALUES) } };
  const operator = dice.pick(['In', 'NotIn', 'Exists', 'DoesNotExist']);
  const values = operator.endsWith('n') ? { values: [dice.pick(VALUES), dice.pick(VALUES)] } : {};
  return { matchExpressions: [{ key: dice.pick(LABELS), operator, ...values }] };
}

function subject(dice: Dice): Subject {
  const kind = dice.pick(['User', 'Group', 'Group', 'ServiceAccount', 'ServiceAccount', 'Robot']);
  if (kind !== 'ServiceAccount') return { kind, name: dice.pick(kind === 'Group' ? USER_GROUPS : USERS) };
  return { kind, name: 'ci', ...(dice.chance(0.6) ? { namespace: dice.pick(['lab', 'default', '']) } : {}) };
}

function binding(dice: Dice, namespace: string | undefined): Binding {
  const kind = dice.chance(0.03) ? 'Group' : dice.pick(['Role', 'ClusterRole', 'ClusterRole']);
  return {
    metadata: { name: `b${dice.between(0, 20)}`, ...(namespace === undefined ? {} : { namespace }) },
    subjects: Array.from({ length: dice.between(dice.chance(0.1) ? 0 : 1, 3) }, () => subject(dice)),
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: dice.pick(ROLE_NAMES) },
  };
}

function request(dice: Dice): Request {
  const who = {
    user: dice.pick(USERS),
    groups: Array.from({ length: dice.between(0, 3) }, () => dice.pick(USER_GROUPS)),
    verb: dice.chance(0.02) ? '*' : dice.pick(VERBS),
  };
  if (dice.chance(0.2)) return { ...who, ...NO_RESOURCE, path: dice.pick(PATHS) };
  return {
    ...who,
    group: dice.chance(0.02) ? '*' : dice.pick(GROUPS),
    resource: dice.chance(0.02) ? '*' : dice.pick(RESOURCES),
    subresource: dice.chance(0.3) ? dice.pick(SUBRESOURCES) : '',
    namespace: dice.chance(0.25) ? '' : dice.pick(NAMESPACES),
    name: dice.pick(NAMES),
    path: '',
  };
}
