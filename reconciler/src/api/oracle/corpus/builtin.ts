/** Kubernetes' own kinds: the same requests of each, and what is odd about some. */
import type { Ask, Case, CorpusClass } from '../case.ts';

const MERGE = { 'content-type': 'application/merge-patch+json' };
const STRATEGIC = { 'content-type': 'application/strategic-merge-patch+json' };
const JSON_PATCH = { 'content-type': 'application/json-patch+json' };
const TABLE = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
const METADATA = { accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' };
const METADATA_LIST = { accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' };

interface Subject {
  apiVersion: string;
  kind: string;
  /** Of the collection. */
  path: string;
  fields: object;
  /** What a change changes. */
  change: object;
}

const core = (plural: string) => `/api/v1/namespaces/{ns}/${plural}`;
const rbac = (plural: string) => `/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/${plural}`;
const RULES = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }];
const SUBJECTS = [{ kind: 'User', name: 'ann', apiGroup: 'rbac.authorization.k8s.io' }];

export const subjects: Record<string, Subject> = {
  configmaps: {
    ...{ apiVersion: 'v1', kind: 'ConfigMap', path: core('configmaps') },
    ...{ fields: { data: { a: 'b' } }, change: { data: { c: 'd' } } },
  },
  secrets: {
    ...{ apiVersion: 'v1', kind: 'Secret', path: core('secrets') },
    ...{ fields: { stringData: { a: 'b' } }, change: { data: { c: 'ZA==' } } },
  },
  serviceaccounts: {
    ...{ apiVersion: 'v1', kind: 'ServiceAccount', path: core('serviceaccounts') },
    ...{ fields: { secrets: [{ name: 's' }] }, change: { automountServiceAccountToken: false } },
  },
  roles: {
    ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', path: rbac('roles') },
    ...{ fields: { rules: RULES }, change: { rules: [{ ...RULES[0], verbs: ['get', 'list'] }] } },
  },
  rolebindings: {
    ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', path: rbac('rolebindings') },
    fields: {
      subjects: SUBJECTS,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' },
    },
    change: { subjects: [{ kind: 'ServiceAccount', name: 'x', namespace: '{ns}' }] },
  },
  leases: {
    ...{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' },
    path: '/apis/coordination.k8s.io/v1/namespaces/{ns}/leases',
    fields: { spec: { holderIdentity: 'a', leaseDurationSeconds: 15, renewTime: '2026-01-01T00:00:00.500000Z' } },
    change: { spec: { holderIdentity: 'b', leaseTransitions: 1 } },
  },
};

const objectOf = ({ apiVersion, kind, fields }: Subject, name: string, metadata: object = {}) => ({
  ...{ apiVersion, kind, metadata: { name, ...metadata } },
  ...fields,
});

const lives = (subject: Subject): Case[] => {
  const { path, change } = subject;
  const one = objectOf(subject, 'a', { labels: { of: 'a' } });
  const made: Ask = { method: 'POST', path, body: one, setUp: true };
  return [
    {
      name: 'life',
      steps: [
        { method: 'POST', path, body: one },
        { method: 'POST', path, body: one },
        { path: `${path}/a` },
        { path: `${path}?labelSelector=of%3Da` },
        { path: `${path}?labelSelector=of%3Da`, headers: TABLE },
        { path: `${path}/a`, headers: TABLE },
        { path: `${path}/a`, headers: METADATA },
        { path: `${path}?labelSelector=of%3Da`, headers: METADATA_LIST },
        { method: 'PATCH', path: `${path}/a`, headers: MERGE, body: change },
        { method: 'PATCH', path: `${path}/a`, headers: MERGE, body: change },
        { method: 'PATCH', path: `${path}/a`, headers: STRATEGIC, body: { metadata: { labels: { b: 'c' } } } },
        {
          method: 'PATCH',
          path: `${path}/a`,
          headers: JSON_PATCH,
          body: [{ op: 'remove', path: '/metadata/labels/b' }],
        },
        { method: 'PUT', path: `${path}/a`, body: one },
        { method: 'PUT', path: `${path}/a`, body: objectOf(subject, 'a', { resourceVersion: '1' }) },
        { method: 'DELETE', path: `${path}/a?dryRun=All` },
        { method: 'DELETE', path: `${path}/a` },
        { path: `${path}/a` },
        { method: 'DELETE', path: `${path}/a` },
        { method: 'PATCH', path: `${path}/a`, headers: MERGE, body: change },
      ],
    },
    {
      name: 'tried',
      steps: [
        { method: 'POST', path: `${path}?dryRun=All`, body: one },
        { path: `${path}/a` },
        made,
        { method: 'PATCH', path: `${path}/a?dryRun=All`, headers: MERGE, body: change },
        { method: 'POST', path: `${path}?dryRun=some`, body: objectOf(subject, 'b') },
        { method: 'POST', path, body: { ...objectOf(subject, 'b'), kind: 'Bogus' } },
        { method: 'POST', path, body: { ...objectOf(subject, 'b'), apiVersion: 'v9' } },
        { method: 'POST', path, body: objectOf(subject, 'B') },
        { method: 'POST', path, body: objectOf(subject, 'b', { namespace: 'elsewhere' }) },
        { method: 'POST', path, body: objectOf(subject, '', { generateName: 'g-' }) },
        { method: 'PUT', path: `${path}/b`, body: objectOf(subject, 'c') },
        { method: 'POST', path, body: 'x' },
      ],
    },
    {
      name: 'held',
      steps: [
        { method: 'POST', path, body: objectOf(subject, 'h', { finalizers: ['example.com/x'] }) },
        { method: 'DELETE', path: `${path}/h` },
        { path: `${path}/h` },
        { method: 'PATCH', path: `${path}/h`, headers: MERGE, body: { metadata: { finalizers: null } } },
        { path: `${path}/h` },
      ],
    },
    {
      name: 'methods',
      steps: [
        made,
        { method: 'PUT', path, body: {} },
        { method: 'PATCH', path, headers: MERGE, body: {} },
        { method: 'POST', path: `${path}/a`, body: {} },
        { method: 'OPTIONS', path },
        { method: 'OPTIONS', path: `${path}/a` },
        { path: `${path}/a/bogus` },
        { path: `${path}/a/b/c` },
        { method: 'POST', path: `${path}/a/status`, body: {} },
        { path: `${path}/a`, headers: { accept: 'text/html' } },
        { path, headers: { accept: 'text/html' } },
        { path: `${path}/a`, headers: { accept: 'application/yaml' } },
        { path: `${path}/a`, headers: { accept: 'application/vnd.kubernetes.protobuf' } },
        { path: `${path}/a`, headers: { accept: 'application/vnd.kubernetes.protobuf,application/json' } },
        { path, headers: { accept: 'application/*' } },
        { path: `${path}/none`, headers: { accept: 'application/yaml' } },
        { method: 'PATCH', path: `${path}/a`, headers: { 'content-type': 'application/json' }, body: {} },
        { method: 'POST', path, headers: { 'content-type': 'text/plain' }, body: 'x' },
      ],
    },
    {
      name: 'watched',
      steps: [
        {
          watch: `${path}?watch=true&labelSelector=of%3Da`,
          during: [
            { method: 'POST', path, body: one },
            { method: 'PATCH', path: `${path}/a`, headers: MERGE, body: change },
            { method: 'PATCH', path: `${path}/a`, headers: MERGE, body: { metadata: { labels: { of: 'b' } } } },
            { method: 'PATCH', path: `${path}/a`, headers: MERGE, body: { metadata: { labels: { of: 'a' } } } },
            { method: 'DELETE', path: `${path}/a` },
          ],
        },
      ],
    },
    {
      name: 'many',
      steps: [
        ...['x', 'y', 'z'].map(
          (name): Ask => ({
            ...{ method: 'POST', path, setUp: true },
            body: objectOf(subject, name, { labels: { of: 'many' } }),
          }),
        ),
        { path: `${path}?labelSelector=of%3Dmany&limit=2`, save: 'page' },
        { path: `${path}?labelSelector=of%3Dmany&limit=2&continue={page.continue}` },
        { path: `${path}?fieldSelector=metadata.name%3Dy` },
        { path: `${path}?fieldSelector=spec.x%3Dy` },
        { method: 'DELETE', path: `${path}?labelSelector=of%3Dmany` },
        { path: `${path}?labelSelector=of%3Dmany` },
      ],
    },
  ];
};

export const builtin: CorpusClass = {
  name: 'builtin',
  cases: Object.entries(subjects).flatMap(([plural, subject]) =>
    lives(subject).map((one) => ({ ...one, name: `${plural}-${one.name}` })),
  ),
};
