import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiRig, manifests, startApiRig, V1 } from './testing/rig.ts';

let api: ApiRig;
const handled: string[] = [];
beforeAll(async () => {
  api = await startApiRig({
    extensions: [
      {
        method: 'POST',
        path: `${V1}/doings`,
        async handle() {
          handled.push('done');
          return { body: {} };
        },
      },
    ],
  });
  for (const [name, labels] of [
    ['a1', { app: 'a1' }],
    ['a2', { app: 'a2', n: '7' }],
    ['none', {}],
  ] as const)
    await api.ask('POST', `${V1}/zones`, { body: manifests.zone(name, { labels }) });
  await api.ask('POST', '/api/v1/namespaces', { body: { metadata: { name: 'lab' } } });
});
afterAll(() => api.stop());

const MERGE = { 'content-type': 'application/merge-patch+json' };
const patch = { metadata: { labels: { dry: 'run' } } };
const text = async () => (await api.ask('GET', `${V1}/zones`)).text + (await api.ask('GET', '/api/v1/namespaces')).text;

describe('a dry run that is not spelt All does nothing', () => {
  const words = ['all', 'true', 'ALL', 'All,', '', 'none', 'false', 'All&dryRun=all', 'all&dryRun=All'];
  const zone = `${V1}/zones/a1`;
  const space = '/api/v1/namespaces/lab';
  const requests = (word: string) =>
    [
      ['POST', `${V1}/zones?dryRun=${word}`, { body: manifests.zone('new') }],
      ['POST', `/api/v1/namespaces?dryRun=${word}`, { body: { metadata: { name: 'new' } } }],
      ['PUT', `${zone}?dryRun=${word}`, { body: manifests.zone('a1') }],
      [
        'PUT',
        `${zone}/status?dryRun=${word}`,
        { body: { ...manifests.zone('a1'), status: { observedGeneration: 9 } } },
      ],
      ['PATCH', `${zone}?dryRun=${word}`, { body: patch, headers: MERGE }],
      ['PATCH', `${zone}/status?dryRun=${word}`, { body: { status: { observedGeneration: 9 } }, headers: MERGE }],
      ['PATCH', `${space}?dryRun=${word}`, { body: patch, headers: MERGE }],
      ['DELETE', `${zone}?dryRun=${word}`, {}],
      ['DELETE', `${space}?dryRun=${word}`, {}],
      ['POST', `${V1}/doings?dryRun=${word}`, { body: {} }],
    ] as const;

  test.each(words)('dryRun=%s', async (word) => {
    const before = await text();
    for (const [method, path, asking] of requests(word)) {
      const { status, body } = await api.ask(method, path, asking);
      expect([method, path, status], body?.message).toEqual([method, path, 422]);
      expect(body.message).toMatch(/dryRun: Unsupported value: \[".*"\]: supported values: "All"/);
      expect(body.details.causes[0].field).toBe('dryRun');
    }
    expect(await text()).toBe(before);
    expect(handled).toEqual([]);
  });

  test.each([['all'], [''], ['All', 'all']])('DeleteOptions with dryRun %j', async (...dryRun) => {
    const before = await text();
    for (const path of [zone, space]) {
      const { status, body } = await api.ask('DELETE', path, {
        body: { kind: 'DeleteOptions', apiVersion: 'v1', dryRun },
      });
      expect([status, body.message]).toEqual([422, expect.stringContaining('dryRun: Unsupported value')]);
    }
    expect(await text()).toBe(before);
  });

  test('All, in either place, changes nothing and succeeds where it can', async () => {
    const before = await text();
    for (const [method, path, asking] of requests('All').slice(0, -1)) {
      const answer = method === 'PUT' ? await api.replace(path, asking.body!) : await api.ask(method, path, asking);
      expect([path, answer.status]).toEqual([path, method === 'POST' ? 201 : 200]);
    }
    for (const path of [zone, space])
      expect((await api.ask('DELETE', path, { body: { dryRun: ['All'] } })).status).toBe(200);
    expect(await text()).toBe(before);
  });

  test('what cannot be tried is not done', async () => {
    const { status, body } = await api.ask('POST', `${V1}/doings?dryRun=All`, { body: {} });
    expect([status, body.message]).toEqual([422, expect.stringMatching(/there is no dry run of .*nothing was done/)]);
    expect(handled).toEqual([]);
    expect((await api.ask('POST', `${V1}/doings`, { body: {} })).status).toBe(200);
    expect(handled.splice(0)).toEqual(['done']);
  });
});

test.each([
  [{ propagationPolicy: 'Bogus' }, 422, /propagationPolicy: Unsupported value: "Bogus"/],
  [{ propagationPolicy: 'orphan' }, 422, /supported values: "Foreground", "Background", "Orphan", "nil"/],
  [{ propagationPolicy: 'Orphan', orphanDependents: false }, 422, /cannot be both set/],
  [{ preconditions: { uuid: 'x' } }, 400, /no field "preconditions.uuid"; nothing was deleted/],
  [{ precondition: { uid: 'x' } }, 400, /no field "precondition"/],
  [{ preconditions: { uid: 5 } }, 400, /preconditions.uid of DeleteOptions cannot be 5/],
  [{ preconditions: { uid: '' } }, 409, /UID in (the )?precondition/],
  [{ preconditions: { uid: { toString: 'x' } } }, 400, /cannot be/],
  [{ preconditions: [] }, 400, /cannot be/],
  [{ dryRun: 'All' }, 400, /dryRun of DeleteOptions cannot be "All"/],
  [{ dryRun: [['All']] }, 400, /cannot be/],
  [{ kind: 'Zone', metadata: {} }, 400, /cannot be "Zone"/],
  [{ gracePeriodSeconds: '5' }, 400, /cannot be "5"/],
  [[], 400, /are an object/],
  ['"x"', 400, /are an object/],
])('DeleteOptions %j delete nothing', async (body, status, message) => {
  const before = await text();
  for (const path of [`${V1}/zones/a1`, '/api/v1/namespaces/lab']) {
    const answer = await api.ask('DELETE', path, { body });
    expect([answer.status, answer.body.message]).toEqual([status, expect.stringMatching(message)]);
  }
  expect(await text()).toBe(before);
});

test.each([
  ['propagationPolicy=Bogus', 'DELETE', 422],
  ['gracePeriodSeconds=soon', 'DELETE', 400],
  ['fieldValidation=strict', 'PATCH', 422],
  ['force=true', 'PATCH', 422],
  [`fieldManager=${'x'.repeat(129)}`, 'PATCH', 422],
  ['fieldManager=a%00b', 'PATCH', 422],
])('?%s of %s is %i', async (query, method, status) => {
  const before = await text();
  const asking = method === 'PATCH' ? { body: patch, headers: MERGE } : {};
  expect((await api.ask(method, `${V1}/zones/a1?${query}`, asking)).status).toBe(status);
  expect(await text()).toBe(before);
});

describe('a selector that cannot be read selects nothing', () => {
  const names = async (query: string) => {
    const { status, body } = await api.ask('GET', `${V1}/zones?${query}`);
    return status === 200 ? body.items.map((zone: { metadata: { name: string } }) => zone.metadata.name) : status;
  };

  test.each([
    ['app!=a1', ['a2', 'none']],
    ['app!=a1;env=test', 400],
    ['app notin (a1 a2)', 400],
    ['!n>6', 400],
    ['n>6', ['a2']],
    ['n > 6', ['a2']],
    ['n<7', []],
    ['a,', 400],
    ['-bad', 400],
    [' ', ['a1', 'a2', 'none']],
    ['app!=x,'.repeat(1_000).slice(0, -1), 400],
  ])('labelSelector %s', async (selector, expected) => {
    expect(await names(`labelSelector=${encodeURIComponent(selector)}`)).toEqual(expected);
    if (expected === 400)
      expect(await api.watch(`${V1}/zones?watch=true&labelSelector=${encodeURIComponent(selector)}`).status).toBe(400);
  });

  test.each([
    ['metadata.name=a1', ['a1']],
    ['metadata.name!=a1', ['a2', 'none']],
    ['metadata.name', 400],
    ['metadata.name=a=b', 400],
    ['metadata.name=a1;x', []],
    ['metadata.namespace=x', 400],
    ['spec.cpus=1', 400],
    ['toString=1', 400],
    ['!=', 400],
  ])('fieldSelector %s', async (selector, expected) => {
    expect(await names(`fieldSelector=${encodeURIComponent(selector)}`)).toEqual(expected);
  });
});

test('what kubectl sends is taken', async () => {
  await api.ask('POST', `${V1}/zones`, { body: manifests.zone('going') });
  const query = 'fieldManager=kubectl-edit&fieldValidation=Strict';
  expect((await api.ask('PATCH', `${V1}/zones/going?${query}`, { body: patch, headers: MERGE })).status).toBe(200);
  const body = { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background', gracePeriodSeconds: 0 };
  expect((await api.ask('DELETE', `${V1}/zones/going`, { body })).status).toBe(200);
});
