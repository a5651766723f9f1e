/** Options of the query, and patches and methods that no server of Kubernetes takes: each with the code that it answers. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiRig, manifests, startApiRig, V1 } from './testing/rig.ts';

let api: ApiRig;
const ZONES = `${V1}/zones`;
const INSTANCES = `${V1}/namespaces/default/instances`;

beforeAll(async () => {
  api = await startApiRig();
  for (const name of ['a', 'b', 'c'])
    await api.ask('POST', ZONES, { body: { ...manifests.zone(name), spec: { description: 'kept' } } });
  await api.ask('POST', INSTANCES, { body: manifests.instance('vm') });
  await api.ask('POST', '/api/v1/namespaces', { body: { metadata: { name: 'lab', labels: { a: 'b' } } } });
});
afterAll(() => api.stop());

const CODES: Record<number, string> = { 400: 'BadRequest', 422: 'Invalid', 405: 'MethodNotAllowed', 504: 'Timeout' };

async function expectRefused(status: number, method: string, path: string, asking = {}): Promise<void> {
  const answer = await api.ask(method, path, asking);
  expect([path, answer.status, answer.body.kind, answer.body.reason, answer.body.code]).toEqual([
    ...[path, status, 'Status', CODES[status], status],
  ]);
}

describe('what cannot be read in the options of a list or a watch is refused', () => {
  const lists = [
    ZONES,
    INSTANCES,
    `${V1}/instances`,
    '/api/v1/namespaces',
    '/api/v1/events',
    '/api/v1/namespaces/default/events',
  ];

  test.each([
    ['timeoutSeconds=abc', 400],
    ['timeoutSeconds=1.5', 400],
    ['timeoutSeconds=5s', 400],
    ['timeoutSeconds=1e9', 400],
    ['timeoutSeconds=0x10', 400],
    ['timeoutSeconds=%20', 400],
    ['limit=abc', 400],
    ['limit=1.5', 400],
    ['limit=Infinity', 400],
    ['timeout=soon', 400],
    ['timeout=10', 400],
    ['timeout=1d', 400],
    ['resourceVersion=abc', 400],
    ['resourceVersion=-1', 400],
    ['resourceVersion=1.0', 400],
    ['labelSelector=a%3D%3D%3Db', 400],
    ['fieldSelector=metadata.name%3D%3D%3Da', 400],
    ['resourceVersionMatch=Exact', 422],
    ['resourceVersion=1&resourceVersionMatch=exact', 422],
    ['resourceVersion=1&resourceVersionMatch=Bogus', 422],
  ])('?%s', async (query, status) => {
    for (const path of lists) {
      if (path.includes('events') && query.includes('resourceVersion=1&')) continue;
      await expectRefused(status, 'GET', `${path}?${query}`);
      await expectRefused(status, 'GET', `${path}?watch=true&${query}`);
    }
  });

  test.each([
    ['resourceVersion=0&resourceVersionMatch=Exact', 422],
    ['sendInitialEvents=true', 422],
    ['sendInitialEvents=false', 422],
    ['resourceVersionMatch=NotOlderThan&continue=x', 422],
    ['continue=abc', 400],
    ['continue=W10', 400],
    [`continue=${Buffer.from('[1,"/objects/zones//a","x"]').toString('base64url')}`, 400],
    [`continue=${Buffer.from('[1.5,"/objects/zones//a"]').toString('base64url')}`, 400],
    [`continue=${Buffer.from('[1,"/objects/zones//a\\u0001"]').toString('base64url')}`, 400],
  ])('of a list: ?%s', (query, status) => expectRefused(status, 'GET', `${ZONES}?${query}`));

  test.each([
    ['sendInitialEvents=true', 422],
    ['sendInitialEvents=true&resourceVersionMatch=Exact', 422],
    ['resourceVersion=1&resourceVersionMatch=NotOlderThan', 422],
    ['sendInitialEvents', 422],
  ])('of a watch: ?%s', (query, status) => expectRefused(status, 'GET', `${ZONES}?watch=true&${query}`));

  test.each([
    ['resourceVersion=abc', 400],
    ['resourceVersion=1000000', 504],
    ['timeout=soon', 400],
  ])('of one object: ?%s', async (query, status) => {
    await expectRefused(status, 'GET', `${ZONES}/a?${query}`);
    await expectRefused(status, 'GET', `/api/v1/namespaces/lab?${query}`);
  });
});

test('what can be read is taken as Kubernetes takes it', async () => {
  for (const query of [
    'timeoutSeconds=5',
    'timeoutSeconds=-1',
    'limit=-1',
    'limit=0',
    'timeout=30s',
    'timeout=1m0.5s',
    'watch=false',
    'watch=0',
    'watch=FALSE',
  ]) {
    const { status, body } = await api.ask('GET', `${ZONES}?${query}`);
    expect([query, status, body.items.length]).toEqual([query, 200, 3]);
  }
  for (const watch of ['watch', 'watch=', 'watch=1', 'watch=True', 'watch=yes']) {
    const watched = api.watch(`${ZONES}?${watch}&resourceVersion=0`);
    expect((await watched.next())?.type).toBe('ADDED');
    watched.end();
  }
});

test('a watch that is to last for months does not end at once', async () => {
  const watched = api.watch(`${ZONES}?watch=true&timeoutSeconds=99999999&resourceVersion=0`);
  for (let n = 0; n < 3; n++) expect((await watched.next())?.type).toBe('ADDED');
  await api.ask('POST', ZONES, { body: manifests.zone('later') });
  expect((await watched.next())?.object.metadata.name).toBe('later');
  await api.ask('DELETE', `${ZONES}/later`);
  watched.end();
});

describe('a patch does not take away what says which object it is', () => {
  const MERGE = { 'content-type': 'application/merge-patch+json' };
  const JSON_PATCH = { 'content-type': 'application/json-patch+json' };
  const path = (resource: string) => (resource === 'zone' ? `${ZONES}/a` : `${INSTANCES}/vm`);

  test.each([
    [{ kind: null }, 422, 'patch'],
    [{ apiVersion: null }, 422, 'apiVersion'],
    [{ metadata: null }, 400, undefined],
    [{ metadata: { name: null } }, 400, undefined],
    [{ kind: null, apiVersion: null }, 422, 'patch'],
    [{ kind: 'Host' }, 422, 'kind'],
    [{ apiVersion: 'v1' }, 422, 'apiVersion'],
  ])('%j', async (patch, code, field) => {
    for (const place of [path('zone'), path('instance'), `${path('zone')}/status`, `${path('instance')}/status`]) {
      const before = (await api.ask('GET', place.replace('/status', ''))).text;
      const { status, body } = await api.ask('PATCH', place, { body: patch, headers: MERGE });
      expect([place, status, body.reason]).toEqual([place, code, CODES[code]]);
      expect(body.details?.causes[0].field).toBe(field);
      expect((await api.ask('GET', place.replace('/status', ''))).text).toBe(before);
    }
  });

  test.each([
    [{ op: 'remove', path: '/kind' }],
    [{ op: 'remove', path: '/apiVersion' }],
    [{ op: 'replace', path: '/kind', value: null }],
    [{ op: 'move', from: '/kind', path: '/metadata/annotations' }],
    [{ op: 'replace', path: '', value: { spec: {} } }],
  ])('%j', async (operation) => {
    for (const place of [path('zone'), path('instance')]) {
      const before = (await api.ask('GET', place)).text;
      await expectRefused(422, 'PATCH', place, { body: [operation], headers: JSON_PATCH });
      expect((await api.ask('GET', place)).text).toBe(before);
    }
  });

  test('its place cannot be taken away, and a spec only where nothing must be in it', async () => {
    const body = (operation: object) => ({ body: [operation], headers: JSON_PATCH });
    for (const operation of [
      { op: 'remove', path: '/metadata' },
      { op: 'remove', path: '/metadata/name' },
      { op: 'replace', path: '/metadata', value: {} },
    ])
      for (const place of [path('zone'), path('instance')]) await expectRefused(400, 'PATCH', place, body(operation));
    await expectRefused(422, 'PATCH', path('instance'), body({ op: 'remove', path: '/spec' }));
    expect((await api.ask('PATCH', path('instance'), { headers: MERGE, body: { spec: null } })).status).toBe(422);
  });

  test('of a namespace its metadata cannot be taken away', async () => {
    const refused = { headers: MERGE, body: { metadata: null } };
    await expectRefused(400, 'PATCH', '/api/v1/namespaces/lab', refused);
    expect((await api.ask('GET', '/api/v1/namespaces/lab')).body.metadata.labels).toMatchObject({ a: 'b' });
  });
});

describe('the status', () => {
  const status = (more: object) => ({ ...manifests.zone('a'), status: { observedGeneration: 1 }, ...more });

  test('of another kind is refused', async () => {
    expect((await api.replace(`${ZONES}/a/status`, status({ kind: 'Host' }))).status).toBe(422);
    await expectRefused(400, 'PUT', `${ZONES}/a/status`, { body: status({ apiVersion: 'v1' }) });
  });

  test('with a field that is not known is refused, warned of, or passed over', async () => {
    const body = status({ status: { observedGeneration: 1, colour: 'red' } });
    await expectRefused(400, 'PUT', `${ZONES}/a/status`, { body });
    const warned = await api.replace(`${ZONES}/a/status?fieldValidation=Warn`, body);
    expect([warned.status, warned.body.status.colour]).toEqual([200, undefined]);
    expect(warned.headers.warning).toContain('unknown field \\"status.colour\\"');
    const ignored = await api.replace(`${ZONES}/a/status?fieldValidation=Ignore`, body);
    expect([ignored.status, ignored.headers.warning]).toEqual([200, undefined]);
  });
});

const unnamed = (metadata: object) => ({ apiVersion: 'plumb.dev/v1', kind: 'Zone', metadata, spec: {} });

test.each(['x'.repeat(254), 'x'.repeat(1_000_000), 'A-', '-a', 'a b', 'é', 7, ['a'], { a: 'b' }])(
  'a name is not made of %j',
  async (generateName) => {
    for (const metadata of [{ generateName }, { generateName, name: 'new' }]) {
      const { status, body, text } = await api.ask('POST', `${ZONES}?dryRun=All`, { body: unnamed(metadata) });
      if (typeof generateName === 'string') {
        expect([status, body.reason]).toEqual([422, 'Invalid']);
        expect(body.details.causes.map(({ field }: { field: string }) => field)).toContain('metadata.generateName');
      } else expect([status, body.reason]).toEqual([400, 'BadRequest']);
      expect(text.length).toBeLessThan(4_096);
    }
  },
);

test('a name is not made of nothing', async () => {
  for (const metadata of [{}, { generateName: '' }, { name: '' }]) {
    const { status, body } = await api.ask('POST', `${ZONES}?dryRun=All`, { body: unnamed(metadata) });
    expect([status, body.details.causes[0].field]).toEqual([422, 'metadata.name']);
  }
});

const PLACES = [
  ...[
    '/',
    '/api',
    '/api/',
    '/apis',
    '/api/v1',
    '/apis/plumb.dev',
    V1,
    `${V1}/`,
    '/openapi/v3',
    '/openapi/v3/apis/plumb.dev/v1',
  ],
  ...[
    '/metrics',
    '/healthz',
    '/readyz',
    '/version',
    ZONES,
    `${ZONES}/a`,
    `${ZONES}/a/status`,
    INSTANCES,
    '/api/v1/events',
  ],
  ...['/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', '/api/v1/namespaces/lab'],
];

test.each(['OPTIONS', 'TRACE', 'CONNECTX', 'LINK'])('%s is answered with 200 nowhere', async (method) => {
  for (const path of PLACES) {
    const { status, body } = await api.ask(method, path);
    // Across projects there is nothing but lists.
    const expected = path === '/api/v1/events' && method === 'OPTIONS' ? 404 : 405;
    expect([path, status, body?.kind]).toEqual([path, expected, 'Status']);
  }
});

test('what is only there to be read takes no other method', async () => {
  for (const path of ['/api', '/apis', '/api/v1', V1, '/openapi/v3', '/openapi/v3/api/v1', '/metrics', '/version'])
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) await expectRefused(405, method, path, { body: {} });
});

test.each(['dryrun', 'DryRun', 'dry-run', 'dry_run', 'dryRun[]', 'dryRun%20', 'DRYRUN'])(
  'what was to be tried is not done for a name that is nearly right: %s',
  async (name) => {
    const zone = { body: manifests.zone('new') };
    const before = (await api.ask('GET', ZONES)).text;
    for (const [method, path, asking] of [
      ['DELETE', `${ZONES}/a`, {}],
      ['DELETE', '/api/v1/namespaces/lab', {}],
      ['POST', ZONES, zone],
      ['PUT', `${ZONES}/a`, { body: manifests.zone('a') }],
      ['POST', `${V1}/cascades`, { body: { objects: [] } }],
    ] as const)
      await expectRefused(422, method, `${path}?${name}=All`, asking);
    expect((await api.ask('GET', ZONES)).text).toBe(before);
    expect((await api.ask('GET', `${ZONES}?${name}=All`)).status).toBe(200);
  },
);

describe('metadata of another type is refused, whoever writes it', () => {
  test.each([
    ['managedFields', 'x'],
    ['managedFields', ['x']],
    ['generation', 'x'],
    ['generation', 1.5],
    ['creationTimestamp', 5],
    ['deletionTimestamp', {}],
    ['deletionGracePeriodSeconds', '30'],
    ['selfLink', {}],
    ['uid', 5],
    ['resourceVersion', 5],
    ['ownerReferences', [{ apiVersion: 'v1', kind: 'X', name: 'y', uid: '' }]],
    ['ownerReferences', ['u', 'v'].map((uid) => ({ apiVersion: 'v1', kind: 'X', name: 'y', uid, controller: true }))],
  ])('%s: %j', async (field, value) => {
    const body = manifests.zone('new', { [field]: value });
    await expectRefused(field === 'ownerReferences' ? 422 : 400, 'POST', `${ZONES}?dryRun=All`, { body });
    expect(
      (await api.ask('PUT', `${ZONES}/a`, { body: { ...manifests.zone('a', { [field]: value }) } })).status,
    ).toBeOneOf([400, 422]);
  });

  test('what a server says of it is taken back, and null is nothing', async () => {
    const { body } = await api.ask('GET', `${ZONES}/a`);
    const sent = { ...body.metadata, creationTimestamp: null, managedFields: [{ manager: 'x' }], selfLink: '' };
    expect((await api.ask('PUT', `${ZONES}/a`, { body: { ...body, metadata: sent } })).status).toBe(200);
  });
});

test('an operation of a patch has no other fields', async () => {
  const headers = { 'content-type': 'application/json-patch+json' };
  const patch = [{ op: 'add', path: '/spec/description', value: 'new', vaule: 'x' }];
  await expectRefused(422, 'PATCH', `${ZONES}/b`, { body: patch, headers });
  const warned = await api.ask('PATCH', `${ZONES}/b?fieldValidation=Warn`, { body: patch, headers });
  expect([warned.status, warned.headers.warning]).toEqual([200, '299 - "json patch unknown field \\"[0].vaule\\""']);
  const { status, headers: told } = await api.ask('PATCH', `${ZONES}/b?fieldValidation=Ignore`, {
    body: patch,
    headers,
  });
  expect([status, told.warning]).toEqual([200, undefined]);
});

describe('reviews', () => {
  const review = (plural: string, body: unknown, query = '') =>
    api.ask('POST', `/apis/authorization.k8s.io/v1/${plural}${query}`, { body });

  test.each([
    [{}, 422],
    [{ spec: {} }, 422],
    [{ spec: 'x' }, 400],
    [{ spec: { resourceAttributes: { verb: 1 } } }, 400],
    [{ spec: { resourceAttributes: [] } }, 400],
    [{ spec: { resourceAttributes: {}, nonResourceAttributes: {} } }, 422],
    [{ metadata: 'x', spec: { resourceAttributes: {} } }, 400],
    [{ kind: 'Pod', spec: { resourceAttributes: {} } }, 400],
    [{ apiVersion: 'v1', spec: { resourceAttributes: {} } }, 400],
    ['null', 400],
    ['[]', 400],
    ['{', 400],
  ])('%j is %i', async (body, status) => {
    const answer = await review('selfsubjectaccessreviews', body);
    expect([answer.status, answer.body.kind]).toEqual([status, 'Status']);
  });

  test('what is asked for beyond what is known is warned of, and refused for who wants that', async () => {
    const body = { spec: { resourceAttributes: { verb: 'get', colour: 'red' } } };
    const { status, headers } = await review('selfsubjectaccessreviews', body);
    expect([status, headers.warning]).toEqual([201, expect.stringContaining('colour is not a known field')]);
    expect((await review('selfsubjectaccessreviews', body, '?fieldValidation=Strict')).status).toBe(400);
  });

  test('rules are of a namespace', async () => {
    expect((await review('selfsubjectrulesreviews', { spec: { namespace: 'default' } })).status).toBe(201);
    for (const spec of [{}, { namespace: '' }])
      expect((await review('selfsubjectrulesreviews', { spec })).status).toBe(400);
    expect((await review('selfsubjectrulesreviews', { spec: { namespace: 5 } })).status).toBe(400);
  });
});

test('an empty name or namespace is none', async () => {
  const { body } = await api.ask('POST', `${INSTANCES}?dryRun=All`, {
    body: { ...manifests.instance('x'), metadata: { name: '', namespace: '', generateName: 'new-' } },
  });
  expect(body.metadata).toMatchObject({ namespace: 'default', name: expect.stringMatching(/^new-/) });
});
