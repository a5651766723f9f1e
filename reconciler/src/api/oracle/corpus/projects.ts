/** Namespaces, events, and what is asked about rights and tokens. */
import type { Ask, Case, CorpusClass } from '../case.ts';
import { network } from '../subjects.ts';

const MERGE = { 'content-type': 'application/merge-patch+json' };
const STRATEGIC = { 'content-type': 'application/strategic-merge-patch+json' };
const TABLE = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
const SPACES = '/api/v1/namespaces';
const GROUP = '/apis/plumb.dev/v1';
const space = (metadata: object = {}, more: object = {}) => ({
  ...{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: '{id}', ...metadata } },
  ...more,
});
/** What keeps the namespace: without a controller it stays there as it is. */
const inside: Ask = {
  ...{ method: 'POST', path: `${GROUP}/namespaces/{id}/l3networks`, setUp: true },
  body: network('a'),
};

const namespaces: Case[] = [
  {
    name: 'namespace-life',
    steps: [
      { method: 'POST', path: SPACES, body: space({ labels: { a: 'b' } }) },
      { method: 'POST', path: SPACES, body: space() },
      { path: `${SPACES}/{id}` },
      { path: `${SPACES}?fieldSelector=metadata.name%3D{id}` },
      { path: `${SPACES}?labelSelector=kubernetes.io/metadata.name%3D{id}`, headers: TABLE },
      { path: `${SPACES}/{id}`, headers: TABLE },
      { path: `${SPACES}?fieldSelector=metadata.name%3D{id},status.phase%3DActive` },
      { path: `${SPACES}?fieldSelector=status.phase%3DTerminating,metadata.name%3D{id}` },
      { method: 'PATCH', path: `${SPACES}/{id}`, headers: STRATEGIC, body: { metadata: { labels: { c: 'd' } } } },
      { method: 'PATCH', path: `${SPACES}/{id}`, headers: MERGE, body: { metadata: { labels: null } } },
      { method: 'PATCH', path: `${SPACES}/{id}`, headers: MERGE, body: { spec: { finalizers: [] } } },
      { method: 'PUT', path: `${SPACES}/{id}`, body: space({ annotations: { n: 'o' } }) },
      { path: `${SPACES}/{id}/status` },
      { method: 'DELETE', path: SPACES },
      { method: 'DELETE', path: `${SPACES}/{id}?dryRun=All` },
      { method: 'OPTIONS', path: SPACES },
      { path: `${SPACES}/{id}/bogus/x` },
      { method: 'POST', path: `${SPACES}?dryRun=All`, body: space({ name: 'Bad_Name' }), pick: ['reason', 'code'] },
      { method: 'DELETE', path: `${SPACES}/none-{id}` },
      { path: `${SPACES}/none-{id}` },
    ],
  },
  {
    name: 'namespace-goes',
    steps: [
      { method: 'POST', path: SPACES, body: space(), setUp: true },
      inside,
      { method: 'DELETE', path: `${SPACES}/{id}` },
      { method: 'POST', path: `${GROUP}/namespaces/{id}/l3networks`, body: network('b') },
      {
        ...{ method: 'POST', path: `${SPACES}/{id}/configmaps` },
        body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'b' } },
      },
      { path: `${SPACES}/{id}`, pick: ['kind', 'spec', 'status.phase', 'metadata.name'] },
      { method: 'DELETE', path: `${SPACES}/{id}`, pick: ['kind', 'spec', 'status.phase', 'metadata.name'] },
      { path: `${SPACES}?fieldSelector=status.phase%3DTerminating,metadata.name%3D{id}`, pick: ['kind'] },
    ],
  },
  {
    name: 'namespace-preconditions',
    steps: [
      { method: 'POST', path: SPACES, body: space(), setUp: true },
      { method: 'DELETE', path: `${SPACES}/{id}`, body: { preconditions: { uid: 'x' } } },
      { method: 'DELETE', path: `${SPACES}/{id}`, body: { preconditions: { resourceVersion: '1' } } },
      { method: 'DELETE', path: `${SPACES}/{id}?propagationPolicy=Bogus` },
      { method: 'DELETE', path: `${SPACES}/default` },
    ],
  },
];

const EVENTS = '/api/v1/namespaces/{ns}/events';
const EVENTS_V1 = '/apis/events.k8s.io/v1/namespaces/{ns}/events';
const about = { kind: 'L3Network', namespace: '{ns}', name: 'a', apiVersion: 'plumb.dev/v1' };
const event = (name: string, more: object = {}) => ({
  ...{ apiVersion: 'v1', kind: 'Event', metadata: { name }, involvedObject: about },
  ...{ reason: 'Told', message: 'a sentence', type: 'Normal', count: 1, source: { component: 'c', host: 'h' } },
  ...{ firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: '2026-01-01T00:01:00Z', ...more },
});
const newer = (name: string, more: object = {}) => ({
  ...{ apiVersion: 'events.k8s.io/v1', kind: 'Event', metadata: { name }, regarding: about },
  ...{ reason: 'Told', note: 'a sentence', type: 'Warning', action: 'Tell', eventTime: '2026-01-01T00:00:00.500000Z' },
  ...{ reportingController: 'example.com/c', reportingInstance: 'c-0', ...more },
});

const { note: _note, ...withoutNote } = newer('b');

const events: Case[] = [
  {
    name: 'event-life',
    steps: [
      { method: 'POST', path: EVENTS, body: event('a') },
      { method: 'POST', path: EVENTS, body: event('a') },
      { path: `${EVENTS}/a` },
      { path: `${EVENTS_V1}/a` },
      { path: EVENTS },
      { path: EVENTS_V1 },
      { path: `${EVENTS}/a`, headers: TABLE },
      { path: `${EVENTS_V1}/a`, headers: TABLE },
      { method: 'PATCH', path: `${EVENTS}/a`, headers: STRATEGIC, body: { count: 2 } },
      { method: 'PATCH', path: `${EVENTS_V1}/a`, headers: MERGE, body: { metadata: { labels: { a: 'b' } } } },
      { method: 'PATCH', path: `${EVENTS_V1}/a`, headers: MERGE, body: { note: 'another' } },
      { method: 'PUT', path: `${EVENTS}/a`, body: event('a', { message: 'another' }) },
      { path: `${EVENTS}?fieldSelector=involvedObject.name%3Da,reason%3DTold` },
      { path: `${EVENTS}?fieldSelector=involvedObject.name%3Db` },
      { path: `${EVENTS}?fieldSelector=source%3Dc,type%3DNormal` },
      { path: `${EVENTS_V1}?fieldSelector=regarding.kind%3DL3Network` },
      { path: `${EVENTS_V1}?fieldSelector=involvedObject.kind%3DL3Network` },
      { path: `${EVENTS}?fieldSelector=bogus%3Dc` },
      { method: 'DELETE', path: `${EVENTS_V1}/a` },
      { path: `${EVENTS}/a` },
    ],
  },
  {
    name: 'event-newer',
    steps: [
      { method: 'POST', path: EVENTS_V1, body: newer('a') },
      { path: `${EVENTS}/a` },
      { path: `${EVENTS}/a`, headers: TABLE },
      {
        ...{ method: 'PATCH', path: `${EVENTS_V1}/a`, headers: MERGE },
        body: { series: { count: 2, lastObservedTime: '2026-01-01T00:02:00.000000Z' } },
      },
      { method: 'PATCH', path: `${EVENTS_V1}/a`, headers: MERGE, body: { series: { count: 1 } } },
      { path: `${EVENTS_V1}/a`, headers: TABLE },
      { method: 'POST', path: EVENTS_V1, body: newer('b', { eventTime: null }) },
      { method: 'POST', path: EVENTS_V1, body: newer('b', { type: 'Odd' }) },
      { method: 'POST', path: EVENTS_V1, body: newer('b', { action: '', reason: '' }) },
      { method: 'POST', path: EVENTS_V1, body: newer('b', { reportingController: 'a b' }) },
      { method: 'POST', path: EVENTS_V1, body: newer('b', { reportingController: '', reportingInstance: '' }) },
      { method: 'POST', path: EVENTS_V1, body: { note: 'x'.repeat(1025), ...withoutNote } },
      { method: 'POST', path: EVENTS_V1, body: newer('b', { deprecatedCount: 3, deprecatedSource: { host: 'h' } }) },
      { method: 'POST', path: EVENTS_V1, body: newer('b', { regarding: { ...about, namespace: 'elsewhere' } }) },
      { method: 'POST', path: EVENTS, body: event('b', { involvedObject: { ...about, namespace: 'elsewhere' } }) },
      { method: 'POST', path: EVENTS, body: event('b', { involvedObject: { kind: 'Zone', name: 'z' } }) },
      { method: 'POST', path: EVENTS, body: event('c', { count: 'x' }), pick: ['reason', 'code'] },
      { method: 'POST', path: `${EVENTS}?dryRun=All`, body: event('d') },
      { path: `${EVENTS}/d` },
    ],
  },
  {
    name: 'event-watched',
    steps: [
      {
        watch: `${EVENTS}?watch=true&fieldSelector=reason%3DTold`,
        during: [
          { method: 'POST', path: EVENTS, body: event('a') },
          { method: 'PATCH', path: `${EVENTS}/a`, headers: MERGE, body: { count: 5 } },
          { method: 'PATCH', path: `${EVENTS}/a`, headers: MERGE, body: { reason: 'Other' } },
          { method: 'DELETE', path: `${EVENTS}/a` },
        ],
      },
    ],
  },
  {
    name: 'event-many',
    steps: [
      ...['a', 'b', 'c'].map((name): Ask => ({ method: 'POST', path: EVENTS, body: event(name), setUp: true })),
      { path: `${EVENTS}?limit=2`, save: 'page' },
      { path: `${EVENTS}?limit=2&continue={page.continue}` },
      { method: 'DELETE', path: `${EVENTS}?fieldSelector=metadata.name%3Da` },
      { path: EVENTS },
    ],
  },
];

const AUTHORIZATION = '/apis/authorization.k8s.io/v1';
const AUTHENTICATION = '/apis/authentication.k8s.io/v1';
const review = (apiVersion: string, kind: string, spec: unknown) => ({ apiVersion, kind, metadata: {}, spec });
const access = (kind: string, spec: unknown, path = `${AUTHORIZATION}/${kind.toLowerCase()}s`): Ask => ({
  ...{ method: 'POST', path },
  body: review('authorization.k8s.io/v1', kind, spec),
});
const attributes = { verb: 'get', group: 'plumb.dev', resource: 'zones', namespace: '' };
const reviews: Case[] = [
  {
    name: 'self-subject-access-review',
    steps: [
      access('SelfSubjectAccessReview', { resourceAttributes: attributes }),
      access('SelfSubjectAccessReview', { nonResourceAttributes: { path: '/healthz', verb: 'get' } }),
      access('SelfSubjectAccessReview', {}),
      access('SelfSubjectAccessReview', {
        ...{ resourceAttributes: attributes, nonResourceAttributes: { path: '/', verb: 'get' } },
      }),
      { ...access('SelfSubjectAccessReview', { resourceAttributes: { verb: 3 } }), pick: ['reason', 'code'] },
      { path: `${AUTHORIZATION}/selfsubjectaccessreviews` },
      { method: 'DELETE', path: `${AUTHORIZATION}/selfsubjectaccessreviews/a` },
      { path: AUTHORIZATION },
    ],
  },
  {
    name: 'subject-access-review',
    steps: [
      access('SubjectAccessReview', { resourceAttributes: attributes, user: 'somebody' }),
      access('SubjectAccessReview', { resourceAttributes: attributes, groups: ['system:masters'] }),
      access('SubjectAccessReview', { resourceAttributes: attributes }),
      access('SubjectAccessReview', { user: 'somebody' }),
      access('SubjectAccessReview', { nonResourceAttributes: { path: '/api', verb: 'get' }, user: 'somebody' }),
      access(
        'LocalSubjectAccessReview',
        { resourceAttributes: { ...attributes, namespace: '{ns}' }, user: 'somebody' },
        `${AUTHORIZATION}/namespaces/{ns}/localsubjectaccessreviews`,
      ),
      access(
        'LocalSubjectAccessReview',
        { resourceAttributes: { ...attributes, namespace: 'elsewhere' }, user: 'somebody' },
        `${AUTHORIZATION}/namespaces/{ns}/localsubjectaccessreviews`,
      ),
    ],
  },
  {
    name: 'self-subject-rules-review',
    steps: [
      { ...access('SelfSubjectRulesReview', { namespace: '{ns}' }), pick: ['kind', 'apiVersion', 'spec'] },
      access('SelfSubjectRulesReview', {}),
    ],
  },
  {
    name: 'self-subject-review',
    steps: [
      {
        ...{ method: 'POST', path: `${AUTHENTICATION}/selfsubjectreviews` },
        body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
        pick: ['kind', 'apiVersion', 'status.userInfo.username'],
      },
      { path: `${AUTHENTICATION}/selfsubjectreviews` },
      { path: AUTHENTICATION },
    ],
  },
  {
    name: 'token-review',
    steps: [
      {
        ...{ method: 'POST', path: `${AUTHENTICATION}/tokenreviews` },
        body: review('authentication.k8s.io/v1', 'TokenReview', { token: 'unknown' }),
        pick: ['kind', 'apiVersion', 'status.authenticated', 'spec'],
      },
      {
        ...{ method: 'POST', path: `${AUTHENTICATION}/tokenreviews` },
        body: review('authentication.k8s.io/v1', 'TokenReview', {}),
      },
    ],
  },
  {
    name: 'token-request',
    steps: [
      {
        ...{ method: 'POST', path: '/api/v1/namespaces/{ns}/serviceaccounts', setUp: true },
        body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'robot' } },
      },
      ...[{}, { expirationSeconds: 600 }].map(
        (spec): Ask => ({
          ...{ method: 'POST', path: '/api/v1/namespaces/{ns}/serviceaccounts/robot/token' },
          body: review('authentication.k8s.io/v1', 'TokenRequest', spec),
          pick: ['kind', 'apiVersion', 'metadata.name', 'metadata.namespace', 'spec.expirationSeconds'],
        }),
      ),
      ...[
        { expirationSeconds: 1 },
        { expirationSeconds: 2 ** 33 },
        { boundObjectRef: { kind: 'Bogus', name: 'x' } },
      ].map(
        (spec): Ask => ({
          ...{ method: 'POST', path: '/api/v1/namespaces/{ns}/serviceaccounts/robot/token' },
          body: review('authentication.k8s.io/v1', 'TokenRequest', spec),
        }),
      ),
      {
        ...{ method: 'POST', path: '/api/v1/namespaces/{ns}/serviceaccounts/none/token' },
        body: review('authentication.k8s.io/v1', 'TokenRequest', {}),
      },
      { path: '/api/v1/namespaces/{ns}/serviceaccounts/robot/token' },
    ],
  },
];

const RULES = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }];
const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const rights: Case[] = [
  {
    name: 'cluster-roles',
    steps: [
      {
        ...{ method: 'POST', path: `${RBAC}/clusterroles` },
        body: {
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: 'ClusterRole',
          metadata: { name: '{id}' },
          rules: RULES,
        },
      },
      { path: `${RBAC}/clusterroles/{id}` },
      { path: `${RBAC}/clusterroles/{id}`, headers: TABLE },
      { method: 'PATCH', path: `${RBAC}/clusterroles/{id}`, headers: MERGE, body: { rules: null } },
      {
        ...{ method: 'PATCH', path: `${RBAC}/clusterroles/{id}`, headers: MERGE },
        body: { rules: [{ nonResourceURLs: ['/x'], verbs: ['get'] }] },
      },
      {
        ...{ method: 'PATCH', path: `${RBAC}/clusterroles/{id}`, headers: MERGE },
        body: { rules: [{ apiGroups: [''], verbs: ['get'] }] },
      },
      {
        ...{ method: 'PATCH', path: `${RBAC}/clusterroles/{id}`, headers: MERGE },
        body: { rules: [{ apiGroups: [''], resources: ['x'], verbs: [] }] },
      },
      { method: 'DELETE', path: `${RBAC}/clusterroles/{id}` },
    ],
  },
  {
    name: 'cluster-role-bindings',
    steps: [
      {
        ...{ method: 'POST', path: `${RBAC}/clusterrolebindings` },
        body: {
          ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata: { name: '{id}' } },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
          subjects: [{ kind: 'Group', name: 'g' }],
        },
      },
      { path: `${RBAC}/clusterrolebindings/{id}`, headers: TABLE },
      {
        ...{ method: 'PATCH', path: `${RBAC}/clusterrolebindings/{id}`, headers: MERGE },
        body: { roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' } },
      },
      {
        ...{ method: 'PATCH', path: `${RBAC}/clusterrolebindings/{id}`, headers: MERGE },
        body: { subjects: [{ kind: 'ServiceAccount', name: 'x' }] },
      },
      {
        ...{ method: 'PATCH', path: `${RBAC}/clusterrolebindings/{id}`, headers: MERGE },
        body: { subjects: [{ kind: 'Robot', name: 'x' }] },
      },
      { method: 'PATCH', path: `${RBAC}/clusterrolebindings/{id}`, headers: MERGE, body: { subjects: null } },
      { method: 'DELETE', path: `${RBAC}/clusterrolebindings/{id}` },
    ],
  },
];

export const projects: CorpusClass = {
  name: 'projects',
  cases: [...namespaces, ...events, ...reviews, ...rights],
};
