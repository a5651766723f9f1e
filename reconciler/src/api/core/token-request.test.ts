import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiRig, type Asking, manifests, startApiRig, V1 } from '../testing/rig.ts';

const ACCOUNTS = '/api/v1/namespaces/default/serviceaccounts';
const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const DAY_SECONDS = 86_400;

let api: ApiRig;
beforeAll(async () => {
  api = await startApiRig();
  await api.ask('POST', `${V1}/zones`, { body: manifests.zone('home') });
});
afterAll(() => api.stop());

async function account(name: string): Promise<void> {
  const body = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } };
  expect((await api.ask('POST', ACCOUNTS, { body })).status).toBe(201);
}

async function bindView(name: string, namespace = 'default'): Promise<void> {
  const body = {
    ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata: { name } },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    subjects: [{ kind: 'ServiceAccount', name, namespace: 'default' }],
  };
  expect((await api.ask('POST', `${RBAC}/namespaces/${namespace}/rolebindings`, { body })).status).toBe(201);
}

const request = (name: string, spec: object = {}, asking: Asking = {}) =>
  api.ask('POST', `${ACCOUNTS}/${name}/token`, {
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec },
    ...asking,
  });
const tokenOf = async (name: string, spec: object = {}): Promise<string> =>
  (await request(name, spec)).body.status.token;
const instances = (token: string) => api.ask('GET', `${V1}/namespaces/default/instances`, { token });

test('a ServiceAccount that may view a project does that with its token, and nothing else', async () => {
  await account('viewer');
  await bindView('viewer');
  const { status, body } = await request('viewer');
  expect([status, body.kind, body.metadata.name, body.metadata.namespace]).toEqual([
    201,
    'TokenRequest',
    'viewer',
    'default',
  ]);
  expect(body.spec).toEqual({ audiences: ['https://plumb.internal'], expirationSeconds: 3600, boundObjectRef: null });
  expect(Date.parse(body.status.expirationTimestamp) - api.clock.now()).toBeLessThanOrEqual(3_600_000);
  const { token } = body.status;
  expect((await instances(token)).status).toBe(200);
  expect((await api.ask('POST', `${V1}/namespaces/default/instances`, { token, body: {} })).status).toBe(403);
  expect((await api.ask('GET', `${V1}/namespaces/lab/instances`, { token })).status).toBe(403);
  expect((await api.ask('GET', `${V1}/hosts`, { token })).status).toBe(403);
  // Everybody may look at what the estate offers.
  expect((await api.ask('GET', `${V1}/zones`, { token })).body.items).toHaveLength(1);
  expect((await api.ask('GET', '/apis', { token })).status).toBe(200);
  const who = await api.ask('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', { token, body: {} });
  const { uid } = (await api.ask('GET', `${ACCOUNTS}/viewer`)).body.metadata;
  expect(who.body.status.userInfo).toEqual({
    username: 'system:serviceaccount:default:viewer',
    uid,
    groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
    extra: { 'authentication.kubernetes.io/credential-id': [expect.stringMatching(/^JTI=[\w-]{36}$/)] },
  });
});

test('it is a JSON Web Token that others can read', async () => {
  await account('reader');
  const token = await tokenOf('reader', { audiences: ['vault'] });
  const [head, claims] = token
    .split('.', 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>);
  expect(head).toMatchObject({ alg: 'ES256', typ: 'JWT' });
  expect(claims).toMatchObject({
    ...{ iss: 'https://plumb.internal', aud: ['vault'], sub: 'system:serviceaccount:default:reader' },
    'kubernetes.io': { namespace: 'default', serviceaccount: { name: 'reader' } },
  });
  expect(Number(claims?.exp) - Number(claims?.iat)).toBe(3600);
});

describe('a token is void', () => {
  test('when its time is over, and what it watches ends', async () => {
    await account('short');
    await bindView('short');
    const token = await tokenOf('short', { expirationSeconds: 600 });
    const watch = api.watch(`${V1}/namespaces/default/instances?watch=true`, { authorization: `Bearer ${token}` });
    expect(await watch.status).toBe(200);
    await api.clock.advance(599_000);
    expect((await instances(token)).status).toBe(200);
    await api.clock.advance(2_000);
    expect((await instances(token)).status).toBe(401);
    expect(await watch.next()).toBeUndefined();
  });

  test('when its account is gone, also if another one has its name, and what it watches ends', async () => {
    await account('gone');
    await bindView('gone');
    const token = await tokenOf('gone');
    const watch = api.watch(`${V1}/namespaces/default/instances?watch=true`, { authorization: `Bearer ${token}` });
    expect(await watch.status).toBe(200);
    expect((await instances(token)).status).toBe(200);
    await api.ask('DELETE', `${ACCOUNTS}/gone`);
    expect((await instances(token)).status).toBe(401);
    expect(await watch.next()).toBeUndefined();
    await account('gone');
    expect((await instances(token)).status).toBe(401);
    expect((await instances(await tokenOf('gone'))).status).toBe(200);
  });

  test('for other audiences than its own, and this API is one', async () => {
    await account('elsewhere');
    await bindView('elsewhere');
    const token = await tokenOf('elsewhere', { audiences: ['vault', 'argocd'] });
    expect((await instances(token)).status).toBe(401);
    const review = async (audiences?: string[]) =>
      (await api.ask('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { body: { spec: { token, audiences } } }))
        .body.status;
    expect(await review(['argocd', 'x'])).toMatchObject({
      authenticated: true,
      audiences: ['argocd'],
      user: { username: 'system:serviceaccount:default:elsewhere' },
    });
    expect((await review()).authenticated).toBeUndefined();
    const both = await tokenOf('elsewhere', { audiences: ['vault', 'https://plumb.internal'] });
    expect((await instances(both)).status).toBe(200);
  });

  test('when a byte of it is another, or it is signed by another key, or not at all', async () => {
    await account('forged');
    await bindView('forged');
    const token = await tokenOf('forged');
    const [head = '', claims = '', signature = ''] = token.split('.');
    const other = await startApiRig();
    try {
      await other.ask('POST', ACCOUNTS, { body: { metadata: { name: 'forged' } } });
      const foreign = await other.ask('POST', `${ACCOUNTS}/forged/token`, { body: {} });
      const more = Buffer.from(claims, 'base64url').toString().replace('forged', 'default');
      const none = Buffer.from('{"alg":"none"}').toString('base64url');
      const last = signature.slice(0, -1) + String.fromCharCode(signature.charCodeAt(signature.length - 1) ^ 1);
      for (const wrong of [
        foreign.body.status.token,
        `${head}.${Buffer.from(more).toString('base64url')}.${signature}`,
        `${none}.${claims}.`,
        `${none}.${claims}.${signature}`,
        `${head}.${claims}.${last}`,
        `${head}.${claims}.`,
        `${head}.${claims}`,
        `${token}.x`,
        `${head}.${claims}.${signature}=`,
        `${head}..${signature}`,
        '..',
      ])
        expect([wrong, (await instances(wrong)).status]).toEqual([wrong, 401]);
    } finally {
      await other.stop();
    }
    expect((await instances(token)).status).toBe(200);
  });
});

test('what cannot be is refused', async () => {
  await account('odd');
  expect((await request('none')).status).toBe(404);
  for (const spec of [
    { expirationSeconds: 599 },
    { expirationSeconds: 367 * DAY_SECONDS },
    { audiences: [''] },
    { audiences: Array.from({ length: 17 }, (_, i) => `a${i}`) },
  ])
    expect([spec, (await request('odd', spec)).status]).toEqual([spec, 422]);
  expect((await request('odd', { expirationSeconds: 'x' })).status).toBe(400);
  expect((await request('odd', { boundObjectRef: { kind: 'Pod', name: 'x' } })).status).toBe(400);
  expect((await api.ask('POST', `${ACCOUNTS}/odd/token`, { body: { metadata: { name: 'other' } } })).status).toBe(400);
  expect((await api.ask('POST', `${ACCOUNTS}/odd/token?dryRun=All`, { body: {} })).status).toBe(422);
  for (const method of ['GET', 'PUT', 'DELETE'])
    expect([method, (await api.ask(method, `${ACCOUNTS}/odd/token`)).status]).toEqual([method, 405]);
  expect(
    (await request('odd', { expirationSeconds: 365 * DAY_SECONDS, audiences: null, boundObjectRef: null })).status,
  ).toBeOneOf([201, 422]);
});

test('discovery names it', async () => {
  const { resources } = (await api.ask('GET', '/api/v1')).body;
  expect(resources).toContainEqual({
    ...{ name: 'serviceaccounts/token', singularName: '', namespaced: true },
    ...{ group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest', verbs: ['create'] },
  });
});
