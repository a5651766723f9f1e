import { describe, expect, test } from 'vitest';
import { shownPieces, uncovered } from './covers.ts';
import { type Binding, type Identity, RBAC_GROUP, type ResourceAttributes, type Role, type Subject } from './policy.ts';
import { PolicyIndex } from './policy-index.ts';

const asked = (more: Partial<ResourceAttributes> = {}): ResourceAttributes => ({
  ...{ verb: 'get', group: 'plumb.dev', resource: 'instances', subresource: '', namespace: 'lab', name: 'web-0' },
  ...more,
});
const reader = (name = 'reader', labels = {}): Role => ({
  metadata: { name, labels },
  rules: [{ verbs: ['get'], apiGroups: ['plumb.dev'], resources: ['instances'] }],
});
const bound = (name: string, subject: Subject, role = 'reader', kind = 'ClusterRole'): Binding => ({
  metadata: { name },
  subjects: [subject],
  roleRef: { apiGroup: RBAC_GROUP, kind, name: role },
});
const inLab = (binding: Binding): Binding => ({ ...binding, metadata: { ...binding.metadata, namespace: 'lab' } });
const ann: Identity = { name: 'ann', groups: ['dev', 'system:authenticated'] };
const robot: Identity = { name: 'system:serviceaccount:lab:ci', groups: ['system:serviceaccounts'] };

test('what changes counts from the next decision on, for an identity that was asked about before', () => {
  const index = new PolicyIndex();
  const allowed = () => index.decide(ann, asked()).allowed;
  expect(allowed()).toBe(false);
  index.putBinding('lab', inLab(bound('b', { kind: 'User', name: 'ann' })));
  expect(index.decide(ann, asked())).toEqual({
    allowed: false,
    reason: 'RBAC: clusterrole.rbac.authorization.k8s.io "reader" not found',
  });
  index.putClusterRole(reader());
  expect(index.decide(ann, asked())).toEqual({
    allowed: true,
    reason: 'RBAC: allowed by RoleBinding "b/lab" of ClusterRole "reader" to User "ann"',
  });
  expect(index.decide(ann, asked({ namespace: 'other' })).allowed).toBe(false);
  expect(index.decide(ann, asked({ namespace: '' })).allowed).toBe(false);
  index.putBinding('lab', inLab(bound('b', { kind: 'User', name: 'bob' })));
  expect(allowed()).toBe(false);
  index.putBinding('', bound('all', { kind: 'Group', name: 'dev' }));
  expect(allowed()).toBe(true);
  index.putClusterRole({ ...reader(), rules: [] });
  expect(allowed()).toBe(false);
  index.putClusterRole(reader());
  index.removeBinding('', 'all');
  expect(allowed()).toBe(false);
  index.putBinding('', bound('all', { kind: 'Group', name: 'dev' }));
  index.removeClusterRole('reader');
  expect(allowed()).toBe(false);
});

test('a ServiceAccount without a namespace is of that of the RoleBinding, and of none in a ClusterRoleBinding', () => {
  const index = new PolicyIndex();
  index.putClusterRole(reader());
  index.putBinding('', bound('a', { kind: 'ServiceAccount', name: 'ci' }));
  expect(index.decide(robot, asked()).allowed).toBe(false);
  index.putBinding('lab', inLab(bound('b', { kind: 'ServiceAccount', name: 'ci' })));
  expect(index.decide(robot, asked()).reason).toContain('to ServiceAccount "ci/lab"');
  expect(index.decide({ ...robot, name: 'system:serviceaccount:other:ci' }, asked()).allowed).toBe(false);
});

describe('aggregation', () => {
  const aggregate = (name: string, label: string, labels = {}): Role => ({
    metadata: { name, labels },
    rules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [label]: 'true' } }] },
  });

  test('gathers through several roles, and follows labels; own rules count for nothing', () => {
    const index = new PolicyIndex();
    index.putBinding('', bound('b', { kind: 'User', name: 'ann' }, 'admin'));
    index.putClusterRole(aggregate('admin', 'to-admin'));
    index.putClusterRole(aggregate('edit', 'to-edit', { 'to-admin': 'true' }));
    expect(index.decide(ann, asked()).allowed).toBe(false);
    index.putClusterRole(reader('reader', { 'to-edit': 'true' }));
    expect(index.decide(ann, asked()).allowed).toBe(true);
    expect(index.decide(ann, asked({ verb: 'delete' })).allowed).toBe(false);
    index.putClusterRole(reader('reader', { 'to-edit': 'false' }));
    expect(index.decide(ann, asked()).allowed).toBe(false);
  });

  test('roles that gather each other have what either gathers', () => {
    const index = new PolicyIndex();
    index.putClusterRole(aggregate('a', 'to-a', { 'to-b': 'true' }));
    index.putClusterRole(aggregate('b', 'to-b', { 'to-a': 'true' }));
    index.putClusterRole(reader('reader', { 'to-b': 'true' }));
    for (const role of ['a', 'b']) {
      index.putBinding('', bound('b', { kind: 'User', name: 'ann' }, role));
      expect(index.decide(ann, asked()).allowed).toBe(true);
    }
  });
});

test('system:masters may do everything without any policy', () => {
  const index = new PolicyIndex();
  expect(index.decide({ name: 'x', groups: ['system:masters'] }, asked({ verb: 'delete' }))).toEqual({
    allowed: true,
    reason: '',
  });
  expect(index.decide({ name: 'system:masters', groups: [] }, asked()).allowed).toBe(false);
});

test('what somebody lacks is told as Kubernetes tells it, in one line for verbs of one resource', () => {
  const wanted = [
    { verbs: ['get', 'delete'], apiGroups: ['plumb.dev'], resources: ['zones', 'hosts'] },
    { verbs: ['get'], nonResourceURLs: ['/metrics'] },
  ];
  const lacking = uncovered([{ verbs: ['get'], apiGroups: ['plumb.dev'], resources: ['zones'] }], wanted);
  expect(shownPieces(lacking)).toEqual([
    '{APIGroups:["plumb.dev"], Resources:["hosts"], Verbs:["get" "delete"]}',
    '{APIGroups:["plumb.dev"], Resources:["zones"], Verbs:["delete"]}',
    '{NonResourceURLs:["/metrics"], Verbs:["get"]}',
  ]);
});
