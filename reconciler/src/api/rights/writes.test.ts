/** What a write needs beyond the right to write its object. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PolicyRule } from '../../authorization/policy.ts';
import { keys } from '../../store/keys.ts';
import { having as allowed } from '../testing/policy.ts';
import { type ApiRig, type Asking, manifests, startApiRig, V1 } from '../testing/rig.ts';

const users = { 'token-ann': { name: 'ann', groups: [] } };
const ann = { kind: 'User', name: 'ann' };
const LAB = `${V1}/namespaces/default`;
const APPLY = { 'content-type': 'application/apply-patch+yaml' };
const MERGE = { 'content-type': 'application/merge-patch+json' };

const rule = (verbs: string[], resources: string[], resourceNames?: string[]): PolicyRule => ({
  ...{ verbs, apiGroups: ['plumb.dev'], resources },
  ...(resourceNames ? { resourceNames } : {}),
});
const writing = rule(['create', 'update', 'patch', 'delete'], ['instances', 'l3networks', 'changesets']);

let api: ApiRig;
beforeAll(async () => {
  api = await startApiRig({ users });
});
afterAll(() => api.stop());

const asAnn = (method: string, path: string, asking: Asking = {}) =>
  api.ask(method, path, { token: 'token-ann', ...asking });

/** Ann has these rights while it is tried. */
const having = (rules: readonly PolicyRule[], attempt: () => Promise<void>, namespace?: string) =>
  allowed(api.store, ann, rules, attempt, namespace);

const image = (name: string, url: string) => ({
  ...{ apiVersion: 'plumb.dev/v1', kind: 'Image', metadata: { name } },
  spec: { url, sha256: 'a'.repeat(64), format: 'raw' },
});

describe('what is referred to', () => {
  const using = (names: string[]) => [
    rule(['use'], ['zones'], names),
    rule(['use'], ['instanceofferings', 'images'], undefined),
  ];
  const create = (instance: object) => asAnn('POST', `${LAB}/instances`, { body: instance });

  test('needs `use`, unless it is in the same project', async () => {
    await having([writing], async () => {
      const refused = await create(manifests.instance('a'));
      expect([refused.status, refused.body.reason]).toEqual([403, 'Forbidden']);
      expect(refused.body.message).toMatch(
        /^zones\.plumb\.dev "[\w-]+" is forbidden: User "ann" cannot use resource "zones" in API group "plumb.dev" at the cluster scope: Instance "a" refers to it$/,
      );
      expect(refused.body.details).toMatchObject({ group: 'plumb.dev', kind: 'zones' });
    });
    const { zone } = manifests.instance('a').spec as { zone: string };
    await having([writing, ...using([zone])], async () => {
      expect((await create(manifests.instance('a'))).status).toBe(201);
      const other = await create(manifests.instance('b', { zone: 'other' }));
      expect([other.status, other.body.details.name]).toEqual([403, 'other']);
      const interfaces = [{ name: 'eth0', l3Network: 'lab/net' }];
      const foreign = await create(manifests.instance('c', { interfaces }));
      expect([foreign.status, foreign.body.message]).toEqual([
        403,
        expect.stringContaining('cannot use resource "l3networks" in API group "plumb.dev" in the namespace "lab"'),
      ]);
      const own = [{ name: 'eth0', l3Network: 'net' }];
      expect((await create(manifests.instance('c', { interfaces: own }))).status).toBe(201);
    });
  });

  test('is asked about when a reference comes or changes, by any road, and not when it stays', async () => {
    await having([writing], async () => {
      const change = (spec: object, headers = MERGE) =>
        asAnn('PATCH', `${LAB}/instances/a`, { body: { spec }, headers });
      expect((await change({ power: 'Stopped' })).status).toBe(200);
      expect((await change({ offering: 'other' })).status).toBe(403);
      expect((await change({ interfaces: [{ name: 'eth0', l3Network: 'lab/net' }] })).status).toBe(403);
      const { body } = await api.ask('GET', `${LAB}/instances/a`);
      const moved = { ...body, spec: { ...body.spec, image: 'other' } };
      expect((await asAnn('PUT', `${LAB}/instances/a`, { body: moved })).status).toBe(403);
      const applied = {
        apiVersion: 'plumb.dev/v1',
        kind: 'Instance',
        metadata: { name: 'a' },
        spec: { image: 'other' },
      };
      const path = `${LAB}/instances/a?fieldManager=x&force=true`;
      expect((await asAnn('PATCH', path, { body: applied, headers: APPLY })).status).toBe(403);
      const tried = await asAnn('PATCH', `${LAB}/instances/a?dryRun=All`, {
        body: { spec: { image: 'other' } },
        headers: MERGE,
      });
      expect(tried.status).toBe(403);
      expect((await api.ask('GET', `${LAB}/instances/a`)).body.spec.image).toBe(body.spec.image);
    });
  });
});

test.each([null, undefined, 'x', 7])('who mends an object whose spec is %s refers to everything anew', async (spec) => {
  const name = `broken-${spec}`;
  const metadata = { name, namespace: 'default', uid: name, generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' };
  const value = JSON.stringify({ apiVersion: 'plumb.dev/v1', kind: 'Instance', metadata, spec });
  const key = keys.object('instances', 'default', name);
  await api.store.commit({ preconditions: [], ops: [{ type: 'put', key, value }] });
  const mend = async () => {
    const { resourceVersion } = (await api.ask('GET', `${LAB}/instances/${name}`)).body.metadata;
    return asAnn('PUT', `${LAB}/instances/${name}`, {
      body: { ...manifests.instance(name), metadata: { name, resourceVersion } },
    });
  };
  await having([writing], async () => {
    expect((await mend()).body.message).toContain('cannot use resource "zones"');
  });
  await having([writing, rule(['use'], ['zones', 'images', 'instanceofferings'])], async () => {
    expect((await mend()).status).toBe(200);
  });
});

test('an image that is a file of the hosts needs a right of its own', async () => {
  await having([rule(['create', 'patch'], ['images'])], async () => {
    const web = await asAnn('POST', `${V1}/images`, { body: image('web', 'https://example.net/a') });
    expect(web.status).toBe(201);
    const file = await asAnn('POST', `${V1}/images`, { body: image('file', 'file:///etc/shadow') });
    expect([file.status, file.body.message]).toEqual([
      403,
      'images.plumb.dev "file" is forbidden: User "ann" cannot use resource "images/file" in API group "plumb.dev" at the cluster scope: its url is a file of the hosts',
    ]);
    const path = `${V1}/images/web`;
    expect((await asAnn('PATCH', path, { body: { spec: { url: 'file:///a' } }, headers: MERGE })).status).toBe(403);
    await api.ask('PATCH', path, { body: { spec: { url: 'file:///a' } }, headers: MERGE });
    expect((await asAnn('PATCH', path, { body: { spec: { maxSizeMiB: 7 } }, headers: MERGE })).status).toBe(200);
    expect((await asAnn('PATCH', path, { body: { spec: { url: 'file:///b' } }, headers: MERGE })).status).toBe(403);
  });
  await having([rule(['create'], ['images']), rule(['use'], ['images/file'])], async () => {
    expect((await asAnn('POST', `${V1}/images`, { body: image('file', 'file:///a') })).status).toBe(201);
  });
});

test('who changes the owners of an object must be allowed to delete it', async () => {
  await api.ask('POST', `${V1}/zones`, { body: manifests.zone('owned') });
  const ownerReferences = [{ apiVersion: 'plumb.dev/v1', kind: 'Zone', name: 'gone', uid: 'x' }];
  const change = (metadata: object) => asAnn('PATCH', `${V1}/zones/owned`, { body: { metadata }, headers: MERGE });
  await having([rule(['patch'], ['zones'])], async () => {
    expect((await change({ labels: { a: 'b' } })).status).toBe(200);
    const { status, body } = await change({ ownerReferences });
    expect([status, body.message]).toEqual([403, expect.stringContaining('cannot delete resource "zones"')]);
  });
  await having([rule(['patch', 'delete'], ['zones'])], async () => {
    expect((await change({ ownerReferences })).status).toBe(200);
  });
});

test('a declaration that creates needs `create` and `patch`', async () => {
  const declared = { apiVersion: 'plumb.dev/v1', kind: 'Zone', metadata: { name: 'applied' }, spec: {} };
  const apply = () => asAnn('PATCH', `${V1}/zones/applied?fieldManager=x`, { body: declared, headers: APPLY });
  await having([rule(['create'], ['zones'])], async () => expect((await apply()).status).toBe(403));
  await having([rule(['patch'], ['zones'])], async () => {
    const { status, body } = await apply();
    expect([status, body.message]).toEqual([403, expect.stringContaining('cannot create resource "zones"')]);
  });
  await having([rule(['create', 'patch'], ['zones'])], async () => expect((await apply()).status).toBe(201));
  await having([rule(['patch'], ['zones'])], async () => expect((await apply()).status).toBe(200));
});

describe('a change set', () => {
  const set = (name: string, objects: object[]) => ({
    ...{ apiVersion: 'plumb.dev/v1', kind: 'ChangeSet', metadata: { name } },
    spec: { objects },
  });
  const create = (body: object) => asAnn('POST', `${LAB}/changesets`, { body });
  const zone = { kind: 'Zone', metadata: { name: 'by-set' }, spec: {} };

  test('writes nothing that its author may not write', async () => {
    await having([writing], async () => {
      const { status, body } = await create(set('one', [zone]));
      expect([status, body.message]).toEqual([
        403,
        'zones.plumb.dev "by-set" is forbidden: User "ann" cannot create resource "zones" in API group "plumb.dev" at the cluster scope: ChangeSet "one" writes it',
      ]);
    });
    await having([writing, rule(['create'], ['zones'])], async () => {
      expect((await create(set('one', [zone]))).body.message).toContain('cannot patch resource "zones"');
    });
    await having([writing, rule(['create', 'patch'], ['zones'])], async () => {
      expect((await create(set('one', [zone]))).status).toBe(201);
    });
  });

  test('refers to nothing that its author may not use, and has no rights that its project does not give', async () => {
    const instance = { kind: 'Instance', metadata: { name: 'n' }, spec: manifests.instance('n').spec };
    await having([writing], async () => {
      expect((await create(set('two', [instance]))).body.message).toContain('cannot use resource "zones"');
    });
    const elsewhere = { ...instance, metadata: { name: 'n', namespace: 'lab' } };
    await having(
      [writing],
      async () => {
        expect((await create(set('two', [elsewhere]))).body.message).toContain(
          'cannot create resource "instances" in API group "plumb.dev" in the namespace "lab": ChangeSet "two" writes it',
        );
      },
      'default',
    );
    const file = { kind: 'Image', metadata: { name: 'f' }, spec: image('f', 'file:///a').spec };
    await having([writing, rule(['create', 'patch'], ['images'])], async () => {
      expect((await create(set('three', [file]))).body.message).toContain('cannot use resource "images/file"');
    });
  });
});
