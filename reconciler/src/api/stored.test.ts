/** What is validated is what is stored, whatever road it came. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiRig, type Asking, manifests, startApiRig, V1 } from './testing/rig.ts';

const MERGE = { 'content-type': 'application/merge-patch+json' };
const JSON_PATCH = { 'content-type': 'application/json-patch+json' };
const OFFERINGS = `${V1}/instanceofferings`;
const CHANGE_SETS = `${V1}/namespaces/default/changesets`;

let api: ApiRig;
beforeAll(async () => {
  api = await startApiRig();
  await api.ask('POST', OFFERINGS, { body: manifests.offering('s') });
  await api.ask('POST', CHANGE_SETS, {
    body: {
      apiVersion: 'plumb.dev/v1',
      kind: 'ChangeSet',
      metadata: { name: 'c' },
      spec: { objects: [{ ...manifests.zone('z'), apiVersion: undefined }] },
    },
  });
});
afterAll(() => api.stop());

const patch = (path: string, body: unknown, query = '') =>
  api.ask('PATCH', `${path}${query}`, { headers: JSON_PATCH, body });

describe('a prototype is no way past validation', () => {
  const roads = (path: string, spec: object) => [
    [
      { op: 'remove', path: '/spec/cpus' },
      { op: 'add', path: '/spec/__proto__', value: spec },
    ],
    [
      { op: 'replace', path: '/spec', value: {} },
      { op: 'add', path: '/spec/__proto__', value: spec },
    ],
    [
      { op: 'add', path: '/__proto__', value: { spec } },
      { op: 'remove', path: '/spec' },
    ],
    [
      { op: 'copy', from: '/spec', path: '/__proto__/spec' },
      { op: 'remove', path: '/spec' },
    ],
    [{ op: 'move', from: '/spec', path: '/metadata/__proto__' }],
    [{ op: 'add', path: '/spec/constructor', value: spec }],
    [{ op: 'add', path: '/spec/constructor/prototype/polluted', value: spec }],
    [
      {
        op: 'add',
        path: '',
        value: JSON.parse(`{"metadata":{"name":"${path}"},"__proto__":{"spec":${JSON.stringify(spec)}}}`),
      },
    ],
    [{ op: 'add', path: '/spec', value: JSON.parse(`{"__proto__":${JSON.stringify(spec)}}`) }],
  ];

  test('of an offering: it keeps its fields', async () => {
    for (const operations of roads('s', { cpus: 1, memoryMiB: 64 })) {
      for (const end of ['', '/status']) {
        const { status, text } = await patch(`${OFFERINGS}/s${end}`, operations, end ? '' : '?dryRun=All');
        expect([operations, status], text).toEqual([
          operations,
          expect.toSatisfy((code) => [400, 422].includes(code) || (end !== '' && code === 200)),
        ]);
        expect((await patch(`${OFFERINGS}/s${end}`, operations)).status).toBe(status);
      }
    }
    expect((await api.ask('GET', `${OFFERINGS}/s`)).body.spec).toEqual({ cpus: 1, memoryMiB: 128 });
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test('of a change set: its objects stay', async () => {
    for (const operations of roads('c', { objects: [] })) {
      expect([400, 422]).toContain((await patch(`${CHANGE_SETS}/c`, operations)).status);
    }
    expect((await api.ask('GET', `${CHANGE_SETS}/c`)).body.spec.objects).toHaveLength(1);
  });

  test.each([
    ['POST', OFFERINGS, '{"metadata":{"name":"p"},"spec":{"__proto__":{"cpus":1,"memoryMiB":64}}}', {}],
    ['POST', OFFERINGS, '{"metadata":{"name":"p"},"__proto__":{"spec":{"cpus":1,"memoryMiB":64}}}', {}],
    ['POST', OFFERINGS, '{"metadata":{"__proto__":{"name":"p"}},"spec":{"cpus":1,"memoryMiB":64}}', {}],
    [
      'POST',
      OFFERINGS,
      '{"metadata":{"name":"p","__proto__":null},"spec":{"cpus":1,"memoryMiB":64,"__proto__":null}}',
      {},
    ],
    ['PUT', `${OFFERINGS}/s`, '{"metadata":{"name":"s"},"spec":{"__proto__":{"cpus":1,"memoryMiB":64}}}', {}],
    ['PATCH', `${OFFERINGS}/s`, '{"spec":{"cpus":null,"__proto__":{"cpus":1}}}', MERGE],
    ['PATCH', '/api/v1/namespaces/default', '{"metadata":{"labels":{"__proto__":"x"}}}', MERGE],
  ])('%s %s %s', async (method, path, body, headers) => {
    const revision = api.store.revision();
    expect([400, 422]).toContain((await api.ask(method, path, { body, headers } as Asking)).status);
    expect(api.store.revision()).toBe(revision);
  });
});

test.each([
  [[{ op: 'copy', from: '/constructor', path: '/spec/x' }]],
  [[{ op: 'move', from: '/__proto__', path: '/spec/x' }]],
  [[{ op: 'copy', from: '', path: '/spec/x' }]],
  [[{ op: 'move', from: '/spec', path: '/spec/x' }]],
  [[{ op: 'move', from: '', path: '/spec' }]],
  [[{ op: 'test', path: '/spec', value: { toString: 'x' } }]],
  [[{ op: 'test', path: '/spec/cpus', value: { valueOf: 1, toString: 1 } }]],
  [[{ op: 'add', path: '/metadata', value: 5 }]],
  [[{ op: 'add', path: '', value: null }]],
  [[{ op: 'add', path: '', value: [] }]],
  [[{ op: 'add', path: '', value: 'text' }]],
  [[{ op: 'add', path: '/metadata/uid', value: { toString: 'x' } }]],
  [[{ op: 'add', path: '/metadata/resourceVersion', value: ['1'] }]],
  [[{ op: 'add', path: '/metadata/name', value: { toString: 1 } }]],
  [[{ op: 'add', path: '/metadata/labels', value: ['x'] }]],
  [[{ op: 'add', path: '/metadata/finalizers', value: 'x' }]],
  [[{ op: 'add', path: '/metadata/finalizers', value: { length: 3 } }]],
  [[{ op: 'add', path: '/metadata/finalizers', value: [{}, null] }]],
  [[{ op: 'add', path: '/metadata/ownerReferences', value: { 0: 1 } }]],
  [[{ op: 'add', path: '/kind', value: { toString: 'Zone' } }]],
  [[{ op: 'add', path: '/spec', value: [] }]],
  [[{ op: 'add', path: '/spec/cpus', value: { toString: 1 } }]],
])('%j is answered with what is wrong, never with 500', async (operations) => {
  const revision = api.store.revision();
  for (const path of [`${OFFERINGS}/s`, '/api/v1/namespaces/default', `${CHANGE_SETS}/c`, `${OFFERINGS}/s/status`]) {
    const { status, text } = await patch(path, operations, '?dryRun=All');
    expect([path, status], text).toEqual([path, expect.toSatisfy((code) => code < 500)]);
  }
  expect([400, 413, 422]).toContain((await patch(`${OFFERINGS}/s`, operations)).status);
  expect(api.store.revision()).toBe(revision);
});

test('a patch of a kilobyte that asks for a gigabyte is refused at once', async () => {
  const copies = Array.from({ length: 26 }, (_, i) => ({ op: 'copy', from: '/spec/x', path: `/spec/x/k${i}` }));
  const before = process.threadCpuUsage().user;
  const { status, body } = await patch(`${OFFERINGS}/s`, [{ op: 'add', path: '/spec/x', value: { a: 1 } }, ...copies]);
  expect([status, body.message]).toEqual([413, 'a JSON patch may add 3145728 bytes']);
  expect(process.threadCpuUsage().user - before).toBeLessThan(1_500_000);
});

test('an object larger than the limit is not stored, whatever road it comes', async () => {
  const annotations = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`a${i}`, 'x'.repeat(110_000)]));
  const revision = api.store.revision();
  const large = { body: manifests.zone('large', { annotations }) };
  expect([413, 422]).toContain((await api.ask('POST', `${V1}/zones`, large)).status);
  expect([413, 422]).toContain(
    (await api.ask('PATCH', `${OFFERINGS}/s`, { body: { metadata: { annotations } }, headers: MERGE })).status,
  );
  expect(api.store.revision()).toBe(revision);
});

describe('a field that stands twice', () => {
  const twice =
    '{"apiVersion":"plumb.dev/v1","kind":"InstanceOffering","metadata":{"name":"t"},"spec":{"cpus":1,"cpus":2,"memoryMiB":64,"memoryMiB":65}}';
  const sentence = 'strict decoding error: duplicate field "spec.cpus", duplicate field "spec.memoryMiB"';

  test('is refused, under Strict and unasked', async () => {
    for (const query of ['', '?fieldValidation=Strict']) {
      const made = await api.ask('POST', `${OFFERINGS}${query}`, { body: twice });
      expect([made.status, made.body.message]).toEqual([
        400,
        `InstanceOffering in version "v1" cannot be handled as a InstanceOffering: ${sentence}`,
      ]);
      expect((await api.ask('PUT', `${OFFERINGS}/s${query}`, { body: twice.replace('"t"', '"s"') })).status).toBe(400);
    }
    const space = '{"metadata":{"name":"twice","labels":{"a":"b","a":"c"}}}';
    expect((await api.ask('POST', '/api/v1/namespaces', { body: space })).status).toBe(400);
  });

  test('of a patch is 422, as Kubernetes answers', async () => {
    const body = '{"spec":{"cpus":1,"cpus":9}}';
    const merged = await api.ask('PATCH', `${OFFERINGS}/s`, { body, headers: MERGE });
    expect([merged.status, merged.body.message]).toEqual([422, expect.stringContaining('duplicate field "spec.cpus"')]);
    const operations = '[{"op":"test","path":"/kind","value":{"a":1,"a":2}}]';
    expect((await patch(`${OFFERINGS}/s`, operations)).status).toBe(422);
    expect((await api.ask('GET', `${OFFERINGS}/s`)).body.spec.cpus).toBe(1);
  });

  test('is warned of under Warn, and not spoken of under Ignore; the last one counts', async () => {
    const warned = await api.ask('POST', `${OFFERINGS}?fieldValidation=Warn`, { body: twice });
    expect([warned.status, warned.headers.warning]).toEqual([
      201,
      '299 - "duplicate field \\"spec.cpus\\"", 299 - "duplicate field \\"spec.memoryMiB\\""',
    ]);
    expect(warned.body.spec).toEqual({ cpus: 2, memoryMiB: 65 });
    const body = '{"spec":{"cpus":3,"cpus":4}}';
    const ignored = await api.ask('PATCH', `${OFFERINGS}/t?fieldValidation=Ignore`, { body, headers: MERGE });
    expect([ignored.status, ignored.headers.warning, ignored.body.spec.cpus]).toEqual([200, undefined, 4]);
  });

  test('a warning stays within what clients take of headers', async () => {
    const many = Array.from({ length: 8_000 }, (_, i) => `"${'long'.repeat(i % 90)}${i}é":1,"a":${i}`).join(',');
    const body = `{"apiVersion":"plumb.dev/v1","kind":"InstanceOffering","metadata":{"name":"warned"},"spec":{"cpus":1,"memoryMiB":64,${many}}}`;
    const { status, headers } = await api.ask('POST', `${OFFERINGS}?fieldValidation=Warn&dryRun=All`, { body });
    expect(status).toBe(201);
    const warning = String(headers.warning);
    expect(warning.length).toBeLessThan(4_400);
    expect(warning).toMatch(/^299 - "duplicate field \\"spec\.a\\"", .*299 - "and \d+ more"$/);
  });

  test('of DeleteOptions deletes nothing', async () => {
    const { status } = await api.ask('DELETE', `${OFFERINGS}/s`, { body: '{"dryRun":["All"],"dryRun":[]}' });
    expect(status).toBe(400);
    expect((await api.ask('GET', `${OFFERINGS}/s`)).body.metadata.deletionTimestamp).toBeUndefined();
  });
});

test('a replacement that does not speak of finalizers leaves that of the kind, so that nothing goes too early', async () => {
  await api.ask('POST', `${V1}/zones`, { body: manifests.zone('held') });
  await api.ask('DELETE', `${V1}/zones/held`);
  for (const metadata of [{ name: 'held' }, { name: 'held', finalizers: null }]) {
    const { status } = await api.replace(`${V1}/zones/held`, { ...manifests.zone('held'), metadata });
    expect(status).toBe(200);
  }
  expect((await api.ask('GET', `${V1}/zones/held`)).body.metadata.finalizers).toEqual(['plumb.dev/zone']);
});
