/** What every endpoint that is no resource makes of bodies and options that it cannot mean, on a whole server. */
import { mkdtempSync, rmSync } from 'node:fs';
import http2 from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Access, findAccess } from '@plumb/client/access.ts';
import { everyKind } from '@plumb/schemas';
import { apiVersionOf } from '@plumb/schemas/kinds/define.ts';
import { defaultServerLimits } from '@plumb/schemas/limits/server.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attributesOf } from '../api/attributes.ts';
import { type Extension, JUDGING, judgesItself } from '../api/extension.ts';
import { defaultPolicy } from '../authorization/default-roles.ts';
import { PolicyIndex } from '../authorization/policy-index.ts';
import type { Control } from '../control.ts';
import { type ControlPlane, serve } from '../main.ts';
import type { Pki } from '../pki/open.ts';
import { everyExtension } from './every.ts';

/** They are declared without anything being asked of what they work with. */
const nothing: unknown = new Proxy(() => {}, { get: () => nothing });
const written = [...everyExtension(nothing as Pki, Date.now, defaultServerLimits, () => nothing as Control)].filter(
  ({ method }) => method !== 'GET',
);

/** A body of each endpoint that it takes, though what it names may not be there. */
const GOOD: Record<string, Record<string, unknown>> = {
  'admintoken/rotate': {},
  'authority/rotate': { overlapSeconds: 60 },
  jointokens: { host: 'host-1', uses: 2, ttlSeconds: 60 },
  readmissions: { host: 'host-1', credential: 'ab12' },
  fences: { host: 'host-1', confirmedOff: true },
  orphanremovals: { host: 'host-1', kind: 'disk', id: 'x', allowDataLoss: true },
  'flows/x/retry': {},
  'flows/x/abandon': {},
  cascades: { objects: [{ kind: 'Zone', name: 'none' }], dryRun: false, expect: 1 },
  driftscans: { way: 'digests' },
  'namespaces/x/gitsyncs': { name: 'site' },
  'namespaces/x/gitapprovals': { name: 'site', digest: 'a'.repeat(32) },
};
const ROOT = '/apis/plumb.dev/v1/';
const placeOf = ({ path }: Extension) => path.replace(/\{\w+\}/, 'x').slice(ROOT.length);
const posts = written.filter(({ method }) => method === 'POST').map((one) => [placeOf(one), one] as const);
const deletes = written.filter(({ method }) => method === 'DELETE').map((one) => [placeOf(one), one] as const);

let dataDir: string;
let plane: ControlPlane;
let access: Access;
let session: http2.ClientHttp2Session;

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'plumb-every-'));
  const { promise: ready, resolve: onReady, reject: onFatal } = Promise.withResolvers<void>();
  plane = await serve({ dataDir, listen: { host: '127.0.0.1', port: 0 }, log: () => {}, onFatal, onReady });
  await ready;
  access = await findAccess(plane.kubeconfigFile, {});
  session = http2.connect(plane.url, { ca: access.ca! });
});
afterAll(async () => {
  session?.destroy();
  await plane?.close();
  rmSync(dataDir, { recursive: true, force: true });
});

interface Answer {
  status: number;
  warning: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: tests read bodies of every shape
  body: any;
}

async function send(
  method: string,
  path: string,
  text = '',
  type = 'application/json',
  more: Record<string, string> = {},
): Promise<Answer> {
  const head = {
    ...more,
    ':method': method,
    ':path': path.startsWith('/') ? path : ROOT + path,
    authorization: `Bearer ${access.token}`,
  };
  const stream = session.request({ ...head, ...(type ? { 'content-type': type } : {}) }, { endStream: false });
  stream.end(text);
  const { promise, resolve } = Promise.withResolvers<http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader>();
  stream.once('response', resolve);
  let answer = '';
  for await (const part of stream.setEncoding('utf8')) answer += part;
  const headers = await promise;
  return {
    status: headers[':status']!,
    warning: headers.warning as string | undefined,
    body: answer ? JSON.parse(answer) : {},
  };
}

const refusal = ({ status, body }: Answer) => [status, body.kind, body.reason, body.code];

test('each of them is tried here', () => {
  expect(posts.map(([place]) => place).sort()).toEqual(Object.keys(GOOD).sort());
  expect(deletes.map(([place]) => place).sort()).toEqual(['jointokens/x', 'poisoned/x']);
});

describe.each(posts)('POST %s', (place, extension) => {
  const good = GOOD[place]!;

  test('a field that is not known is refused, and named', async () => {
    for (const wrong of ['hots', 'dryrun', '__proto__', 'constructor']) {
      const body = `${JSON.stringify(good).slice(0, -1)}${Object.keys(good).length > 0 ? ',' : ''}"${wrong}":"All"}`;
      const answer = await send('POST', place, body);
      expect([wrong, ...refusal(answer)]).toEqual([wrong, 422, 'Status', 'Invalid', 422]);
      expect(answer.body.message).toContain(`${wrong} is not a known field`);
      expect(answer.body.details.causes).toHaveLength(1);
    }
  });

  test('so is one inside', async () => {
    for (const [field, value] of Object.entries(good)) {
      const [item] = Array.isArray(value) ? value : [];
      if (typeof item !== 'object') continue;
      const answer = await send('POST', place, JSON.stringify({ ...good, [field]: [{ ...item, of: 'no use' }] }));
      expect(refusal(answer)).toEqual([422, 'Status', 'Invalid', 422]);
      expect(answer.body.message).toContain(`${field}[0].of`);
    }
  });

  test('a field of another type is refused, and so is a body', async () => {
    for (const field of Object.keys(good))
      for (const wrong of [null, 7.5, 'no such', true, [], {}, [1], { a: 1 }]) {
        if (typeof wrong === typeof good[field] && typeof wrong !== 'object' && typeof wrong !== 'number') continue;
        const answer = await send('POST', place, JSON.stringify({ ...good, [field]: wrong }));
        // A list of nothing is a list.
        if (Array.isArray(wrong) && wrong.length === 0 && Array.isArray(good[field])) continue;
        expect([field, wrong, ...refusal(answer)]).toEqual([field, wrong, 422, 'Status', 'Invalid', 422]);
        expect(answer.body.message).toContain(field);
      }
    for (const wrong of ['null', '[]', '7', '"host-1"', 'true'])
      expect([wrong, ...refusal(await send('POST', place, wrong))]).toEqual([wrong, 422, 'Status', 'Invalid', 422]);
    for (const wrong of ['{', '{}{}', 'host: host-1', '{"a":1e999}'])
      expect([wrong, ...refusal(await send('POST', place, wrong))]).toEqual([wrong, 400, 'Status', 'BadRequest', 400]);
  });

  test('a field that stands twice is refused', async () => {
    const [field = 'a', value = 1] = Object.entries(good)[0] ?? [];
    const twice = `{"${field}":${JSON.stringify(value)},${JSON.stringify({ ...good, [field]: value }).slice(1)}`;
    const answer = await send('POST', place, twice);
    expect(refusal(answer)).toEqual([400, 'Status', 'BadRequest', 400]);
    expect(answer.body.message).toContain(`duplicate field "${field}"`);
  });

  test('what is no JSON by its content type is refused', async () => {
    const text = JSON.stringify(good);
    for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'application/json2'])
      expect([type, ...refusal(await send('POST', place, text, type))]).toEqual(
        expect.arrayContaining([type, 415, 'UnsupportedMediaType']),
      );
  });

  test('options are those of any other write', async () => {
    const text = JSON.stringify(good);
    for (const query of ['dryRun=all', 'dryRun=', 'dryRun=All&dryRun=x', 'fieldValidation=strict', 'fieldManager=%00'])
      expect([query, ...refusal(await send('POST', `${place}?${query}`, text))]).toEqual([
        ...[query, 422, 'Status', 'Invalid', 422],
      ]);
    const tried = await send('POST', `${place}?dryRun=All`, text);
    if (extension.onlyReads || extension.triesDryRun) expect(tried.status).toBeOneOf([200, 404]);
    else expect(refusal(tried)).toEqual([422, 'Status', 'Invalid', 422]);
  });

  test('under Warn what is not known is warned of, unless what it may mean cannot be undone', async () => {
    if (place.includes('rotate') || place.startsWith('flows')) return;
    const sent = JSON.stringify({ ...good, hots: 1 });
    const answer = await send('POST', `${place}?fieldValidation=Warn`, sent);
    if (extension.strict) expect(refusal(answer)).toEqual([422, 'Status', 'Invalid', 422]);
    else if (answer.status === 200) expect(answer.warning).toContain('hots is not a known field');
    else expect(answer.body.message).not.toContain('hots');
  });

  test('other methods are not served', async () => {
    for (const method of ['PUT', 'PATCH', 'OPTIONS', 'DELETE'])
      expect(refusal(await send(method, place))).toEqual([405, 'Status', 'MethodNotAllowed', 405]);
  });
});

describe('objects of a plan are judged as writes of their own', () => {
  const offering = { kind: 'InstanceOffering', metadata: { name: 'a' }, spec: { cpus: 1, memoryMiB: 64 } };
  const plan = (object: object, query = '') =>
    send('POST', `planreviews${query}`, JSON.stringify({ spec: { objects: [object] } }));

  test.each([
    ['apiVersion', { apiVersion: 'v9' }],
    ['spec.cpus', { spec: { cpus: 0, memoryMiB: 64 } }],
    ['spec.colour', { spec: { ...offering.spec, colour: 'red' } }],
    ['metadata.labels', { metadata: { name: 'a', labels: { '-': 'x' } } }],
    ['metadata.annotations', { metadata: { name: 'a', annotations: { a: 'x'.repeat(262_145) } } }],
    ['metadata.name', { metadata: { name: 'A b' } }],
    ['data', { data: {} }],
  ])('%s', async (field, wrong) => {
    const answer = await plan({ ...offering, ...wrong });
    expect(refusal(answer)).toEqual([422, 'Status', 'Invalid', 422]);
    expect(answer.body.details.causes[0].field).toBe(`spec.objects[0].${field}`);
  });

  test('what is not known is warned of where that is asked for', async () => {
    const answer = await plan({ ...offering, spec: { ...offering.spec, colour: 'red' } }, '?fieldValidation=Warn');
    expect([answer.status, answer.warning]).toEqual([
      ...[201, expect.stringContaining('spec.objects[0].spec.colour is not a known field')],
    ]);
  });

  test('no refusal shows what they hold', async () => {
    for (const wrong of [
      { ...offering, kind: { userData: 'hunter2' } },
      { ...offering, metadata: 'hunter2' },
      { ...offering, spec: ['hunter2'] },
      { kind: 'Instance', metadata: { name: 'a' }, spec: { userData: ['hunter2'] } },
    ]) {
      const answer = await plan(wrong);
      expect(answer.status).toBe(422);
      expect(JSON.stringify(answer.body)).not.toContain('hunter2');
    }
  });
});

test('an authority is not trusted beside its successor for longer than the limits say', async () => {
  const overlapSeconds = defaultServerLimits.authorityOverlapSeconds + 1;
  const answer = await send('POST', 'authority/rotate', JSON.stringify({ overlapSeconds }));
  expect(refusal(answer)).toEqual([422, 'Status', 'Invalid', 422]);
  expect(answer.body.details.causes[0].field).toBe('overlapSeconds');
});

describe.each(deletes)('DELETE %s', (place) => {
  test.each([
    ['{"dryRun":["All"]}', 422],
    ['{"dryRun":["all"]}', 422],
    ['{"dryrun":["All"]}', 400],
    ['{"dryRun":"All"}', 400],
    ['{"preconditions":{"uid":"other"}}', 422],
    ['{"preconditions":{"resourceVersion":"1"}}', 422],
    ['{"propagationPolicy":"Bogus"}', 422],
    ['[]', 400],
    ['{', 400],
    ['{"kind":"DeleteOptions","kind":"DeleteOptions"}', 400],
  ])('with %s is %i', async (text, status) => {
    expect((await send('DELETE', place, text)).status).toBe(status);
  });

  test.each(['dryRun=All', 'dryRun=all', 'propagationPolicy=x', 'gracePeriodSeconds=soon'])('?%s', async (query) => {
    expect((await send('DELETE', `${place}?${query}`)).status).toBe(query.startsWith('grace') ? 400 : 422);
  });

  test('a body of another type is refused', async () => {
    expect((await send('DELETE', place, '{}', 'text/plain')).status).toBe(415);
  });
});

describe('rights', () => {
  const everything = [...everyExtension(nothing as Pki, Date.now, defaultServerLimits, () => nothing as Control)];
  const segmentsOf = (path: string) => path.split('/').filter(Boolean);

  test.each(everything.map((one) => [one.method, one.path, one] as const))(
    'of %s %s are known before it is looked for, or it asks for them itself',
    (method, path, one) => {
      const segments = segmentsOf(path);
      const attributes = attributesOf({ method, path, segments, query: new URLSearchParams() });
      expect(attributes).toMatchObject({ group: 'plumb.dev', resource: expect.stringMatching(/^[a-z]+$/) });
      expect(attributes.verb).not.toBe('');
      expect(judgesItself({ method, segments })).toBe(one.judges === true);
    },
  );

  test('what is said to judge by itself is there', () => {
    expect(everything.filter(({ judges }) => judges).map(({ path }) => path)).toEqual(
      expect.arrayContaining([...JUDGING]),
    );
    expect(everything.filter(({ judges }) => judges)).toHaveLength(JUDGING.length);
  });

  test('some role gives the right to each of them, unless it is the administrator alone', () => {
    const index = new PolicyIndex();
    for (const role of defaultPolicy.clusterRoles) {
      if (role.metadata.name === 'cluster-admin') continue;
      index.putClusterRole(role);
      const { name } = role.metadata;
      index.putBinding('', {
        metadata: { name },
        subjects: [{ kind: 'User', name: 'ann' }],
        roleRef: { kind: 'ClusterRole', name },
      });
    }
    const ungiven = everything
      // A cascade deletes, and asks for that.
      .filter(({ path }) => !path.endsWith('/cascades'))
      .filter(({ method, path }) => {
        const asked = { method, path, segments: segmentsOf(path), query: new URLSearchParams() };
        return !index.decide({ name: 'ann', groups: [] }, attributesOf(asked)).allowed;
      })
      .map(({ method, path }) => `${method} ${path.slice(ROOT.length)}`);
    expect(ungiven).toEqual(['POST admintoken/rotate', 'POST authority/rotate']);
  });

  const BOB = { 'impersonate-user': 'bob' };
  const RBAC = '/apis/rbac.authorization.k8s.io/v1/';
  const asBob = (place: string, body: object) => send('POST', place, JSON.stringify(body), 'application/json', BOB);
  const put = async (place: string, body: object) => {
    const kind = everyKind.find(({ plural }) => place.split('/').at(-1) === plural)!;
    const whole = { apiVersion: apiVersionOf(kind), kind: kind.kind, ...body };
    const answer = await send('POST', place, JSON.stringify(whole));
    expect([place, answer.status]).toEqual([place, 201]);
  };
  const giveBob = async (name: string, verbs: string[], resources: string[], namespace?: string) => {
    const where = namespace === undefined ? '' : `namespaces/${namespace}/`;
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name };
    const rules = [{ verbs, apiGroups: ['plumb.dev'], resources }];
    await put(`${RBAC}clusterroles`, { metadata: { name }, rules });
    const kind = namespace === undefined ? 'clusterrolebindings' : 'rolebindings';
    const subjects = [{ kind: 'User', name: 'bob' }];
    await put(`${RBAC}${where}${kind}`, { metadata: { name }, roleRef, subjects });
  };

  test('a cascade deletes nothing that may not be deleted, and does not tell what that is', async () => {
    await put('zones', { metadata: { name: 'z' }, spec: {} });
    await put('l2networks', { metadata: { name: 'l' }, spec: { zone: 'z', type: 'vxlan', vni: 7 } });
    const cascade = (dryRun: boolean) => asBob('cascades', { objects: [{ kind: 'Zone', name: 'z' }], dryRun });
    expect((await asBob('cascades', { objects: [{ kind: 'Zone', name: 'none' }] })).status).toBe(403);
    await giveBob('deletes-zones', ['delete'], ['zones']);
    for (const dryRun of [true, false]) {
      const { status, body } = await cascade(dryRun);
      expect([status, body.message]).toEqual([
        403,
        'l2networks.plumb.dev "l" is forbidden: User "bob" cannot delete resource "l2networks" in API group "plumb.dev" at the cluster scope',
      ]);
    }
    expect((await send('GET', 'zones/z')).body.metadata.deletionTimestamp).toBeUndefined();
    await giveBob('deletes-networks', ['delete'], ['l2networks']);
    expect((await cascade(true)).body.items).toHaveLength(2);
  });

  test('a plan reads what it compares with', async () => {
    const plan = (object: object) => asBob('planreviews', { spec: { objects: [object] } });
    expect((await plan({ kind: 'Zone', metadata: { name: 'new' }, spec: {} })).status).toBe(201);
    const host = { kind: 'Host', metadata: { name: 'h' }, spec: { zone: 'z' } };
    expect((await plan(host)).body.message).toContain('cannot get resource "hosts"');
    const deletion = { spec: { deletions: [{ kind: 'L2Network', name: 'l' }] } };
    expect((await asBob('planreviews', deletion)).body.message).toContain('cannot get resource "l2networks"');
    await giveBob('reads', ['get'], ['hosts']);
    expect((await plan(host)).status).toBe(201);
  });

  test('flows are listed by project, to who may list them there', async () => {
    const list = (place: string) => send('GET', place, '', '', BOB);
    await giveBob('flows', ['list'], ['flows'], 'default');
    expect((await list('flows')).status).toBe(403);
    expect((await list('namespaces/lab/flows')).status).toBe(403);
    expect((await list('namespaces/default/flows')).body).toMatchObject({ kind: 'FlowList', items: [] });
  });

  test('who was given nothing gets nothing: every endpoint answers 403', async () => {
    for (const { method, path } of everything) {
      const place = path.replaceAll(/\{\w+\}/g, 'x').slice(ROOT.length);
      const body = method === 'POST' ? JSON.stringify(GOOD[place] ?? {}) : '';
      const answer = await send(method, place, body, 'application/json', { 'impersonate-user': 'nobody' });
      expect([method, place, ...refusal(answer)]).toEqual([method, place, 403, 'Status', 'Forbidden', 403]);
    }
  });
});
