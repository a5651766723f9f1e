import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { auditLine, type Write } from './audit.ts';
import { type ApiRig, startApiRig, V1 } from './testing/rig.ts';

const MERGE = { 'content-type': 'application/merge-patch+json' };
const SECRET = 'hush-hush-hush';

let api: ApiRig;
const writes: Write[] = [];
beforeAll(async () => {
  api = await startApiRig({
    audit: (write) => writes.push(write),
    extensions: [
      {
        method: 'POST',
        path: `${V1}/doings`,
        handle: async () => ({ body: {}, wrote: [{ verb: 'delete', object: 'a/b' }] }),
      },
      { method: 'POST', path: `${V1}/questions`, onlyReads: true, handle: async () => ({ body: {} }) },
    ],
  });
});
afterAll(() => api.stop());
beforeEach(() => {
  writes.length = 0;
});

const zone = (name: string) => ({ apiVersion: 'plumb.dev/v1', kind: 'Zone', metadata: { name }, spec: {} });
const lines = () => writes.map((write) => auditLine(write).replace(/ from=\S+$/, ''));

test('every write has one line: who, verb, object, code; what was refused, too', async () => {
  const body = zone('home');
  await api.ask('POST', `${V1}/zones`, { body });
  await api.ask('POST', `${V1}/zones`, { body });
  await api.ask('POST', `${V1}/zones`, { body: { ...body, metadata: { generateName: 'made-' } } });
  await api.replace(`${V1}/zones/home`, { ...body, spec: { description: [SECRET] } });
  await api.ask('PATCH', `${V1}/zones/home`, { headers: MERGE, body: { spec: { description: SECRET } } });
  await api.ask('PATCH', `${V1}/zones/home/status`, { headers: MERGE, body: { status: {} } });
  await api.ask('DELETE', `${V1}/zones/home`);
  await api.ask('DELETE', `${V1}/namespaces/lab/instances/none`);
  await api.ask('POST', '/api/v1/namespaces', {
    body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'lab' } },
  });
  await api.ask('POST', `${V1}/doings`, { body: {} });
  expect(lines()).toEqual([
    'audit user=admin verb=create object=zones.plumb.dev/home code=201',
    'audit user=admin verb=create object=zones.plumb.dev/home code=409',
    expect.stringMatching(/^audit user=admin verb=create object=zones.plumb.dev\/made-\w+ code=201$/),
    'audit user=admin verb=update object=zones.plumb.dev/home code=422',
    'audit user=admin verb=patch object=zones.plumb.dev/home code=200',
    'audit user=admin verb=patch object=zones.plumb.dev/home/status code=200',
    'audit user=admin verb=delete object=zones.plumb.dev/home code=200',
    'audit user=admin verb=delete object=instances.plumb.dev/lab/none code=404',
    'audit user=admin verb=create object=namespaces/lab code=201',
    'audit user=admin verb=post object=plumb.dev/v1/doings code=200',
    'audit user=admin verb=delete object=a/b code=200',
  ]);
  expect(auditLine(writes[0]!)).toMatch(/ from=(127\.0\.0\.1|::ffff:127\.0\.0\.1)$/);
  expect(JSON.stringify(writes)).not.toContain(SECRET);
});

test('what writes nothing has none: reading, asking, dry runs, strangers', async () => {
  const body = zone('dry');
  await api.ask('GET', `${V1}/zones`);
  await api.ask('POST', `${V1}/questions`, { body: {} });
  await api.ask('POST', `${V1}/zones?dryRun=All`, { body });
  await api.ask('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
    body: { spec: { resourceAttributes: { verb: 'get' } } },
  });
  await api.ask('POST', `${V1}/zones`, { body, token: 'x' });
  expect(lines()).toEqual([]);
  await api.ask('POST', `${V1}/zones`, { body });
  writes.length = 0;
  await api.ask('DELETE', `${V1}/zones/dry`, { body: { dryRun: ['All'] } });
  await api.ask('PATCH', `${V1}/zones/dry?dryRun=All`, { headers: MERGE, body: { spec: { description: 'x' } } });
  expect(lines()).toEqual([]);
});

describe('a name that a client made up', () => {
  const line = (object: string) => auditLine({ user: 'admin', verb: 'create', object, code: 422 });
  test('cannot look like another field or another line, and is bounded', () => {
    expect(line('zones/a code=200')).toBe('audit user=admin verb=create object="zones/a code=200" code=422');
    expect(line('a\n2026-01-01T00:00:00Z info  audit user=root')).not.toContain('\n');
    expect(line('\u001b[2J')).not.toContain('\u001b');
    expect(line('x'.repeat(100_000)).length).toBeLessThan(500);
  });
});
