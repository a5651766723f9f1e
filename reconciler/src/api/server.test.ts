import { terminal } from '@plumb/schemas';
import { defaultServerLimits } from '@plumb/schemas/limits/server.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Metrics } from '../runtime/metrics.ts';
import { storeUnavailable } from '../store/errors.ts';
import { MemoryStore } from '../store/memory.ts';
import { type ApiRig, manifests, startApiRig, V1 } from './testing/rig.ts';

/** A store whose disk can be made full. */
class FullStore extends MemoryStore {
  full = false;

  override commit(batch: Parameters<MemoryStore['commit']>[0]) {
    if (this.full) return Promise.reject(storeUnavailable('write', new Error('no space left on device')));
    return super.commit(batch);
  }
}

let api: ApiRig;
const store = new FullStore();

beforeAll(async () => {
  api = await startApiRig({
    store,
    metrics: new Metrics(),
    extensions: [
      {
        method: 'POST',
        path: `${V1}/plans`,
        body: { type: 'object' },
        handle: async (request) => ({ status: 201, body: { sent: request.body, user: request.user.name } }),
      },
      {
        method: 'GET',
        path: `${V1}/orphans/{host}`,
        handle: async ({ params, query }) => {
          if (params.host === 'none') throw terminal('NoSuchHost', 'there is no host none');
          return { body: { ...params, all: query.get('all') } };
        },
      },
    ],
  });
});
afterAll(() => api.stop());

describe('authentication', () => {
  test.each(['/healthz', '/livez', '/readyz', '/version'])('%s is open', async (path) => {
    expect((await api.ask('GET', path, { token: '' })).status).toBe(200);
  });

  test.each(['/api', '/apis', '/openapi/v3', '/metrics', `${V1}/zones`, `${V1}/orphans/a`, '/nothing'])(
    '%s needs a token',
    async (path) => {
      for (const token of ['', 'wrong']) {
        const { status, body, headers } = await api.ask('GET', path, { token });
        expect(status).toBe(401);
        expect(body).toMatchObject({ kind: 'Status', reason: 'Unauthorized' });
        expect(headers['www-authenticate']).toMatch(/^Bearer/);
      }
    },
  );

  test('a wrong token is not repeated', async () => {
    expect((await api.ask('GET', '/api', { token: 'hunter2' })).text).not.toContain('hunter2');
  });

  test('reviews know the administrator', async () => {
    const who = await api.ask('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', { body: {} });
    expect(who.body.status.userInfo.username).toBe('admin');
    const may = await api.ask('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
      body: { spec: { resourceAttributes: { verb: 'delete', resource: 'zones' } } },
    });
    expect(may.body.status.allowed).toBe(true);
    expect(may.body.spec.resourceAttributes.verb).toBe('delete');
  });
});

describe('discovery', () => {
  const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';

  test('who has the aggregated form is told that it still holds, and that it is that form', async () => {
    for (const path of ['/api', '/apis']) {
      const { headers } = await api.ask('GET', path, { headers: { accept: AGGREGATED } });
      const again = { accept: AGGREGATED, 'if-none-match': headers.etag! };
      const { status, text, headers: told } = await api.ask('GET', path, { headers: again });
      expect([status, text]).toEqual([304, '']);
      for (const name of ['content-type', 'etag', 'vary', 'cache-control']) expect(told[name]).toBe(headers[name]);
      const changed = await api.ask('GET', path, { headers: { ...again, 'if-none-match': '"other"' } });
      expect(changed.status).toBe(200);
    }
  });

  test('the old form and the aggregated one name the same resources', async () => {
    const old = (await api.ask('GET', V1)).body.resources as { name: string; kind: string; shortNames?: string[] }[];
    expect(old.map((r) => r.name)).toContain('instances/status');
    expect(old.find((r) => r.name === 'instances')).toMatchObject({ kind: 'Instance', shortNames: ['vm'] });
    const { body, headers } = await api.ask('GET', '/apis', { headers: { accept: AGGREGATED } });
    expect(headers['content-type']).toContain('as=APIGroupDiscoveryList');
    const group = body.items.find((g: { metadata: { name: string } }) => g.metadata.name === 'plumb.dev');
    const names = group.versions[0].resources.map((r: { resource: string }) => r.resource);
    const main = old.map((r) => r.name).filter((name) => !name.includes('/'));
    expect(names.sort()).toEqual(main.sort());
  });

  test('core, groups and what asks for neither form', async () => {
    expect((await api.ask('GET', '/api')).body.versions).toEqual(['v1']);
    expect((await api.ask('GET', '/api/v1')).body.resources.map((r: { name: string }) => r.name)).toEqual([
      'namespaces',
      'namespaces/status',
      'events',
      'secrets',
      'configmaps',
      'serviceaccounts',
      'serviceaccounts/token',
    ]);
    const groups = (await api.ask('GET', '/apis')).body.groups.map((g: { name: string }) => g.name);
    expect(groups).toContain('plumb.dev');
    expect((await api.ask('GET', '/apis/plumb.dev')).body.preferredVersion.version).toBe('v1');
  });

  test('OpenAPI documents lie at URLs that name their content', async () => {
    const { paths } = (await api.ask('GET', '/openapi/v3')).body;
    expect(Object.keys(paths).sort()).toEqual([
      'api/v1',
      'apis/apiextensions.k8s.io/v1',
      'apis/coordination.k8s.io/v1',
      'apis/events.k8s.io/v1',
      'apis/plumb.dev/v1',
      'apis/rbac.authorization.k8s.io/v1',
    ]);
    const url = paths['apis/plumb.dev/v1'].serverRelativeURL;
    const document = await api.ask('GET', url);
    expect(document.headers['cache-control']).toContain('immutable');
    expect(document.body.components.schemas).toHaveProperty(['dev.plumb.v1.Zone']);
    const again = await api.ask('GET', url, { headers: { 'if-none-match': document.headers.etag! } });
    expect(again.status).toBe(304);
    expect((await api.ask('GET', '/openapi/v3/apis/none/v1')).status).toBe(404);
  });
});

describe('routes', () => {
  test.each([
    ['GET', '/nothing', 404],
    ['GET', `${V1}/nothing`, 404],
    ['GET', `${V1}/zones/a/nothing`, 404],
    ['GET', `${V1}/instances/a`, 404],
    ['GET', '/apis/plumb.dev/v2/zones', 404],
    ['DELETE', '/api/v1/namespaces', 405],
    ['DELETE', `${V1}/instances`, 404],
    ['POST', `${V1}/zones/a`, 400],
    ['DELETE', `${V1}/zones/a/status`, 405],
    ['POST', `${V1}/instances`, 404],
    ['GET', `${V1}/zones/%zz`, 400],
  ])('%s %s is %i', async (method, path, status) => {
    const answer = await api.ask(method, path, method === 'POST' ? { body: {} } : {});
    expect(answer.status).toBe(status);
    expect(answer.body.kind).toBe('Status');
  });

  test('extensions are served behind the same authentication, and their errors are a Status', async () => {
    const plan = await api.ask('POST', `${V1}/plans`, { body: { a: 1 } });
    expect(plan).toMatchObject({ status: 201, body: { sent: { a: 1 }, user: 'admin' } });
    expect((await api.ask('GET', `${V1}/orphans/h%2F1?all=x`)).body).toEqual({ host: 'h/1', all: 'x' });
    const failed = await api.ask('GET', `${V1}/orphans/none`);
    expect(failed).toMatchObject({ status: 422, body: { reason: 'NoSuchHost', message: 'there is no host none' } });
  });

  test('metrics', async () => {
    expect((await api.ask('GET', '/metrics')).text).toContain('plumb_api_inflight{level="writes"} 0\n');
  });
});

describe('bodies', () => {
  test('are bounded, whether they say their length or not', async () => {
    const large = JSON.stringify(
      manifests.zone('large', { annotations: { a: 'x'.repeat(defaultServerLimits.bodyBytes) } }),
    );
    for (const headers of [{ 'content-length': String(large.length) }, {}] as Record<string, string>[]) {
      const { status, body } = await api.ask('POST', `${V1}/zones`, { body: large, headers });
      expect(status).toBe(413);
      expect(body.reason).toBe('RequestEntityTooLarge');
    }
    // The connection is still good.
    expect((await api.ask('GET', `${V1}/zones`)).status).toBe(200);
  });

  test('of another type are 415', async () => {
    const headers = { 'content-type': 'application/toml' };
    expect((await api.ask('POST', `${V1}/zones`, { body: 'a = 1', headers })).status).toBe(415);
  });

  test('in protobuf are decoded for the kinds that kubectl sends so, and refused for others', async () => {
    const headers = { 'content-type': 'application/vnd.kubernetes.protobuf' };
    const field = (id: number, bytes: Buffer | string) => {
      const content = Buffer.from(bytes);
      return Buffer.concat([Buffer.from([(id << 3) | 2, content.length]), content]);
    };
    const envelope = (kind: string, raw: Buffer) =>
      Buffer.concat([
        Buffer.from('k8s\0'),
        field(1, Buffer.concat([field(1, 'v1'), field(2, kind)])),
        field(2, raw),
      ]).toString('latin1');
    const label = field(11, Buffer.concat([field(1, 'tier'), field(2, 'web')]));
    const namespace = field(1, Buffer.concat([field(1, 'proto'), field(2, ''), label]));
    const post = (body: string) => api.ask('POST', '/api/v1/namespaces', { body, headers });
    const made = await post(envelope('Namespace', namespace));
    expect(made).toMatchObject({ status: 201, body: { metadata: { name: 'proto', labels: { tier: 'web' } } } });
    expect((await post(envelope('Pod', namespace))).status).toBe(415);
    expect((await post('nonsense')).status).toBe(400);
    expect((await post(envelope('Namespace', Buffer.from([0x0a, 0x7f])))).status).toBe(400);
  });
});

describe('events', () => {
  test('are listed, selected by the object that they speak of, and watched', async () => {
    const object = (await api.ask('POST', `${V1}/zones`, { body: manifests.zone('eventful') })).body;
    const watch = api.watch('/api/v1/events?watch=true&resourceVersion=0');
    api.events.record({ object, type: 'Warning', reason: 'Drift', message: 'something is gone' });
    expect(await watch.next()).toMatchObject({ type: 'ADDED', object: { kind: 'Event', reason: 'Drift', count: 1 } });
    api.events.record({ object, type: 'Warning', reason: 'Drift', message: 'something is gone' });
    expect(await watch.next()).toMatchObject({ type: 'MODIFIED', object: { count: 2 } });
    watch.end();
    const find = (query: string) => api.ask('GET', `/api/v1/namespaces/default/events?fieldSelector=${query}`);
    const selected = await find(`involvedObject.kind%3DZone,involvedObject.uid%3D${object.metadata.uid}`);
    expect(selected.body.items).toHaveLength(1);
    expect(selected.body.items[0].involvedObject).toMatchObject({ kind: 'Zone', name: 'eventful' });
    expect((await find('involvedObject.name%3Dother')).body.items).toEqual([]);
    const { name } = selected.body.items[0].metadata;
    expect((await api.ask('GET', `/api/v1/namespaces/default/events/${name}`)).body.message).toBe('something is gone');
  });
});

describe('a store that cannot write', () => {
  test('is 503 and not ready, and everything can still be read', async () => {
    expect((await api.ask('GET', '/readyz', { token: '' })).status).toBe(200);
    store.full = true;
    try {
      const { status, body } = await api.ask('POST', `${V1}/zones`, { body: manifests.zone('lost') });
      expect(status).toBe(503);
      expect(body).toMatchObject({ reason: 'StoreUnavailable', message: expect.stringContaining('no space left') });
      expect((await api.ask('GET', `${V1}/zones/lost`)).status).toBe(404);
      await api.clock.advance(6_000);
      const ready = await api.ask('GET', '/readyz', { token: '' });
      expect(ready.status).toBe(503);
      expect(ready.text).toContain('no space left');
      expect((await api.ask('GET', '/livez', { token: '' })).status).toBe(200);
    } finally {
      store.full = false;
    }
    await api.clock.advance(6_000);
    expect((await api.ask('GET', '/readyz', { token: '' })).status).toBe(200);
  });
});
