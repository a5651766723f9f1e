/** Who may do what is decided before anything else of a request, on every road. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PolicyRule } from '../authorization/policy.ts';
import { auditLine, type Write } from './audit.ts';
import { grant } from './testing/policy.ts';
import { type ApiRig, type Asking, manifests, startApiRig, V1 } from './testing/rig.ts';

const ANN = { name: 'ann', groups: ['dev'] };
const BOB = { name: 'bob', groups: [] };
const users = { 'token-ann': ANN, 'token-bob': BOB };
const ann = { kind: 'User', name: 'ann' };
const read: PolicyRule = {
  verbs: ['get', 'list', 'watch'],
  apiGroups: ['plumb.dev'],
  resources: ['zones', 'l3networks'],
};

let api: ApiRig;
const writes: Write[] = [];
beforeAll(async () => {
  api = await startApiRig({ users, audit: (write) => writes.push(write) });
  await api.ask('POST', `${V1}/zones`, { body: manifests.zone('home') });
  await api.ask('DELETE', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/plumb:estate-user');
});
afterAll(() => api.stop());

const asAnn = (method: string, path: string, asking: Asking = {}) =>
  api.ask(method, path, { token: 'token-ann', ...asking });

test('nothing is allowed to who was given nothing, and the refusal is that of Kubernetes', async () => {
  const { status, body } = await api.ask('GET', `${V1}/zones/home`, { token: 'token-bob' });
  expect([status, body]).toEqual([
    403,
    {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message:
        'zones.plumb.dev "home" is forbidden: User "bob" cannot get resource "zones" in API group "plumb.dev" at the cluster scope',
      reason: 'Forbidden',
      details: { name: 'home', group: 'plumb.dev', kind: 'zones' },
      code: 403,
    },
  ]);
  const inProject = await api.ask('GET', '/api/v1/namespaces/lab/events', { token: 'token-bob' });
  expect(inProject.body.message).toBe(
    'events is forbidden: User "bob" cannot list resource "events" in API group "" in the namespace "lab"',
  );
  expect(inProject.body.details).toEqual({ kind: 'events' });
  const path = await api.ask('GET', '/metrics', { token: 'token-bob' });
  expect([path.body.message, path.body.details]).toEqual(['forbidden: User "bob" cannot get path "/metrics"', {}]);
});

test('whether something is there is not told to who may not look: neither kinds, nor objects, nor endpoints', async () => {
  for (const [method, asked] of [
    ['GET', `${V1}/zones/none`],
    ['GET', `${V1}/nosuchkind`],
    ['GET', '/apis/other.dev/v1/things'],
    ['POST', `${V1}/driftscans`],
    ['POST', `${V1}/nosuchthing`],
    ['GET', `${V1}/flows`],
    ['DELETE', `${V1}/jointokens/x`],
    ['POST', `${V1}/admintoken/rotate`],
    ['GET', `${V1}/authority`],
    ['PUT', `${V1}/zones`],
    ['OPTIONS', `${V1}/zones`],
    ['GET', '/nowhere'],
    ['GET', '/openapi/v3'],
  ] as const)
    expect([asked, (await api.ask(method, asked, { token: 'token-bob' })).status]).toEqual([asked, 403]);
});

test('what is allowed is allowed at once, and no more when it is taken away; what is not there is 404 to who may list it', async () => {
  const given = await grant(api.store, ann, [read]);
  expect((await asAnn('GET', `${V1}/zones/home`)).status).toBe(200);
  expect((await asAnn('GET', `${V1}/zones/none`)).status).toBe(404);
  expect((await asAnn('GET', `${V1}/zones`)).body.items).toHaveLength(1);
  expect((await asAnn('GET', `${V1}/namespaces/lab/l3networks`)).status).toBe(200);
  for (const [method, path] of [
    ['POST', `${V1}/zones`],
    ['PUT', `${V1}/zones/home`],
    ['PATCH', `${V1}/zones/home`],
    ['DELETE', `${V1}/zones/home`],
    ['DELETE', `${V1}/zones`],
    ['GET', `${V1}/zones/home/status`],
    ['GET', `${V1}/images`],
  ] as const) {
    const answer = await asAnn(method, path, { body: method === 'GET' ? undefined : manifests.zone('home') });
    expect([method, path, answer.status]).toEqual([method, path, 403]);
  }
  await given.revoke();
  expect((await asAnn('GET', `${V1}/zones/home`)).status).toBe(403);
});

test('a role that is bound in a project holds there, and for the project itself', async () => {
  const project = { verbs: ['get'], apiGroups: [''], resources: ['namespaces'] };
  const given = await grant(api.store, ann, [read, project], 'default');
  expect((await asAnn('GET', `${V1}/namespaces/default/l3networks`)).status).toBe(200);
  expect((await asAnn('GET', '/api/v1/namespaces/default')).status).toBe(200);
  for (const path of [
    `${V1}/l3networks`,
    `${V1}/namespaces/lab/l3networks`,
    '/api/v1/namespaces',
    '/api/v1/namespaces/lab',
  ])
    expect([path, (await asAnn('GET', path)).status]).toEqual([path, 403]);
  // What is in no project is not in that one either.
  expect((await asAnn('GET', `${V1}/zones/home`)).status).toBe(403);
  await given.revoke();
});

test('a right to one name is a right to a list or a watch of that name alone', async () => {
  const given = await grant(api.store, ann, [{ ...read, resourceNames: ['home'] }]);
  const list = (selector: string) => asAnn('GET', `${V1}/zones?fieldSelector=${encodeURIComponent(selector)}`);
  expect((await list('metadata.name=home')).body.items).toHaveLength(1);
  for (const selector of ['metadata.name!=home', 'metadata.name=', 'metadata.name=other', 'spec.a=metadata.name=home'])
    expect([selector, (await list(selector)).status]).toEqual([selector, 403]);
  expect((await asAnn('GET', `${V1}/zones`)).status).toBe(403);
  await given.revoke();
});

test('a watch is no list', async () => {
  const given = await grant(api.store, ann, [{ ...read, verbs: ['list'] }]);
  for (const query of ['watch=true', 'watch=1', 'watch=', 'watch=x'])
    expect([query, (await asAnn('GET', `${V1}/zones?${query}&timeoutSeconds=1`)).status]).toEqual([query, 403]);
  expect((await asAnn('GET', `${V1}/zones?watch=false`)).status).toBe(200);
  await given.revoke();
});

test('a write that is refused is a line of the audit log', async () => {
  writes.length = 0;
  await asAnn('DELETE', `${V1}/zones/home`);
  expect(writes.map((write) => auditLine(write).replace(/ from=\S+$/, ''))).toEqual([
    'audit user=ann verb=delete object=zones.plumb.dev/home code=403',
  ]);
});

describe('acting as somebody else', () => {
  const as = (headers: Record<string, string | string[]>, asking: Asking = {}, path = `${V1}/zones/home`) =>
    api.ask('GET', path, { headers, ...asking });
  const whoami = async (headers: Record<string, string | string[]>, token?: string) => {
    const asked = { headers, body: {}, ...(token ? { token } : {}) };
    const { status, body } = await api.ask('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', asked);
    return status === 201 ? body.status.userInfo : body.message;
  };

  test('the administrator is who he says, wholly', async () => {
    expect((await as({ 'impersonate-user': 'bob' })).body.message).toContain('User "bob" cannot get');
    const given = await grant(api.store, { kind: 'Group', name: 'dev' }, [
      read,
      { verbs: ['create'], apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'] },
    ]);
    expect((await as({ 'impersonate-user': 'bob', 'impersonate-group': ['ops', 'dev'] })).status).toBe(200);
    expect(await whoami({ 'impersonate-user': 'bob', 'impersonate-group': ['CN=a,DC=b', 'dev'] })).toEqual({
      username: 'bob',
      groups: ['CN=a,DC=b', 'dev', 'system:authenticated'],
    });
    expect(
      await whoami({
        'impersonate-user': 'x',
        'impersonate-group': 'dev',
        'impersonate-uid': '7',
        'impersonate-extra-a%2Fb': ['1', '2'],
      }),
    ).toEqual({
      username: 'x',
      uid: '7',
      groups: ['dev', 'system:authenticated'],
      extra: { 'a/b': ['1', '2'] },
    });
    expect(
      await whoami({ 'impersonate-user': 'system:serviceaccount:lab:ci', 'impersonate-group': 'dev' }),
    ).toMatchObject({
      username: 'system:serviceaccount:lab:ci',
    });
    await given.revoke();
  });

  test.each([
    ['impersonate-user', { resources: ['users'] }, { 'impersonate-user': 'bob' }],
    ['a ServiceAccount', { resources: ['serviceaccounts'] }, { 'impersonate-user': 'system:serviceaccount:lab:ci' }],
    ['a group', { resources: ['groups'] }, { 'impersonate-user': 'ann', 'impersonate-group': 'dev' }],
    [
      'a uid',
      { apiGroups: ['authentication.k8s.io'], resources: ['uids'] },
      { 'impersonate-user': 'ann', 'impersonate-uid': '1' },
    ],
    [
      'a scope',
      { apiGroups: ['authentication.k8s.io'], resources: ['userextras/scopes'] },
      { 'impersonate-user': 'ann', 'impersonate-extra-scopes': 'a' },
    ],
  ] as const)('needs a right for each word: %s', async (_, rule, headers) => {
    const own = await grant(api.store, ann, [
      { verbs: ['impersonate'], apiGroups: [''], resources: ['users'], resourceNames: ['ann'] },
    ]);
    const refused = await as(headers, { token: 'token-ann' });
    expect([refused.status, refused.body.message]).toEqual([
      403,
      expect.stringContaining('cannot impersonate resource'),
    ]);
    const given = await grant(api.store, ann, [{ verbs: ['impersonate'], apiGroups: [''], ...rule } as PolicyRule]);
    expect((await as(headers, { token: 'token-ann' })).body.message).toContain('cannot get resource "zones"');
    await given.revoke();
    await own.revoke();
  });

  test('words without a user, and words that are not known, are mistakes', async () => {
    for (const header of ['impersonate-group', 'impersonate-uid', 'impersonate-extra-a', 'impersonate-usr'])
      expect([header, (await as({ [header]: 'a' })).status]).toEqual([header, 400]);
    expect((await as({ 'impersonate-user': 'a' }, { token: '' })).status).toBe(401);
  });

  test('the audit log names both', async () => {
    writes.length = 0;
    await api.ask('DELETE', `${V1}/zones/home`, { headers: { 'impersonate-user': 'bob' } });
    expect(writes.map((write) => auditLine(write).replace(/ from=\S+$/, ''))).toEqual([
      'audit user=admin as=bob verb=delete object=zones.plumb.dev/home code=403',
    ]);
  });
});

describe('reviews', () => {
  const post = (path: string, spec: object, token?: string) =>
    api.ask('POST', path, { body: { spec }, ...(token ? { token } : {}) });
  const SELF = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  const SUBJECT = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
  const basic: PolicyRule = {
    verbs: ['create'],
    apiGroups: ['*'],
    resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
  };
  const zones = { group: 'plumb.dev', resource: 'zones' };

  test('say what would be decided, and why', async () => {
    const given = await grant(api.store, ann, [basic, read]);
    const self = async (resourceAttributes: object) =>
      (await post(SELF, { resourceAttributes }, 'token-ann')).body.status;
    expect(await self({ ...zones, verb: 'get' })).toEqual({
      allowed: true,
      reason: expect.stringMatching(
        /^RBAC: allowed by ClusterRoleBinding "granted-\d+" of ClusterRole "granted-\d+" to User "ann"$/,
      ),
    });
    expect(await self({ ...zones, verb: 'delete' })).toEqual({ allowed: false });
    const path = await post(SELF, { nonResourceAttributes: { verb: 'get', path: '/metrics' } }, 'token-ann');
    expect(path.body.status).toEqual({ allowed: false });
    const rules = await post(
      '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews',
      { namespace: 'lab' },
      'token-ann',
    );
    expect(rules.body.status).toMatchObject({ incomplete: false, resourceRules: [basic, read], nonResourceRules: [] });
    await given.revoke();
  });

  test('of somebody else need a right', async () => {
    const spec = { user: 'ann', groups: ['dev'], resourceAttributes: { ...zones, verb: 'list' } };
    expect((await post(SUBJECT, spec, 'token-ann')).status).toBe(403);
    expect((await post(SUBJECT, spec)).body.status).toEqual({ allowed: false });
    const given = await grant(api.store, { kind: 'Group', name: 'dev' }, [read]);
    expect((await post(SUBJECT, spec)).body.status.allowed).toBe(true);
    const local = '/apis/authorization.k8s.io/v1/namespaces/lab/localsubjectaccessreviews';
    expect((await post(local, spec)).status).toBe(422);
    const inLab = {
      ...spec,
      resourceAttributes: { ...spec.resourceAttributes, resource: 'l3networks', namespace: 'lab' },
    };
    expect((await post(local, inLab)).body.status.allowed).toBe(true);
    expect(
      (await post(local, { ...spec, resourceAttributes: undefined, nonResourceAttributes: { path: '/', verb: 'get' } }))
        .status,
    ).toBe(422);
    await given.revoke();
    for (const wrong of [
      {},
      { user: 'ann' },
      { resourceAttributes: {} },
      { user: 'a', resourceAttributes: {}, nonResourceAttributes: {} },
    ])
      expect((await post(SUBJECT, wrong)).status).toBe(422);
  });

  test('a token is looked at without being shown', async () => {
    const review = (spec: object) => post('/apis/authentication.k8s.io/v1/tokenreviews', spec);
    expect((await review({ token: 'token-ann' })).body.status).toEqual({
      authenticated: true,
      user: { username: 'ann', groups: ANN.groups },
      audiences: ['https://plumb.internal'],
    });
    expect((await review({ token: 'token-ann', audiences: ['vault'] })).body.status.authenticated).toBeUndefined();
    expect((await review({ token: 'wrong' })).body.status.authenticated).toBeUndefined();
    expect((await review({})).status).toBe(400);
  });
});
