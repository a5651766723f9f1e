/** A user hands out no rights that they lack. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PolicyRule } from '../../authorization/policy.ts';
import { having as allowed } from '../testing/policy.ts';
import { type ApiRig, type Asking, startApiRig } from '../testing/rig.ts';

const RBAC = 'rbac.authorization.k8s.io';
const ROOT = `/apis/${RBAC}/v1`;
const LAB = `${ROOT}/namespaces/default`;
const MERGE = { 'content-type': 'application/merge-patch+json' };
const users = { 'token-ann': { name: 'ann', groups: ['dev'] } };
const ann = { kind: 'User', name: 'ann' };

const writing: PolicyRule = {
  verbs: ['create', 'update', 'patch'],
  apiGroups: [RBAC],
  resources: ['roles', 'clusterroles', 'rolebindings', 'clusterrolebindings'],
};
const zones: PolicyRule = { verbs: ['get', 'list'], apiGroups: ['plumb.dev'], resources: ['zones'] };
const more: PolicyRule = { ...zones, verbs: ['get', 'delete'] };

let api: ApiRig;
beforeAll(async () => {
  api = await startApiRig({ users });
});
afterAll(() => api.stop());

const asAnn = (method: string, path: string, asking: Asking = {}) =>
  api.ask(method, path, { token: 'token-ann', ...asking });

/** Ann has these rights while it is tried. */
const having = (rules: readonly PolicyRule[], attempt: () => Promise<void>, namespace?: string) =>
  allowed(api.store, ann, rules, attempt, namespace);

const role = (kind: string, name: string, rules: readonly PolicyRule[], extra: object = {}) => ({
  ...{ apiVersion: `${RBAC}/v1`, kind, metadata: { name }, rules },
  ...extra,
});
const binding = (kind: string, name: string, to: string, roleKind = 'ClusterRole') => ({
  ...{ apiVersion: `${RBAC}/v1`, kind, metadata: { name } },
  roleRef: { apiGroup: RBAC, kind: roleKind, name: to },
  subjects: [{ kind: 'User', name: 'bob' }],
});

test('a role has no rules that its author lacks, in words of Kubernetes', async () => {
  await having([writing, zones], async () => {
    expect((await asAnn('POST', `${ROOT}/clusterroles`, { body: role('ClusterRole', 'a', [zones]) })).status).toBe(201);
    const refused = await asAnn('POST', `${ROOT}/clusterroles`, { body: role('ClusterRole', 'b', [more]) });
    expect([refused.status, refused.body.message]).toEqual([
      403,
      'clusterroles.rbac.authorization.k8s.io "b" is forbidden: user "ann" (groups=["dev"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:["plumb.dev"], Resources:["zones"], Verbs:["delete"]}',
    ]);
    expect(refused.body.details).toEqual({ name: 'b', group: RBAC, kind: 'clusterroles' });
    const path = `${ROOT}/clusterroles/a`;
    expect((await asAnn('PATCH', path, { body: { rules: [more] }, headers: MERGE })).status).toBe(403);
    expect((await asAnn('PUT', path, { body: role('ClusterRole', 'a', [more]) })).status).toBe(403);
    const headers = { 'content-type': 'application/apply-patch+yaml' };
    const applied = { body: role('ClusterRole', 'c', [more]), headers };
    expect((await asAnn('PATCH', `${ROOT}/clusterroles/c?fieldManager=x`, applied)).status).toBe(403);
    expect((await asAnn('PATCH', path, { body: { metadata: { labels: { a: 'b' } } }, headers: MERGE })).status).toBe(
      200,
    );
  });
});

test('what is held in one project is handed out there alone', async () => {
  await having([writing], async () => {
    await having(
      [zones],
      async () => {
        expect((await asAnn('POST', `${LAB}/roles`, { body: role('Role', 'a', [zones]) })).status).toBe(201);
        const elsewhere = await asAnn('POST', `${ROOT}/clusterroles`, { body: role('ClusterRole', 'd', [zones]) });
        expect(elsewhere.status).toBe(403);
      },
      'default',
    );
  });
});

test('who may escalate may write any role; a collecting one needs everything', async () => {
  const gathering = { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] } };
  const collect = (name: string) =>
    asAnn('POST', `${ROOT}/clusterroles`, { body: role('ClusterRole', name, [], gathering) });
  await having([writing, zones], async () => {
    expect((await collect('e')).body.message).toContain(
      'must have cluster-admin privileges to use the aggregationRule',
    );
  });
  await having([{ ...writing, verbs: ['create', 'escalate'] }], async () => {
    expect((await asAnn('POST', `${ROOT}/clusterroles`, { body: role('ClusterRole', 'f', [more]) })).status).toBe(201);
    expect((await collect('g')).status).toBe(201);
  });
});

test('a binding gives nothing that its author lacks, unless he may bind that role', async () => {
  await api.ask('POST', `${ROOT}/clusterroles`, { body: role('ClusterRole', 'big', [more]) });
  await api.ask('POST', `${ROOT}/clusterroles`, { body: role('ClusterRole', 'small', [zones]) });
  const inLab = (name: string, to: string) =>
    asAnn('POST', `${LAB}/rolebindings`, { body: binding('RoleBinding', name, to) });
  const everywhere = (name: string, to: string) =>
    asAnn('POST', `${ROOT}/clusterrolebindings`, { body: binding('ClusterRoleBinding', name, to) });
  await having([writing, zones], async () => {
    expect((await inLab('a', 'small')).status).toBe(201);
    expect((await inLab('b', 'big')).body.message).toContain('attempting to grant RBAC permissions not currently held');
    expect((await everywhere('b', 'big')).status).toBe(403);
    expect((await everywhere('b', 'cluster-admin')).status).not.toBe(201);
    expect((await inLab('b', 'nowhere')).status).toBe(404);
    expect((await asAnn('GET', '/apis/plumb.dev/v1/zones')).status).toBe(200);
  });
  const bind: PolicyRule = { verbs: ['bind'], apiGroups: [RBAC], resources: ['clusterroles'], resourceNames: ['big'] };
  await having([writing], async () => {
    await having(
      [bind],
      async () => {
        expect((await inLab('c', 'big')).status).toBe(201);
        expect((await everywhere('c', 'big')).status).toBe(403);
        expect((await inLab('d', 'small')).status).toBe(403);
      },
      'default',
    );
    await having([bind], async () => expect((await everywhere('c', 'big')).status).toBe(201));
  });
});

test('a change set hands out nothing either', async () => {
  const { metadata, rules } = role('ClusterRole', 'h', [more]);
  const set = {
    ...{ apiVersion: 'plumb.dev/v1', kind: 'ChangeSet', metadata: { name: 'roles' } },
    spec: { objects: [{ apiVersion: `${RBAC}/v1`, kind: 'ClusterRole', metadata, rules }] },
  };
  const sets: PolicyRule = { verbs: ['create'], apiGroups: ['plumb.dev'], resources: ['changesets'] };
  await having([writing, sets], async () => {
    const answer = await asAnn('POST', '/apis/plumb.dev/v1/namespaces/default/changesets', { body: set });
    expect(answer.status).toBeOneOf([400, 403, 422]);
  });
});
