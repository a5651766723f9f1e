import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiRig, manifests, startApiRig, V1 } from './testing/rig.ts';

let api: ApiRig;
beforeAll(async () => {
  api = await startApiRig();
});
afterAll(() => api.stop());

test.each(['TRACE', 'FROBNICATE', 'PROPFIND'])('%s is answered nowhere', async (method) => {
  for (const path of ['/healthz', '/version', '/', `${V1}/zones`, '/metrics'])
    expect([path, (await api.ask(method, path)).status]).toEqual([path, 405]);
});

test('what is served without a token is only read, and by its very path', async () => {
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
    for (const path of ['/healthz', '/livez', '/readyz', '/version'])
      expect((await api.ask(method, path, { token: '' })).status).toBe(401);
  for (const path of ['/healthz/', '/livez/ping', '//healthz', '/healthz//', '/version/x'])
    expect((await api.ask('GET', path, { token: '' })).status).toBe(401);
});

test('the version is served with a slash behind it, too', async () => {
  const plain = await api.ask('GET', '/version', { token: '' });
  expect(await api.ask('GET', '/version/', { token: '' })).toMatchObject({ status: 200, body: plain.body });
});

test('a list newer than the store is refused in words by which clients of Go list anew', async () => {
  for (const query of ['resourceVersion=1000000', 'resourceVersion=1000000&resourceVersionMatch=Exact']) {
    const { status, headers, body } = await api.ask('GET', `${V1}/zones?${query}`);
    expect([status, body.reason]).toEqual([504, 'Timeout']);
    expect(body.message).toMatch(/^Timeout: Too large resource version: 1000000, current: \d+$/);
    expect(body.details).toMatchObject({
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    });
    // They would wait and send the same ten times before.
    expect(headers['retry-after']).toBeUndefined();
  }
});

test('what was only tried has no resourceVersion', async () => {
  const tried = await api.ask('POST', `${V1}/zones?dryRun=All`, { body: manifests.zone('tried') });
  expect(tried.body.metadata).not.toHaveProperty('resourceVersion');
  const accept = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
  const short = await api.ask('POST', `${V1}/zones?dryRun=All`, { body: manifests.zone('tried'), headers: { accept } });
  expect(short.body.metadata).not.toHaveProperty('resourceVersion');
});

test('an object of the whole estate may name a namespace, which says nothing', async () => {
  const { status, body } = await api.ask('POST', `${V1}/zones`, {
    body: manifests.zone('spaced', { namespace: 'lab' }),
  });
  expect([status, body.metadata.namespace]).toEqual([201, undefined]);
  const replaced = await api.replace(`${V1}/zones/spaced`, manifests.zone('spaced', { namespace: 'lab' }));
  expect([replaced.status, replaced.body.metadata.namespace]).toEqual([200, undefined]);
});

test('metadata is bounded as Kubernetes bounds it', async () => {
  const refused = async (metadata: object) => {
    const { status, body } = await api.ask('POST', `${V1}/zones`, { body: manifests.zone('fat', metadata) });
    return [status, body.details?.causes?.map((cause: { field: string }) => cause.field)];
  };
  const annotations = (bytes: number) => ({ annotations: { a: 'x'.repeat(bytes - 6), b: 'é'.repeat(2) } });
  expect(await refused(annotations(262_145))).toEqual([422, ['metadata.annotations']]);
  expect(await refused({ finalizers: Array.from({ length: 50_000 }, (_, i) => `a/${i}`) })).toEqual([
    422,
    ['metadata.finalizers'],
  ]);
  const labels = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`label-${i}`, 'value']));
  expect(await refused({ labels })).toEqual([422, ['metadata.labels']]);
  expect((await refused(annotations(262_144)))[0]).toBe(201);
});

test.each([
  ['lab.internal', true],
  ['a', true],
  ['1.2', true],
  ['a..b', false],
  ['.a', false],
  ['a.', false],
  ['a.-b', false],
  ['A', false],
  ['x'.repeat(64), false],
  [`${'x'.repeat(63)}.${'y'.repeat(63)}`, true],
  [`${'x.'.repeat(200)}x`, false],
])('the domain %s is taken: %s', async (domain, taken) => {
  const spec = { l2Network: 'lab', ipv4: { cidr: '10.0.0.0/24' }, dns: { domain } };
  const { status } = await api.ask('POST', `${V1}/namespaces/default/l3networks?dryRun=All`, {
    body: { apiVersion: 'plumb.dev/v1', kind: 'L3Network', metadata: { name: 'lab' }, spec },
  });
  expect(status).toBe(taken ? 201 : 422);
});

test('a path without the name of a namespace is of all of them, and changes nothing', async () => {
  const made = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'everywhere' } };
  await api.ask('POST', '/api/v1/namespaces/default/configmaps', { body: made });
  const { body } = await api.ask('GET', '/api/v1/namespaces//configmaps');
  expect(body.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name)).toContain('everywhere');
  for (const [method, path] of [
    ['DELETE', '/api/v1/namespaces//configmaps'],
    ['GET', '/api/v1/namespaces//configmaps/everywhere'],
    ['DELETE', `${V1}/namespaces//instances`],
  ] as const)
    expect([path, (await api.ask(method, path)).status]).toEqual([path, 404]);
  expect((await api.ask('GET', '/api/v1/namespaces/default/configmaps/everywhere')).status).toBe(200);
});

test('the version is JSON and nothing else', async () => {
  const either = await api.ask('GET', '/version', { headers: { accept: 'application/yaml,application/json' } });
  expect([either.status, either.headers['content-type']]).toEqual([200, 'application/json']);
  expect((await api.ask('GET', '/version', { headers: { accept: 'application/yaml' } })).status).toBe(406);
});
