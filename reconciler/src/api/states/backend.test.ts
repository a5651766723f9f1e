import { createHash, randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { defaultServerLimits } from '@plumb/schemas/limits/server.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { stateText } from '../../states/testing/state.ts';
import { keys } from '../../store/keys.ts';
import { putBackOp } from '../../store/put-back.ts';
import { auditLine, type Write } from '../audit.ts';
import { type ApiRig, type Asking, startApiRig, V1 } from '../testing/rig.ts';

const STATES = `${V1}/namespaces/default/terraformstates`;
const at = (name: string, project = 'default') => `/terraform/states/${project}/${name}`;
const user = (name: string) => ({ name, groups: ['system:authenticated'] });

let api: ApiRig;
const writes: Write[] = [];
beforeAll(async () => {
  api = await startApiRig({
    audit: (write) => writes.push(write),
    limits: { ...defaultServerLimits, stateBytes: 4 << 20 },
    users: { anna: user('anna'), bert: user('bert'), olga: user('olga'), vera: user('vera'), adam: user('adam') },
  });
  await api.ask('POST', '/api/v1/namespaces', { body: { metadata: { name: 'other' } } });
  const bind = (project: string, role: string, ...names: string[]) =>
    api.ask('POST', `/apis/rbac.authorization.k8s.io/v1/namespaces/${project}/rolebindings`, {
      body: {
        metadata: { name: `${role}-${names.join('-')}` },
        subjects: names.map((name) => ({ kind: 'User', name, apiGroup: 'rbac.authorization.k8s.io' })),
        roleRef: { kind: 'ClusterRole', name: role, apiGroup: 'rbac.authorization.k8s.io' },
      },
    });
  await bind('default', 'edit', 'anna', 'bert');
  await bind('default', 'view', 'vera');
  await bind('default', 'admin', 'adam');
  await bind('other', 'edit', 'olga');
  await api.ask('GET', '/api', { token: 'anna' });
});
afterAll(() => api.stop());
beforeEach(() => {
  writes.length = 0;
});

let made = 0;
/** A state that nothing was written to. */
async function begun(): Promise<string> {
  const name = `state-${made++}`;
  await expect(api.ask('POST', STATES, { token: 'anna', body: objectOf(name) })).resolves.toMatchObject({
    status: 201,
  });
  return name;
}
const objectOf = (name: string) => ({
  apiVersion: 'plumb.dev/v1',
  kind: 'TerraformState',
  metadata: { name },
  spec: {},
});
const ask = (method: string, path: string, asking: Asking = {}) => api.ask(method, path, { token: 'anna', ...asking });
const basic = (name: string, password: string) => ({
  token: '',
  headers: { authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` },
});
const lockInfo = (id: string) => ({
  ...{ ID: id, Operation: 'OperationTypeApply', Info: '', Who: 'anna@desk', Version: '1.11.4' },
  ...{ Created: '2026-12-01T01:02:03.123456789Z', Path: '' },
});
const md5 = (text: string) => createHash('md5').update(text).digest('base64');

describe('as Terraform speaks', () => {
  test('a state is begun, locked, written with its checksum, read, and given back', async () => {
    const path = at(await begun());
    const empty = await ask('GET', path);
    expect([empty.status, empty.body.serial, empty.body.resources]).toEqual([200, 0, []]);
    expect((await ask('LOCK', path, { body: lockInfo('L1') })).status).toBe(200);
    const text = stateText(1, { filler: 'x"\u00e4' });
    const headers = { 'content-md5': md5(text) };
    expect((await ask('POST', `${path}?ID=L1`, { body: text, headers })).status).toBe(200);
    const read = await ask('GET', path);
    expect([read.status, read.text, read.headers['content-md5']]).toEqual([200, text, md5(text)]);
    expect((await ask('UNLOCK', path, { body: lockInfo('L1') })).status).toBe(200);
    expect((await ask('PUT', path, { body: stateText(2) })).status).toBe(200);
  });

  test('a token is taken as the password of any user, and only where Terraform asks', async () => {
    const path = at(await begun());
    for (const name of ['', 'terraform', 'Anna Ännchen'])
      expect((await api.ask('GET', path, basic(name, 'anna'))).status).toBe(200);
    for (const wrong of [
      basic('anna', 'nothing'),
      basic('anna', ''),
      { token: '', headers: { authorization: 'Basic !' } },
    ])
      expect((await api.ask('GET', path, wrong)).status).toBe(401);
    expect((await api.ask('GET', STATES, basic('x', 'anna'))).status).toBe(401);
  });

  test('who comes second is told who has the lock, in what Terraform prints', async () => {
    const path = at(await begun());
    await ask('LOCK', path, { body: lockInfo('L1') });
    const second = await ask('LOCK', path, { token: 'bert', body: lockInfo('L2') });
    expect(second).toMatchObject({
      status: 423,
      body: { ID: 'L1', Operation: 'OperationTypeApply', Who: 'anna@desk' },
    });
    expect(second.body.Info).toContain('user anna of Plumb');
    expect(new Date(second.body.Created).getTime()).toBeGreaterThan(0);
    for (const [query, token] of [
      ['', 'bert'],
      ['?ID=L2', 'bert'],
      ['?ID=L1', 'bert'],
      ['', 'anna'],
    ] as const)
      expect((await ask('POST', path + query, { token, body: stateText(1) })).status).toBe(423);
    // Reading goes on.
    expect((await ask('GET', path, { token: 'bert' })).status).toBe(200);
  });

  test('terraform force-unlock says nothing in its body: its holder and an admin of the project may', async () => {
    const path = at(await begun());
    await ask('LOCK', path, { body: lockInfo('L1') });
    expect((await ask('UNLOCK', path, { token: 'bert' })).status).toBe(403);
    expect((await ask('UNLOCK', path, { token: 'vera' })).status).toBe(403);
    expect((await ask('UNLOCK', path, { body: lockInfo('other') })).status).toBe(423);
    expect((await ask('UNLOCK', path)).status).toBe(200);
    await ask('LOCK', path, { body: lockInfo('L2') });
    expect((await ask('UNLOCK', path, { token: 'adam' })).status).toBe(200);
    expect((await ask('POST', `${path}?ID=L2`, { body: stateText(1) })).status).toBe(409);
    expect((await ask('UNLOCK', path)).status).toBe(200);
  });

  test('reads and writes, taken or refused, are in the audit log, and nothing of a state', async () => {
    const name = await begun();
    const path = at(name);
    writes.length = 0;
    await ask('POST', path, { body: stateText(1, { filler: 'TOP-SECRET' }) });
    await ask('GET', path);
    await ask('GET', path, { token: 'vera' });
    await ask('LOCK', path, { body: lockInfo('L1') });
    await ask('UNLOCK', path);
    await ask('DELETE', path);
    const lines = writes.map((write) => auditLine(write).replace(/ from=\S+$/, ''));
    const of = `object=terraformstates.plumb.dev/default/${name}`;
    expect(lines).toEqual([
      `audit user=anna verb=update ${of} code=200`,
      `audit user=anna verb=get ${of} code=200`,
      `audit user=vera verb=get ${of} code=403`,
      `audit user=anna verb=lock ${of} code=200`,
      `audit user=anna verb=unlock ${of} code=200`,
      `audit user=anna verb=delete ${of} code=200`,
    ]);
    expect(JSON.stringify(writes)).not.toContain('TOP-SECRET');
  });
});

describe('what is in a state', () => {
  test('is shown at its address alone: not in objects, lists, tables or watches, and to nobody who may only look', async () => {
    const name = await begun();
    await ask('POST', at(name), { body: stateText(7, { filler: 'TOP-SECRET' }) });
    const watch = api.watch(`${STATES}?watch=1&resourceVersion=0`);
    const line = JSON.stringify(await watch.next());
    watch.end();
    const table = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
    for (const { status, text } of [
      await ask('GET', STATES),
      await ask('GET', STATES, { headers: table }),
      await ask('GET', `${STATES}/${name}`),
      await ask('GET', STATES, { token: 'vera' }),
    ]) {
      expect(status).toBe(200);
      expect(text).toContain(name);
      expect(text + line).not.toContain('TOP-SECRET');
    }
    for (const path of [at(name), `${STATES}/${name}`])
      expect((await ask('GET', path, { token: 'vera' })).status).toBe(403);
  });
});

describe('never an empty state', () => {
  const nothing = [204, 404];
  const every = async (path: string, token = 'anna') => {
    const answers = [];
    for (const [method, body] of [
      ['GET'],
      ['POST', stateText(1)],
      ['LOCK', lockInfo('L')],
      ['UNLOCK'],
      ['DELETE'],
      ['HEAD'],
    ] as const)
      answers.push((await ask(method, path, { token, body })).status);
    for (const status of answers) expect(nothing).not.toContain(status);
    return answers;
  };

  test('what was never made, or is in no project', async () => {
    expect((await every(at('never-made')))[0]).toBe(423);
    expect((await ask('LOCK', at('never-made'), { body: lockInfo('L') })).body.Info).toContain(
      'plumb state create never-made',
    );
    expect((await every(at('x', 'no-such-project')))[0]).toBe(403);
    expect((await every(at('x', 'no-such-project'), api.token))[0]).toBe(423);
  });

  test("lost rights, another project's token, and addresses that are nearly right", async () => {
    const name = await begun();
    await ask('POST', at(name), { body: stateText(1) });
    for (const token of ['olga', 'vera']) expect((await every(at(name), token))[0]).toBe(403);
    for (const path of [
      ...[
        `/terraform`,
        `/terraform/`,
        '/terraform/states',
        '/terraform/states/default',
        `/terraform/state/default/${name}`,
      ],
      ...[`${at(name)}/x`, at('..%2f..%2fdefault'), at(`%2e%2e`), at(`..`), at(`${name}%00`), at(name.toUpperCase())],
      ...[`/terraform/states/default%2f${name}`, `/terraform/states/../states/default/${name}x`, at('a/../b'), at('%')],
      ...[
        `//terraform/states/default/${name}`,
        `/terraform//states/default/${name}`,
        `/Terraform/states/default/${name}`,
      ],
      ...[
        `/terraform/states/other%2f..%2fdefault/${name}`,
        at('__proto__'),
        at('x'.repeat(300)),
        `/%74erraform/states/x`,
      ],
    ])
      for (const token of [api.token, 'anna']) {
        const { status } = await ask('GET', path, { token });
        expect([400, 403, 423], `${path} for ${token}`).toContain(status);
      }
    // What is written otherwise and means the same state needs the same rights.
    for (const path of [`${at(name)}/`, `/terraform/states/default/%73${name.slice(1)}`]) {
      expect((await ask('GET', path)).text).toBe(stateText(1));
      for (const token of ['olga', 'vera']) expect((await ask('GET', path, { token })).status).toBe(403);
    }
  });

  test('what is being deleted, and what was: also when an object of that name is made again', async () => {
    const name = await begun();
    await ask('POST', at(name), { body: stateText(3) });
    expect((await ask('DELETE', at(name))).status).toBe(200);
    expect((await every(at(name)))[0]).toBe(423);
    const { store } = api;
    // As the controller leaves it.
    const { TerraformStates } = await import('../../states/states.ts');
    await new TerraformStates({ store, ambient: api.ambient, limits: defaultServerLimits }).bury({
      namespace: 'default',
      name,
    });
    const key = keys.object('terraformstates', 'default', name);
    await store.commit({ preconditions: [], ops: [{ type: 'delete', key }] });
    expect((await every(at(name)))[0]).toBe(423);
    const again = await ask('POST', STATES, { body: objectOf(name) });
    expect(again.headers.warning).toContain('was deleted');
    expect((await every(at(name)))[0]).toBe(423);
    expect((await ask('POST', `${STATES}/${name}/acknowledge`)).status).toBe(201);
    expect((await ask('GET', at(name))).body.serial).toBe(0);
  });

  test('a damaged record is 503', async () => {
    const name = await begun();
    await ask('POST', at(name), { body: stateText(3) });
    const { entries } = await api.store.list(`blobs/terraform-states/default/${name}/`);
    const ops = entries.map(({ key }) => ({ type: 'put' as const, key, value: 'AAAA' }));
    await api.store.commit({ preconditions: [], ops });
    expect((await ask('GET', at(name))).status).toBe(503);
  });

  test('after the store was put back every state is 423 and says to which serial it went back', async () => {
    const name = await begun();
    await ask('POST', at(name), { body: stateText(9) });
    await api.store.commit({ preconditions: [], ops: [putBackOp({ term: 5, at: api.clock.now() })] });
    expect((await every(at(name)))[0]).toBe(423);
    expect((await ask('GET', at(name))).body.Info).toContain('went back to serial 9');
    expect((await ask('POST', `${STATES}/${name}/acknowledge`, { token: 'vera' })).status).toBe(403);
    expect((await ask('POST', `${STATES}/${name}/acknowledge`)).status).toBe(201);
    expect((await ask('GET', at(name))).text).toBe(stateText(9));
    await api.store.commit({ preconditions: [], ops: [{ type: 'delete', key: keys.control('put-back') }] });
  });
});

describe('what is not taken', () => {
  test('what is no state, or not all of it', async () => {
    const name = await begun();
    const path = at(name);
    const good = stateText(2);
    for (const body of [
      ...[
        '',
        '{',
        '[]',
        'null',
        '"x"',
        '{}',
        good.slice(0, -5),
        good.replace('"version":4', '"version":3'),
        `\ufeff${good}`,
      ],
      ...[
        good.replace('"serial":2', '"serial":"2"'),
        good.replace('"serial":2', '"serial":-1'),
        good.replace('"serial":2', '"serial":1e99'),
      ],
      ...[good.replace('"serial":2', '"serial":2,"serial":9'), good.replace('"serial":2', '"serial":2,"Serial":9')],
      ...[good.replace(/"lineage":"[^"]*"/, '"lineage":""'), good.replace('"resources":[', '"resources":3,"x":[')],
      ...[
        Buffer.from([...Buffer.from(good.slice(0, -1)), 0x2c, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
        `${'['.repeat(100_000)}`,
      ],
    ])
      expect((await ask('POST', path, { body })).status, String(body).slice(0, 80)).toBe(400);
    expect((await ask('POST', path, { body: good, headers: { 'content-md5': md5('x') } })).status).toBe(400);
    expect((await ask('POST', `${path}?ID=a&ID=b`, { body: good })).status).toBe(400);
    expect((await ask('GET', path)).body.serial).toBe(0);
  });

  test('what is too large, and what was compressed so that it looks small', async () => {
    const path = at(await begun());
    const large = stateText(1, { filler: 'x'.repeat(5 << 20) });
    expect((await ask('POST', path, { body: large })).status).toBe(413);
    const headers = { 'content-encoding': 'gzip' };
    expect((await ask('POST', path, { body: gzipSync(large), headers })).status).toBe(415);
    const fits = stateText(1, { filler: randomBytes(2 << 20).toString('base64') });
    expect((await ask('POST', path, { body: fits })).status).toBe(200);
    expect((await ask('GET', path)).text === fits).toBe(true);
    // What is said of a lock has a bound of its own.
    expect((await ask('LOCK', path, { body: { ...lockInfo('L'), Info: 'x'.repeat(20_000) } })).status).toBe(413);
  });

  test('a lock that cannot be told from others', async () => {
    const path = at(await begun());
    for (const body of [
      undefined,
      '{',
      '[]',
      {},
      { ID: '' },
      { ID: 7 },
      { ID: 'x'.repeat(129) },
      { ID: 'a\nb' },
      '{"ID":"a","ID":"b"}',
    ])
      expect((await ask('LOCK', path, { body })).status).toBe(400);
    const odd = { ID: 'L', Who: { a: 1 }, Operation: 'a\u0007b', Created: 'never' };
    expect((await ask('LOCK', path, { body: odd })).status).toBe(200);
    const { body } = await ask('LOCK', path, { token: 'bert', body: lockInfo('M') });
    expect(Object.values(body).every((value) => typeof value === 'string')).toBe(true);
    expect(new Date(body.Created).getTime()).toBeGreaterThan(0);
  });

  test('older serials and other lineages', async () => {
    const path = at(await begun());
    await ask('POST', path, { body: stateText(5) });
    for (const body of [stateText(4), stateText(5, { filler: 'x' }), stateText(6, { lineage: 'other' })])
      expect((await ask('POST', path, { body })).status).toBe(409);
    expect((await ask('POST', path, { body: stateText(5) })).status).toBe(200);
  });

  test('methods that mean nothing here; LOCK means nothing elsewhere', async () => {
    const path = at(await begun());
    for (const method of ['PATCH', 'HEAD', 'OPTIONS']) expect([403, 405]).toContain((await ask(method, path)).status);
    for (const elsewhere of [`${V1}/zones`, `${STATES}/x`, '/version', '/metrics'])
      for (const method of ['LOCK', 'UNLOCK'])
        for (const token of ['anna', '']) expect((await ask(method, elsewhere, { token })).status).not.toBe(200);
  });
});

test('an earlier version becomes the newest by POST …/rollback; who may only look may not', async () => {
  const name = await begun();
  for (const serial of [1, 2, 3]) await ask('POST', at(name), { body: stateText(serial, { resources: serial }) });
  const rollback = (body: unknown, token = 'anna') => ask('POST', `${STATES}/${name}/rollback`, { token, body });
  expect((await rollback({ serial: 1 }, 'vera')).status).toBe(403);
  for (const body of [{}, { serial: '1' }, { serial: 1, x: 1 }]) expect((await rollback(body)).status).toBe(422);
  expect((await rollback({ serial: 8 })).status).toBe(404);
  expect(await rollback({ serial: 1 })).toMatchObject({ status: 201, body: { details: { serial: 4 } } });
  expect((await ask('GET', at(name))).text).toBe(stateText(4, { resources: 1 }));
  const { body } = await ask('GET', `${STATES}/${name}`);
  expect(body.status.versions.map((one: { serial: number }) => one.serial)).toEqual([4, 3, 2, 1]);
  const protect = {
    headers: { 'content-type': 'application/merge-patch+json' },
    body: { spec: { deletionProtection: true } },
  };
  await ask('PATCH', `${STATES}/${name}`, protect);
  expect((await ask('DELETE', at(name))).status).toBe(403);
});
