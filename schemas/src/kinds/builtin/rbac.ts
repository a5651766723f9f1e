/** What the four kinds of rbac.authorization.k8s.io/v1 have in common. Rules: pkg/apis/rbac/validation of Kubernetes. */
import type { FieldError } from '../../meta/error.ts';
import { SEGMENT_PATTERN, SUBDOMAIN_PATTERN } from '../../meta/schema.ts';
import type { ValueOf } from '../define.ts';
import { invalid, required, unsupported } from './mistakes.ts';

export const RBAC_GROUP = 'rbac.authorization.k8s.io';

const texts = (description: string) =>
  ({ type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'atomic', description }) as const;

export const policyRule = {
  type: 'object',
  additionalProperties: false,
  properties: {
    verbs: texts('What may be done: get, list, watch, create, update, patch, delete and others; * is all of them.'),
    apiGroups: texts('Groups of the resources; the empty text is the core group, * all groups.'),
    resources: texts('Plurals of kinds, with subresources as in secrets/status; * is all of them.'),
    resourceNames: texts('The rule is for objects of these names only; of every name, if there are none.'),
    nonResourceURLs: texts('Paths that are no resources, such as /metrics; * at the end stands for the rest.'),
  },
} as const;

export const policyRules = {
  type: 'array',
  items: policyRule,
  'x-kubernetes-list-type': 'atomic',
  description: 'What may be done with what; each rule allows, none denies.',
} as const;

export const roleRef = {
  type: 'object',
  additionalProperties: false,
  description: 'The role that is given; it cannot be changed.',
  'x-kubernetes-map-type': 'atomic',
  properties: {
    apiGroup: { type: 'string', 'x-plumb-terraform': false, description: `Always ${RBAC_GROUP}.` },
    kind: { type: 'string', description: 'Role or ClusterRole.' },
    name: { type: 'string', description: 'Name of the role.' },
  },
} as const;

export const subjects = {
  type: 'array',
  'x-kubernetes-list-type': 'atomic',
  description: 'Whom the role is given.',
  items: {
    type: 'object',
    additionalProperties: false,
    'x-kubernetes-map-type': 'atomic',
    properties: {
      kind: { type: 'string', description: 'User, Group or ServiceAccount.' },
      apiGroup: {
        type: 'string',
        'x-plumb-terraform': false,
        description: `${RBAC_GROUP} for users and groups, empty for service accounts.`,
      },
      name: { type: 'string', description: 'Name of the user, the group or the service account.' },
      namespace: { type: 'string', description: 'Project of the service account.' },
    },
  },
} as const;

export type PolicyRule = ValueOf<typeof policyRule>;
export type RoleRef = ValueOf<typeof roleRef>;
export type Subject = ValueOf<typeof subjects>[number];

export interface RoleBindingFields {
  roleRef?: Partial<RoleRef>;
  subjects?: Subject[];
}

export function ruleErrors(rules: readonly PolicyRule[] = [], isNamespaced: boolean): FieldError[] {
  return rules.flatMap((rule, index) => errorsOfRule(rule, isNamespaced, `rules[${index}]`));
}

function errorsOfRule(rule: PolicyRule, isNamespaced: boolean, at: string): FieldError[] {
  const { verbs = [], apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  const errors: FieldError[] = [];
  if (verbs.length === 0) errors.push(required(`${at}.verbs`, 'verbs must contain at least one value'));
  if (nonResourceURLs.length > 0) {
    const refuse = (detail: string) => errors.push(invalid(`${at}.nonResourceURLs`, nonResourceURLs, detail));
    if (isNamespaced) refuse('namespaced rules cannot apply to non-resource URLs');
    if (apiGroups.length > 0 || resources.length > 0 || resourceNames.length > 0)
      refuse('rules cannot apply to both regular resources and non-resource URLs');
    return errors;
  }
  if (apiGroups.length === 0)
    errors.push(required(`${at}.apiGroups`, 'resource rules must supply at least one api group'));
  if (resources.length === 0)
    errors.push(required(`${at}.resources`, 'resource rules must supply at least one resource'));
  return errors;
}

/** Fills in the groups that clients leave out, as Kubernetes does. */
export function normalizeBinding(binding: { roleRef?: unknown; subjects?: unknown }): void {
  binding.roleRef ??= {};
  const ref = binding.roleRef;
  if (isRecord(ref)) ref.apiGroup ||= RBAC_GROUP;
  for (const subject of Array.isArray(binding.subjects) ? binding.subjects : [])
    if (isRecord(subject) && (subject.kind === 'User' || subject.kind === 'Group')) subject.apiGroup ||= RBAC_GROUP;
}

export function bindingErrors(
  binding: RoleBindingFields,
  before: RoleBindingFields | undefined,
  isNamespaced: boolean,
): FieldError[] {
  const { apiGroup = '', kind = '', name = '' } = binding.roleRef ?? {};
  const errors: FieldError[] = [];
  if (apiGroup !== RBAC_GROUP) errors.push(unsupported('roleRef.apiGroup', apiGroup, [RBAC_GROUP]));
  const kinds = isNamespaced ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  if (!kinds.includes(kind)) errors.push(unsupported('roleRef.kind', kind, kinds));
  if (name === '') errors.push(required('roleRef.name'));
  else if (!SEGMENT.test(name))
    errors.push(invalid('roleRef.name', name, "may not be '.' or '..', nor contain '/' or '%'"));
  for (const [index, subject] of (binding.subjects ?? []).entries())
    errors.push(...subjectErrors(subject, isNamespaced, `subjects[${index}]`));
  const old = before?.roleRef;
  if (old && (old.apiGroup !== apiGroup || old.kind !== kind || old.name !== name))
    errors.push(invalid('roleRef', { APIGroup: apiGroup, Kind: kind, Name: name }, 'cannot change roleRef'));
  return errors;
}

const SEGMENT = new RegExp(SEGMENT_PATTERN, 'u');
const SUBDOMAIN = new RegExp(SUBDOMAIN_PATTERN, 'u');

function subjectErrors(subject: Subject, isNamespaced: boolean, at: string): FieldError[] {
  const { kind = '', apiGroup = '', name = '', namespace = '' } = subject;
  const errors: FieldError[] = [];
  if (name === '') errors.push(required(`${at}.name`));
  switch (kind) {
    case 'ServiceAccount':
      if (name !== '' && (name.length > 253 || !SUBDOMAIN.test(name)))
        errors.push(invalid(`${at}.name`, name.slice(0, 253), 'must be a lowercase RFC 1123 subdomain'));
      if (apiGroup !== '') errors.push(unsupported(`${at}.apiGroup`, apiGroup, ['']));
      if (namespace === '' && !isNamespaced) errors.push(required(`${at}.namespace`));
      break;
    case 'User':
    case 'Group':
      if (apiGroup !== RBAC_GROUP) errors.push(unsupported(`${at}.apiGroup`, apiGroup, [RBAC_GROUP]));
      break;
    default:
      errors.push(unsupported(`${at}.kind`, kind, ['ServiceAccount', 'User', 'Group']));
  }
  return errors;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Columns of a binding in a table. */
export const bindingColumns = [
  {
    name: 'Role',
    path: 'roleRef',
    type: 'string',
    shown: ({ kind = '', name = '' }: Partial<RoleRef>) => `${kind}/${name}`,
    description: 'The role that is given.',
  },
  ...(['User', 'Group', 'ServiceAccount'] as const).map(
    (kind) =>
      ({
        name: `${kind}s`,
        path: 'subjects',
        type: 'string',
        priority: 1,
        shown: (all: Subject[]) =>
          all
            .filter((subject) => subject.kind === kind)
            .map(({ namespace, name = '' }) => (kind === 'ServiceAccount' ? `${namespace ?? ''}/${name}` : name))
            .join(', '),
        description: `Every ${kind} that has it.`,
      }) as const,
  ),
] as const;
