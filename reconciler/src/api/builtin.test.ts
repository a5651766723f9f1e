/** Kubernetes' own kinds over the API: what they take, refuse and give, as a kube-apiserver does. */
import { builtinKinds, everyKind } from '@plumb/schemas';
import { apiVersionOf } from '@plumb/schemas/kinds/define.ts';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type ApiRig, startApiRig } from './testing/rig.ts';

let api: ApiRig;
beforeAll(async () => {
  api = await startApiRig();
});
afterAll(() => api.stop());

const CORE = '/api/v1/namespaces/default';
const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const NAMESPACED_RBAC = `${RBAC}/namespaces/default`;
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/default/leases';

/** Path of the collection → an object that is taken. */
const valid: Record<string, Record<string, unknown>> = {
  '/api/v1/namespaces': {},
  [`${CORE}/secrets`]: { type: 'kubernetes.io/basic-auth', data: { username: 'YQ==' } },
  [`${CORE}/configmaps`]: { data: { 'a.conf': 'x = 1\n' }, binaryData: { b: 'AAEC' } },
  [`${CORE}/serviceaccounts`]: { secrets: [{ name: 'a' }], automountServiceAccountToken: false },
  [`${NAMESPACED_RBAC}/roles`]: { rules: [{ verbs: ['get'], apiGroups: ['plumb.dev'], resources: ['instances'] }] },
  [`${RBAC}/clusterroles`]: { rules: [{ verbs: ['get'], nonResourceURLs: ['/metrics'] }] },
  [`${NAMESPACED_RBAC}/rolebindings`]: {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
    subjects: [{ kind: 'ServiceAccount', name: 'builder', namespace: 'default' }],
  },
  [`${RBAC}/clusterrolebindings`]: {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    subjects: [{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'team' }],
  },
  [LEASES]: { spec: { holderIdentity: 'a', leaseDurationSeconds: 15, renewTime: '2026-01-02T03:04:05.000006Z' } },
};

const MERGE = { 'content-type': 'application/merge-patch+json' };

async function made(path: string, name: string, fields: Record<string, unknown> = valid[path]!) {
  const answer = await api.ask('POST', path, { body: { metadata: { name }, ...fields } });
  expect([answer.status, answer.body.message]).toEqual([201, undefined]);
  return answer.body;
}

const refused = async (path: string, fields: Record<string, unknown>, name = 'refused') => {
  const { status, body } = await api.ask('POST', path, { body: { metadata: { name }, ...fields } });
  const causes = (body.details?.causes ?? []) as { field: string; reason: string }[];
  return [status, ...causes.map(({ field, reason }) => `${field} ${reason.replace('FieldValue', '')}`)];
};

test('there is an example of every one, and kinds and plurals are named once', () => {
  const plurals = builtinKinds.map(({ plural }) => plural).sort();
  expect(
    Object.keys(valid)
      .map((path) => path.slice(path.lastIndexOf('/') + 1))
      .sort(),
  ).toEqual(plurals);
  for (const word of ['kind', 'plural', 'singular'] as const)
    expect(new Set(everyKind.map((kind) => kind[word])).size).toBe(everyKind.length);
});

describe.each(Object.keys(valid))('%s', (path) => {
  const plural = path.slice(path.lastIndexOf('/') + 1);
  const kind = builtinKinds.find((one) => one.plural === plural)!;

  test('is created, read, listed, watched, changed and deleted, and bears nothing that Kubernetes does not', async () => {
    const body = await made(path, 'one');
    expect(body).toMatchObject({ apiVersion: apiVersionOf(kind), kind: kind.kind, ...valid[path] });
    expect(
      Object.keys(body.metadata)
        .filter((key) => key !== 'managedFields')
        .sort(),
    ).toEqual(
      [
        'name',
        ...(path.includes('namespaces/') ? ['namespace'] : []),
        ...(path === '/api/v1/namespaces' ? ['labels'] : []),
        'uid',
        'resourceVersion',
        'creationTimestamp',
      ].sort(),
    );
    expect((await api.ask('GET', `${path}/one`)).body).toEqual(body);
    const list = (await api.ask('GET', path)).body;
    expect(list.kind).toBe(`${kind.kind}List`);
    expect(list.items).toContainEqual(body);
    const watch = api.watch(`${path}?watch=true&resourceVersion=${body.metadata.resourceVersion}`);
    const labelled = await api.ask('PATCH', `${path}/one`, {
      headers: MERGE,
      body: { metadata: { labels: { a: 'b' } } },
    });
    expect(labelled.body.metadata.labels).toEqual({ ...body.metadata.labels, a: 'b' });
    expect(labelled.body).toMatchObject(valid[path]!);
    expect((await watch.next())!).toEqual({ type: 'MODIFIED', object: labelled.body });
    const { labels: _, ...metadata } = labelled.body.metadata;
    const put = await api.ask('PUT', `${path}/one`, { body: { ...labelled.body, metadata } });
    expect([put.status, put.body.metadata.labels]).toEqual([200, body.metadata.labels]);
    const going = await api.ask('DELETE', `${path}/one`);
    // A namespace goes when nothing is in it; an account is told as it was.
    if (path !== '/api/v1/namespaces' && !kind.givesDeleted)
      expect(going.body).toMatchObject({ kind: 'Status', status: 'Success' });
    await vi.waitFor(async () => expect((await api.ask('GET', `${path}/one`)).status).toBe(404));
    watch.end();
  });

  test('a field that is not known is refused, one of another type is 400', async () => {
    expect((await refused(path, { ...valid[path], nothing: 1 }))[0]).toBe(400);
    const field = Object.keys(valid[path]!)[0] ?? 'spec';
    expect((await refused(path, { ...valid[path], [field]: 7 }))[0]).toBe(400);
  });

  test('names are as long as Kubernetes lets them be', async () => {
    const long = `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}`;
    const isLabel = (kind.names ?? 'label') === 'label';
    const answer = await api.ask('POST', path, { body: { metadata: { name: long }, ...valid[path] } });
    expect(answer.status).toBe(isLabel ? 422 : 201);
    if (!isLabel) expect((await api.ask('GET', `${path}/${long}`)).status).toBe(200);
    const colon = await api.ask('POST', path, { body: { metadata: { name: 'System:A' }, ...valid[path] } });
    expect(colon.status).toBe(kind.names === 'segment' ? 201 : 422);
    expect((await refused(path, valid[path]!, 'a%b'))[0]).toBe(422);
    expect((await refused(path, valid[path]!, 'x'.repeat(254)))[0]).toBe(422);
  });
});

describe('Secret', () => {
  const path = `${CORE}/secrets`;

  test('stringData goes into data and wins; type is Opaque and stays', async () => {
    const body = await made(path, 'plain', { stringData: { a: 'ö', b: '' }, data: { a: 'eA==', c: 'eQ==' } });
    expect(body).toMatchObject({ type: 'Opaque', data: { a: 'w7Y=', b: '', c: 'eQ==' } });
    expect(body).not.toHaveProperty('stringData');
    const { type: _, ...untyped } = body;
    const kept = await api.ask('PUT', `${path}/plain`, { body: { ...untyped, data: { a: 'eA==' } } });
    expect(kept.body).toMatchObject({ type: 'Opaque', data: { a: 'eA==' } });
    const changed = await api.ask('PUT', `${path}/plain`, { body: { ...kept.body, type: 'other' } });
    expect([changed.status, changed.body.details.causes[0].field]).toEqual([422, 'type']);
  });

  test('bytes are base64 with padding, line ends left out; nothing else is taken, and no value is told', async () => {
    expect((await made(path, 'lines', { data: { a: 'YWJj\nZGVm\r\n' } })).data).toEqual({ a: 'YWJjZGVm' });
    for (const wrong of ['secret!', 'YQ', 'YQ=', '=', 'YW-_']) {
      const { status, text } = await api.ask('POST', path, { body: { metadata: { name: 'w' }, data: { a: wrong } } });
      expect([wrong, status]).toEqual([wrong, 400]);
      if (wrong.length > 4) expect(text).not.toContain(wrong);
    }
  });

  test.each<[string, Record<string, unknown>, (string | number)[]]>([
    ['a key', { data: { 'a b': '' } }, [422, 'data[a b] Invalid']],
    ['a path', { data: { '..a': '' } }, [422, 'data[..a] Invalid']],
    ['tls', { type: 'kubernetes.io/tls' }, [422, 'data[tls.crt] Required', 'data[tls.key] Required']],
    ['basic-auth', { type: 'kubernetes.io/basic-auth' }, [422, 'data[username] Required', 'data[password] Required']],
    [
      'ssh-auth',
      { type: 'kubernetes.io/ssh-auth', data: { 'ssh-privatekey': '' } },
      [422, 'data[ssh-privatekey] Required'],
    ],
    [
      'docker',
      { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': 'e30x' } },
      [422, 'data[.dockerconfigjson] Invalid'],
    ],
    [
      'a token',
      { type: 'kubernetes.io/service-account-token' },
      [422, 'metadata.annotations[kubernetes.io/service-account.name] Required'],
    ],
    ['too much', { data: { a: Buffer.alloc(1_048_577).toString('base64') } }, [422, 'data TooLong']],
  ])('%s', async (_, fields, expected) => {
    expect(await refused(path, fields)).toEqual(expected);
  });

  test('as much as Kubernetes takes is taken', async () => {
    await made(path, 'large', { data: { a: Buffer.alloc(1_048_576).toString('base64') } });
  });
});

describe.each(['secrets', 'configmaps'])('immutable %s', (plural) => {
  test('cannot be changed but for their metadata', async () => {
    const body = await made(`${CORE}/${plural}`, 'fixed', { data: { a: 'YQ==' }, immutable: true });
    const put = (fields: object) => api.ask('PUT', `${CORE}/${plural}/fixed`, { body: { ...body, ...fields } });
    const fields = async (change: object) =>
      ((await put(change)).body.details?.causes ?? []).map(({ field }: { field: string }) => field);
    expect(await fields({ data: { a: 'Yg==' } })).toEqual(['data']);
    expect(await fields({ immutable: false, data: {} })).toEqual(['immutable', 'data']);
    expect((await put({ metadata: { ...body.metadata, labels: { a: 'b' } } })).status).toBe(200);
  });
});

test('a key of a ConfigMap is in one of its maps, and both together have a bound', async () => {
  const path = `${CORE}/configmaps`;
  expect(await refused(path, { data: { a: 'x' }, binaryData: { a: 'eA==' } })).toEqual([422, 'data[a] Invalid']);
  const half = 'x'.repeat(524_289);
  expect((await refused(path, { data: { a: half, b: half } }))[0]).toBe(422);
});

describe('Lease', () => {
  test('times are kept to the microsecond, in UTC', async () => {
    const { spec } = await made(LEASES, 'times', {
      spec: { acquireTime: '2026-01-02T05:04:05+02:00', renewTime: null },
    });
    expect(spec).toEqual({ acquireTime: '2026-01-02T03:04:05.000000Z' });
  });

  test.each<[Record<string, unknown>, (string | number)[]]>([
    [{ leaseDurationSeconds: 0 }, [422, 'spec.leaseDurationSeconds Invalid']],
    [{ leaseTransitions: -1 }, [422, 'spec.leaseTransitions Invalid']],
    [{ preferredHolder: 'a' }, [422, 'spec.preferredHolder Forbidden']],
  ])('%j', async (spec, expected) => {
    expect(await refused(LEASES, { spec })).toEqual(expected);
  });
});

describe('RBAC', () => {
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'a' };

  test.each<[string, Record<string, unknown>, string[]]>([
    [
      `${NAMESPACED_RBAC}/roles`,
      { rules: [{}] },
      ['rules[0].verbs Required', 'rules[0].apiGroups Required', 'rules[0].resources Required'],
    ],
    [
      `${NAMESPACED_RBAC}/roles`,
      { rules: [{ verbs: ['get'], nonResourceURLs: ['/'] }] },
      ['rules[0].nonResourceURLs Invalid'],
    ],
    [
      `${RBAC}/clusterroles`,
      { rules: [{ verbs: ['get'], nonResourceURLs: ['/'], resources: ['a'] }] },
      ['rules[0].nonResourceURLs Invalid'],
    ],
    [`${RBAC}/clusterroles`, { aggregationRule: {} }, ['aggregationRule.clusterRoleSelectors Required']],
    [
      `${RBAC}/clusterroles`,
      { aggregationRule: { clusterRoleSelectors: [{ matchExpressions: [{ key: 'a', operator: 'In' }] }] } },
      ['aggregationRule.clusterRoleSelectors[0].matchExpressions[0].values Required'],
    ],
    [`${NAMESPACED_RBAC}/rolebindings`, {}, ['roleRef.kind NotSupported', 'roleRef.name Required']],
    [
      `${NAMESPACED_RBAC}/rolebindings`,
      {
        roleRef,
        subjects: [
          { kind: 'Robot', name: 'a' },
          { kind: 'User', apiGroup: 'x', name: 'a' },
          { kind: 'ServiceAccount', name: 'A' },
        ],
      },
      ['subjects[0].kind NotSupported', 'subjects[1].apiGroup NotSupported', 'subjects[2].name Invalid'],
    ],
    [`${RBAC}/clusterrolebindings`, { roleRef }, ['roleRef.kind NotSupported']],
    [
      `${RBAC}/clusterrolebindings`,
      { roleRef: { ...roleRef, kind: 'ClusterRole' }, subjects: [{ kind: 'ServiceAccount', name: 'a' }] },
      ['subjects[0].namespace Required'],
    ],
  ])('%s refuses %j', async (path, fields, causes) => {
    expect(await refused(path, fields)).toEqual([422, ...causes]);
  });

  test('the role of a binding is fixed, the groups that clients leave out are filled in', async () => {
    const path = `${NAMESPACED_RBAC}/rolebindings`;
    const body = await made(path, 'fixed', {
      roleRef: { kind: 'Role', name: 'a' },
      subjects: [{ kind: 'User', name: 'u' }],
    });
    expect(body.roleRef).toEqual(roleRef);
    expect(body.subjects).toEqual([{ kind: 'User', name: 'u', apiGroup: 'rbac.authorization.k8s.io' }]);
    const answer = await api.ask('PATCH', `${path}/fixed`, { headers: MERGE, body: { roleRef: { name: 'b' } } });
    expect([answer.status, answer.body.details.causes[0].field]).toEqual([422, 'roleRef']);
  });
});

describe('the ServiceAccount default', () => {
  test('is in every namespace from its beginning, and goes with it', async () => {
    expect((await api.ask('GET', `${CORE}/serviceaccounts/default`)).status).toBe(200);
    await made('/api/v1/namespaces', 'lab', {});
    expect((await api.ask('GET', '/api/v1/namespaces/lab/serviceaccounts')).body.items).toHaveLength(1);
    await made('/api/v1/namespaces/lab/secrets', 'held', {});
    expect((await api.ask('DELETE', '/api/v1/namespaces/lab')).status).toBe(200);
    for (const path of ['serviceaccounts/default', 'secrets/held'])
      await vi.waitFor(async () => expect((await api.ask('GET', `/api/v1/namespaces/lab/${path}`)).status).toBe(404));
  });
});

test('a table shows what kubectl shows', async () => {
  await made(`${CORE}/secrets`, 'shown', { data: { a: '', b: '' } });
  const table = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
  const { body } = await api.ask('GET', `${CORE}/secrets/shown`, { headers: table });
  expect(body.rows[0].cells.slice(0, 3)).toEqual(['shown', 'Opaque', 2]);
  const { items } = (await api.ask('GET', `${CORE}/secrets?fieldSelector=type%3DOpaque`)).body;
  expect(items.map(({ metadata }: { metadata: { name: string } }) => metadata.name)).toContain('shown');
});
