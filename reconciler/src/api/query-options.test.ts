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
    [{ kind: null }, 'kind'],
    [{ apiVersion: null }, 'apiVersion'],
    [{ metadata: null }, 'metadata'],
    [{ metadata: { name: null } }, 'metadata.name'],
    [{ spec: null }, 'spec'],
    [{ kind: null, apiVersion: null }, 'apiVersion'],
    [{ kind: 'Host' }, 'kind'],
    [{ apiVersion: 'v1' }, 'apiVersion'],
  ])('%j', async (patch, field) => {
    for (const place of [path('zone'), path('instance'), `${path('zone')}/status`, `${path('instance')}/status`]) {
      const before = (await api.ask('GET', place.replace('/status', ''))).text;
      const { status, body } = await api.ask('PATCH', place, { body: patch, headers: MERGE });
      expect([place, status, body.reason]).toEqual([place, 422, 'Invalid']);
      expect(body.details.causes[0].field).toBe(field);
      expect((await api.ask('GET', place.replace('/status', ''))).text).toBe(before);
    }
  });

  test.each([
    [{ op: 'remove', path: '/kind' }],
    [{ op: 'remove', path: '/apiVersion' }],
    [{ op: 'remove', path: '/metadata' }],
    [{ op: 'remove', path: '/metadata/name' }],
    [{ op: 'replace', path: '/metadata', value: {} }],
    [{ op: 'replace', path: '/kind', value: null }],
    [{ op: 'move', from: '/kind', path: '/metadata/annotations' }],
    [{ op: 'replace', path: '', value: { spec: {} } }],
    [{ op: 'remove', path: '/spec' }],
  ])('%j', async (operation) => {
    for (const place of [path('zone'), path('instance')]) {
      const before = (await api.ask('GET', place)).text;
      await expectRefused(422, 'PATCH', place, { body: [operation], headers: JSON_PATCH });
      expect((await api.ask('GET', place)).text).toBe(before);
    }
  });

  test('of a namespace its metadata cannot be taken away', async () => {
    const refused = { headers: MERGE, body: { metadata: null } };
    await expectRefused(422, 'PATCH', '/api/v1/namespaces/lab', refused);
    expect((await api.ask('GET', '/api/v1/namespaces/lab')).body.metadata.labels).toEqual({ a: 'b' });
  });
});

describe('the status', () => {
  const status = (more: object) => ({ ...manifests.zone('a'), status: { observedGeneration: 1 }, ...more });

  test('of another kind is refused', async () => {
    for (const more of [{ kind: 'Host' }, { apiVersion: 'v1' }])
      await expectRefused(422, 'PUT', `${ZONES}/a/status`, { body: status(more) });
  });

  test('with a field that is not known is refused, warned of, or passed over', async () => {
    const body = status({ status: { observedGeneration: 1, colour: 'red' } });
    await expectRefused(422, 'PUT', `${ZONES}/a/status`, { body });
    const warned = await api.ask('PUT', `${ZONES}/a/status?fieldValidation=Warn`, { body });
    expect([warned.status, warned.body.status.colour]).toEqual([200, undefined]);
    expect(warned.headers.warning).toContain('status.colour is not a known field');
    const ignored = await api.ask('PUT', `${ZONES}/a/status?fieldValidation=Ignore`, { body });
    expect([ignored.status, ignored.headers.warning]).toEqual([200, undefined]);
  });
});

test.each(['x'.repeat(254), 'x'.repeat(1_000_000), 'A-', '-a', 'a b', 'é', 7, ['a'], { a: 'b' }])(
  'a name is not made of %j',
  async (generateName) => {
    for (const metadata of [{ generateName }, { generateName, name: 'new' }]) {
      const { status, body, text } = await api.ask('POST', `${ZONES}?dryRun=All`, { body: { metadata, spec: {} } });
      expect([status, body.reason]).toEqual([422, 'Invalid']);
      expect(body.details.causes.map(({ field }: { field: string }) => field)).toContain('metadata.generateName');
      expect(text.length).toBeLessThan(4_096);
    }
  },
);

test('a name is not made of nothing', async () => {
  for (const metadata of [{}, { generateName: '' }, { name: '' }]) {
    const { status, body } = await api.ask('POST', `${ZONES}?dryRun=All`, { body: { metadata, spec: {} } });
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
    expect([path, status, body?.kind]).toEqual([path, path === '/' && method === 'OPTIONS' ? 404 : 405, 'Status']);
  }
});

test('what is only there to be read takes no other method', async () => {
  for (const path of ['/api', '/apis', '/api/v1', V1, '/openapi/v3', '/openapi/v3/api/v1', '/metrics', '/version'])
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) await expectRefused(405, method, path, { body: {} });
});
